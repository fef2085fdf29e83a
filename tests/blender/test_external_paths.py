from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import pytest
from sendoff_inside.external_paths import ExternalPaths
from sendoff_inside.job import JobFailed
from sendoff_inside.scene import open_scene


def write_image(path: Path, size: int = 4) -> None:
    image = bpy.data.images.new("made", size, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def write_list(workspace: Path, files: list[dict[str, str]], version: int = 1) -> Path:
    path = workspace / "sendoff-paths.json"
    path.write_text(json.dumps({"version": version, "files": files}))
    return path


def add_image(name: str, path: str) -> Any:
    """An image datablock of a file that need not be there."""
    image = bpy.data.images.new(name, 1, 1)
    image.source = "FILE"
    image.filepath = path
    image.use_fake_user = True
    return image


def save(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, relative_remap=False)
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def test_a_texture_is_found_at_its_new_place_and_the_old_path_comes_back(
    make_job: Any, recorder: Any, workspace: Path
) -> None:
    add_image("Paint", "//textures/paint.png")
    scene = save(workspace / "scene.blend")
    write_image(workspace / "external" / "00" / "paint.png", size=16)
    paths = write_list(workspace, [{"collection": "images", "name": "Paint", "path": "external/00/paint.png"}])
    job = make_job()
    open_scene(job, scene, paths)
    image = bpy.data.images["Paint"]
    assert Path(image.filepath) == workspace / "external" / "00" / "paint.png"
    assert tuple(image.size) == (16, 16)
    job.external_paths.restore()
    assert image.filepath == "//textures/paint.png"
    assert recorder.warnings == []


def test_a_linked_library_is_read_from_the_workspace(make_job: Any, recorder: Any, workspace: Path) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add()
    bpy.context.object.name = "Bolt"
    elsewhere = workspace.parent / "studio" / "bolts.blend"
    elsewhere.parent.mkdir()
    bpy.data.libraries.write(str(elsewhere), {bpy.data.objects["Bolt"]})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(elsewhere), link=True) as (_, wanted):
        wanted.objects = ["Bolt"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    scene = save(workspace / "scene.blend")
    (workspace / "external").mkdir()
    elsewhere.rename(workspace / "external" / "bolts.blend")
    paths = write_list(workspace, [{"collection": "libraries", "name": "bolts.blend", "path": "external/bolts.blend"}])
    open_scene(make_job(), scene, paths)
    bolt = bpy.data.objects["Bolt"]
    assert not bolt.is_missing
    assert len(bolt.data.polygons) > 100
    assert recorder.warnings == []


def test_what_the_list_names_and_the_workspace_lacks_is_told(make_job: Any, recorder: Any, workspace: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    library = workspace / "parts.blend"
    bpy.data.libraries.write(str(library), {bpy.context.object})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.objects = ["Cube"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    scene = save(workspace / "scene.blend")
    library.unlink()
    files = [
        {"collection": "images", "name": "Nobody", "path": "a.png"},
        {"collection": "libraries", "name": "parts.blend", "path": "external/parts.blend"},
    ]
    open_scene(make_job(), scene, write_list(workspace, files))
    assert recorder.warnings == ["The linked library “parts.blend” did not come along; what it holds is missing."]


def test_a_scene_reads_nothing_from_outside_its_workspace(make_job: Any, recorder: Any, workspace: Path) -> None:
    secret = workspace.parent / "secret.png"
    write_image(secret)
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name = "Secret"
    library = workspace.parent / "secret.blend"
    bpy.data.libraries.write(str(library), {bpy.data.objects["Secret"]})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    add_image("Spy", str(secret))
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.objects = ["Secret"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    job = make_job()
    open_scene(job, save(workspace / "scene.blend"), None)
    assert sorted(recorder.warnings) == [
        "The file of “Spy” did not come along and is left out.",
        "The linked library “secret.blend” did not come along; what it holds is missing.",
    ]
    assert "Secret" not in bpy.data.objects
    assert not Path(bpy.path.abspath(bpy.data.images["Spy"].filepath)).exists()
    job.external_paths.restore()
    assert bpy.data.images["Spy"].filepath == str(secret)


def test_a_list_that_points_out_of_the_workspace_is_not_followed(make_job: Any, recorder: Any, workspace: Path) -> None:
    write_image(workspace.parent / "other.png")
    add_image("Paint", "//paint.png")
    scene = save(workspace / "scene.blend")
    paths = write_list(workspace, [{"collection": "images", "name": "Paint", "path": "../other.png"}])
    open_scene(make_job(), scene, paths)
    assert bpy.data.images["Paint"].filepath == "//paint.png"
    assert recorder.warnings == ["The path of “Paint” in the list of external files is not usable."]


def test_tiles_keep_their_token(make_job: Any, workspace: Path) -> None:
    image = add_image("Skin", "//skin.<UDIM>.png")
    image.source = "TILED"
    scene = save(workspace / "scene.blend")
    write_image(workspace / "external" / "skin.1001.png")
    paths = write_list(workspace, [{"collection": "images", "name": "Skin", "path": "external/skin.<UDIM>.png"}])
    open_scene(make_job(), scene, paths)
    assert Path(bpy.data.images["Skin"].filepath).name == "skin.<UDIM>.png"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2, "files": []}', '{"version": 1, "files": [{"name": 1}]}', "[" * 100_000]
)
def test_a_list_that_cannot_be_read_is_one_sentence(make_job: Any, workspace: Path, text: str) -> None:
    path = workspace / "sendoff-paths.json"
    path.write_text(text)
    with pytest.raises(JobFailed, match="The list of the scene's external files cannot be read; update"):
        ExternalPaths.apply(make_job(), path, root=workspace)
