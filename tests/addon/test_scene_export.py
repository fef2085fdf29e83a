from __future__ import annotations

import os
import tempfile

import bpy
import pytest
from scenes import grid, save_png, textured_material


@pytest.fixture
def car(tmp_path):
    """A saved file with a packed and an unpacked texture, then changed."""
    path = tmp_path / "scene" / "car.blend"
    path.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    paint = textured_material("Paint", str(save_png(tmp_path / "shared" / "paint.png")))
    paint.node_tree.nodes["Image Texture"].image.filepath = "//../shared/paint.png"
    decal = textured_material("Decal", str(save_png(tmp_path / "decal.png")))
    decal.node_tree.nodes["Image Texture"].image.pack()
    grid("Body", material=paint)
    grid("Door", material=decal)
    bpy.ops.wm.save_mainfile()
    bpy.data.objects["Body"].location.x = 1.0
    return path


def order(addon, params=None):
    return addon.host.submitting.Order(task="mesh.lods", params=params or {})


def state():
    """Everything about the open file that an export must leave as it is."""
    return {
        "filepath": bpy.data.filepath,
        "is_dirty": bpy.data.is_dirty,  # always True without a window
        "selected": sorted(thing.name for thing in bpy.context.selected_objects),
        "active": bpy.context.view_layer.objects.active.name,
        "packed": {image.name: image.packed_file is not None for image in bpy.data.images},
        "paths": {image.name: image.filepath for image in bpy.data.images},
        "compress": bpy.context.preferences.filepaths.use_file_compression,
        "mode": bpy.context.mode,
        "names": sorted(thing.name for thing in bpy.data.objects),
    }


@pytest.mark.parametrize("touch", [False, True])
def test_the_open_file_is_left_exactly_as_it_is(addon, car, touch):
    if touch:
        bpy.ops.ed.undo_push(message="a change")
    before = state()
    content = {path: path.read_bytes() for path in car.parent.iterdir()}
    addon.scene_export.export(order(addon))
    assert state() == before
    assert {path: path.read_bytes() for path in car.parent.iterdir()} == content


def test_edit_mode_is_not_left_and_its_changes_are_sent(addon, car):
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    export = addon.scene_export.export(order(addon))
    assert bpy.context.mode == "EDIT_MESH"
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.wm.open_mainfile(filepath=str(export.folder / "car.blend"))
    assert len(bpy.data.objects["Door"].data.polygons) == 4 * 16


def test_the_copy_is_a_plain_blend_with_the_artists_paths(addon, car):
    export = addon.scene_export.export(order(addon, {"levels": 2}))
    files = {file.role: file for file in export.submission.files}
    assert set(files) == {"scene", "external", "paths"}
    assert (files["scene"].path, files["paths"].path) == ("car.blend", "sendoff-paths.json")
    assert files["scene"].source.read_bytes().startswith(b"BLENDER")
    export.submission.check()
    assert export.submission.host.version == ".".join(map(str, bpy.app.version))
    assert export.submission.params == {"levels": 2}
    assert set(export.fingerprints) == {"Body", "Door"}
    bpy.ops.wm.open_mainfile(filepath=str(files["scene"].source))
    assert bpy.data.images["Paint"].filepath == "//../shared/paint.png"
    assert bpy.data.objects["Body"].location.x == 1.0


def test_a_scene_that_was_never_saved_can_be_sent(addon):
    grid("Body")
    export = addon.scene_export.export(order(addon))
    assert export.submission.title == "untitled"
    assert bpy.data.filepath == ""


def test_a_missing_texture_is_a_note_and_goes_with_the_submission(addon, car, tmp_path):
    (tmp_path / "shared" / "paint.png").unlink()
    export = addon.scene_export.export(order(addon))
    assert export.submission.missing_files == (f"{tmp_path / 'shared' / 'paint.png'} (image “Paint”)",)
    assert export.notes[0].startswith("1 external file is missing and not sent: ")


def test_a_copy_that_cannot_be_saved_is_a_sentence(addon, car, monkeypatch, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("nothing can be saved inside a file")
    monkeypatch.setattr(addon.scene_export.tempfile, "mkdtemp", lambda **_options: str(blocked / "folder"))
    with pytest.raises(addon.scene_export.ExportFailed, match="No copy of the scene could be saved"):
        addon.scene_export.export(order(addon))
    assert blocked.is_file()


def test_copies_that_were_left_behind_go_and_fresh_ones_stay(addon, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, fresh = tmp_path / "sendoff-scene-old", tmp_path / "sendoff-scene-fresh"
    for folder in (old, fresh):
        folder.mkdir()
    os.utime(old, (1, 1))
    addon.scene_export.clear_away()
    assert list(tmp_path.iterdir()) == [fresh]
