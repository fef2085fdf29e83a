"""What comes back, seen and clicked: a check's findings, levels of detail beside their originals, an image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.desktop.blender import Blender
from tests.desktop.reading import Rect
from tests.desktop.screen import Screen

SCENE = """
for name, x in (("Body", 30.0), ("Door", -30.0)):
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=8, y_subdivisions=8, size=4.0, location=(x, 0.0, 0.0))
    bpy.context.view_layer.objects.active.name = name
bpy.ops.ed.undo_push(message="scene")
"""
#: A job that is done, with files that lie in a folder, as one that was fetched.
JOB = """
import importlib
package = next(addon.module for addon in bpy.context.preferences.addons if addon.module.endswith(".sendoff"))
part = lambda name: importlib.import_module(f"{package}.{name}")
desk = part("current").desk
job = part("sendoff.host.jobs").Job(key="k", id="j1", task="scene.check", title="car", server_url=desk.server_url())
job.state, job.source_token = part("sendoff").JobState.SUCCEEDED, desk.open_file
job.has_result = job.has_files = job.is_seen = True
job.scene_name = bpy.context.scene.name
from pathlib import Path
job.files = tuple(part("sendoff.host.messages").FetchedFile(Path(path), role, kind) for path, role, kind in files)
desk.jobs.add(job)
part("pump").start()
"""
LEVELS = """
made = bpy.data.collections.new("Sendoff LODs")
for name in ("Body", "Door"):
    for level in (1, 2):
        source = bpy.data.objects[name]
        one = bpy.data.objects.new(f"{name}_LOD{level}", source.data.copy())
        one["sendoff_source"], one["sendoff_level"] = name, level
        one.matrix_world = source.matrix_world
        made.objects.link(one)
bpy.data.libraries.write(path, {made}, fake_user=True)
bpy.data.batch_remove([*made.objects, made])
bpy.ops.ed.undo_push(message="made")
"""
IMAGE = """
image = bpy.data.images.new("made", 64, 64)
image.generated_type = "COLOR_GRID"
image.file_format, image.filepath_raw = "PNG", path
image.save()
bpy.data.images.remove(image)
"""
ACTIVE = "bpy.context.view_layer.objects.active.name"


def finding(name: str, message: str, indices: list[int], severity: str = "error") -> dict[str, object]:
    return {
        "check": "ngons", "severity": severity, "object": name, "message": message, "element": "face",
        "indices": indices, "count": len(indices),
    }  # fmt: skip


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    found = [
        finding("Body", "Faces with more than four sides: 3.", [0, 1, 2]),
        finding("Door", "Faces without area: 2.", [8, 9], "warning"),
        finding("Gone", "Faces that are mirrored: 1.", [5], "info"),
    ]
    path.write_text(json.dumps({"findings": found}))
    return path


def scrolled_to(screen: Screen, label: str, sidebar: Rect) -> Rect:
    """Scroll down until a label is there: what was clicked may make the sidebar longer a moment later."""

    def look() -> Rect | None:
        screen.scroll((sidebar.x + 20, sidebar.y + 60), 30)
        return screen.find_text(label, sidebar)

    return screen.wait_until(look, f"{label!r} in the sidebar", sidebar)


def test_a_click_on_a_finding_selects_and_frames_it(blender: Blender, screen: Screen, report: Path) -> None:
    blender.run(SCENE)
    blender.run(JOB, files=[[str(report), "report", "application/json"]])
    blender.wait_until("job.imported")
    sidebar = blender.open_sidebar("Sendoff")
    screen.scroll((sidebar.x + 20, sidebar.y + 60), 30)
    screen.shot("the report")
    screen.click_text("Body", sidebar)
    blender.wait_until(f"{ACTIVE} == 'Body'")
    screen.shot("body framed")
    screen.click_text("Door", sidebar)
    blender.wait_until(f"{ACTIVE} == 'Door'")
    blender.wait_until("abs(area('VIEW_3D').spaces.active.region_3d.view_location.x + 30.0) < 1.0")
    screen.shot("door framed")
    screen.hover(blender.region("VIEW_3D", "WINDOW"))
    screen.key("ctrl+z")
    blender.wait_until(f"{ACTIVE} == 'Body'")
    screen.click(scrolled_to(screen, "In Edit Mode", sidebar))
    blender.wait_until("bpy.context.mode == 'EDIT_MESH'")
    screen.shot("edit mode")
    screen.click_text("Gone", sidebar)
    scrolled_to(screen, "is not in this file any more", sidebar)
    screen.shot("gone")
    assert blender.ask("bpy.context.mode") == "EDIT_MESH"


def test_levels_stand_beside_their_originals_and_are_selected(blender: Blender, screen: Screen, tmp_path: Path) -> None:
    blender.run(SCENE)
    path = tmp_path / "lods.blend"
    blender.run(LEVELS, path=str(path))
    blender.run(JOB, files=[[str(path), "result", "application/x-blender"]])
    blender.wait_until("job.imported")
    assert blender.ask("sorted(one.name for one in bpy.context.view_layer.objects.selected)") == [
        "Body_LOD1", "Body_LOD2", "Door_LOD1", "Door_LOD2",
    ]  # fmt: skip
    sidebar = blender.open_sidebar("Sendoff")
    screen.wait_for_text("beside their originals", sidebar)
    screen.click_text("Show", sidebar)
    # Both grids together are 64 wide, so the two levels have their middle at 64 x 1.15 x 1.5.
    blender.wait_until("area('VIEW_3D').spaces.active.region_3d.view_location.x > 100.0")
    screen.shot("beside")
    screen.hover(blender.region("VIEW_3D", "WINDOW"))
    screen.key("ctrl+z")  # the click on Show
    blender.wait_until("'Body_LOD1' in bpy.data.objects")
    screen.key("ctrl+z")  # the import
    blender.wait_until("not [one for one in bpy.data.objects if 'LOD' in one.name]")


def test_an_image_opens_in_a_window_of_its_own_where_no_editor_is_open(
    blender: Blender, screen: Screen, tmp_path: Path
) -> None:
    path = tmp_path / "view.png"
    blender.run(IMAGE, path=str(path))
    blender.run(JOB, files=[[str(path), "result", "image/png"]])
    blender.wait_until("job.imported")
    screen.click_text("Show", blender.open_sidebar("Sendoff"))
    blender.wait_until("len(bpy.context.window_manager.windows) == 2")
    place = blender.window(1)
    screen.shot("a window of its own")
    assert blender.ask("area('IMAGE_EDITOR').spaces.active.image.name") == "car view"
    screen.wait_for_text("car view", place)
    blender.close_window(1)
