from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from sendoff_inside.external_paths import ExternalPaths
from sendoff_inside.job import JobFailed
from sendoff_inside.scene import open_scene
from sendoff_inside.view import View
from sendoff_sdk import scene_files


def write_image(path: Path, size: int = 4, colour: tuple[float, float, float] = (1, 0, 0)) -> Path:
    image = bpy.data.images.new("made", size, size)
    image.pixels = [*colour, 1.0] * size * size
    path.parent.mkdir(parents=True, exist_ok=True)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
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
    bpy.ops.wm.save_as_mainfile(filepath=str(path), relative_remap=False)
    return path


def empty() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def send(workspace: Path, make_job: Any) -> Callable[[Path], Any]:
    """Brings a scene and its files into the workspace as the SDK and the worker do, hides the studio, and opens it."""

    def bring(scene: Path) -> Any:
        collected = scene_files.collect(scene, folder=workspace)
        for file in collected.files:
            (workspace / file.path).parent.mkdir(parents=True, exist_ok=True)
            if file.source != workspace / file.path:
                shutil.copyfile(file.source, workspace / file.path)
        shutil.copyfile(scene, workspace / scene.name)
        empty()
        studio = scene.parents[len(scene.relative_to(workspace.parent).parts) - 2]
        studio.rename(studio.with_name("hidden from the worker"))
        paths = workspace / "sendoff-paths.json"
        job = make_job()
        open_scene(job, workspace / scene.name, paths if paths.is_file() else None)
        return job

    return bring


def test_a_texture_is_found_at_its_new_place_and_its_own_path_is_known(
    send: Any, recorder: Any, tmp_path: Path
) -> None:
    write_image(tmp_path / "studio" / "textures" / "paint.png", size=16)
    add_image("Paint", "//textures/paint.png")
    job = send(save(tmp_path / "studio" / "scene.blend"))
    image = bpy.data.images["Paint"]
    assert tuple(image.size) == (16, 16)
    assert job.original_path(image) == "//textures/paint.png"
    assert recorder.warnings == []


def test_an_absolute_path_is_known_as_it_was(send: Any, tmp_path: Path) -> None:
    path = write_image(tmp_path / "studio" / "paint.png", size=8)
    add_image("Paint", str(path))
    job = send(save(tmp_path / "studio" / "scene.blend"))
    assert tuple(bpy.data.images["Paint"].size) == (8, 8)
    assert job.original_path(bpy.data.images["Paint"]) == str(path)


def make_asset(path: Path, name: str, colour: tuple[float, float, float], size: int) -> None:
    """A library with one cube, whose material has an image named diffuse.png."""
    empty()
    write_image(path.parent / "diffuse.png", size=size, colour=colour)
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name = name
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    image = bpy.data.images.load(str(path.parent / "diffuse.png"))
    image.filepath = "//diffuse.png"
    material.node_tree.nodes.new("ShaderNodeTexImage").image = image
    bpy.context.object.data.materials.append(material)
    save(path)


def link(path: Path, kind: str, *names: str) -> list[Any]:
    with bpy.data.libraries.load(str(path), link=True, relative=True) as (_, wanted):
        setattr(wanted, kind, list(names))
    return list(getattr(wanted, kind))


def test_equal_names_in_two_libraries_and_the_scene_are_three_things(send: Any, recorder: Any, tmp_path: Path) -> None:
    studio = tmp_path / "studio"
    make_asset(studio / "a" / "asset.blend", "A", (1, 0, 0), 4)
    make_asset(studio / "b" / "asset.blend", "B", (0, 1, 0), 8)
    empty()
    save(studio / "shot.blend")
    write_image(studio / "c" / "diffuse.png", size=16)
    add_image("diffuse.png", "//c/diffuse.png")
    for folder, name in (("a", "A"), ("b", "B")):
        for one in link(studio / folder / "asset.blend", "objects", name):
            bpy.context.scene.collection.objects.link(one)
    job = send(save(studio / "shot.blend"))
    found = {job.original_path(image): tuple(image.size) for image in bpy.data.images if image.name == "diffuse.png"}
    assert found == {"//c/diffuse.png": (16, 16), "//a/diffuse.png": (4, 4), "//b/diffuse.png": (8, 8)}
    assert sorted(filter(None, map(job.library_path, bpy.data.objects))) == ["//a/asset.blend", "//b/asset.blend"]
    assert recorder.warnings == []


def test_a_library_of_a_library_is_read_and_known_by_the_scenes_path(send: Any, recorder: Any, tmp_path: Path) -> None:
    studio = tmp_path / "studio"
    make_asset(studio / "lib" / "deep" / "bolt.blend", "Bolt", (1, 0, 0), 4)
    empty()
    save(studio / "lib" / "wheel.blend")
    wheel = bpy.data.collections.new("Wheel")
    bpy.context.scene.collection.children.link(wheel)
    for one in link(studio / "lib" / "deep" / "bolt.blend", "objects", "Bolt"):
        wheel.objects.link(one)
    save(studio / "lib" / "wheel.blend")
    empty()
    save(studio / "car.blend")
    (linked,) = link(studio / "lib" / "wheel.blend", "collections", "Wheel")
    bpy.context.scene.collection.children.link(linked)
    job = send(save(studio / "car.blend"))
    bolt = bpy.data.objects["Bolt"]
    assert len(bolt.data.polygons) == 6
    assert job.library_path(bolt) == "//lib/deep/bolt.blend"
    (image,) = [one for one in bpy.data.images if one.name == "diffuse.png"]
    assert tuple(image.size) == (4, 4)
    assert job.original_path(image) == "//lib/deep/diffuse.png"
    assert recorder.warnings == []


def test_an_override_keeps_its_pose_and_its_place(send: Any, recorder: Any, tmp_path: Path) -> None:
    studio = tmp_path / "studio"
    empty()
    asset = bpy.data.collections.new("Asset")
    bpy.context.scene.collection.children.link(asset)
    bpy.ops.mesh.primitive_cylinder_add(vertices=8, depth=4)
    body = bpy.context.object
    body.name = "Body"
    bpy.ops.object.armature_add()
    rig = bpy.context.object
    rig.name = "Rig"
    for one in (body, rig):
        bpy.context.scene.collection.objects.unlink(one)
        asset.objects.link(one)
    body.parent = rig
    body.modifiers.new("Skin", "ARMATURE").object = rig
    body.vertex_groups.new(name="Bone").add(range(len(body.data.vertices)), 1, "REPLACE")
    save(studio / "lib" / "asset.blend")
    empty()
    save(studio / "shot.blend")
    (linked,) = link(studio / "lib" / "asset.blend", "collections", "Asset")
    linked.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    mine = next(one for one in bpy.data.objects if one.name == "Rig" and one.override_library)
    mine.location = (10, 0, 0)
    mine.pose.bones[0].location = (0, 0, 5)
    bpy.context.view_layer.update()

    def box() -> Any:
        graph = bpy.context.evaluated_depsgraph_get()
        one = next(one for one in bpy.data.objects if one.name == "Body" and one.override_library)
        shown = one.evaluated_get(graph)
        positions = np.array([shown.matrix_world @ vertex.co for vertex in shown.data.vertices])
        return positions.min(axis=0)

    before = box()
    send(save(studio / "shot.blend"))
    np.testing.assert_allclose(box(), before, atol=1e-4)
    assert recorder.warnings == []


def test_a_cache_that_a_modifier_names_is_there(send: Any, recorder: Any, tmp_path: Path) -> None:
    import struct

    studio = tmp_path / "studio"
    studio.mkdir()
    empty()
    bpy.ops.mesh.primitive_plane_add()
    one = bpy.context.object
    places = [tuple(vertex.co) for vertex in one.data.vertices]
    with (studio / "lift.mdd").open("wb") as file:
        file.write(struct.pack(">2i2f", 2, len(places), 0, 1 / 24))
        for x, y, z in places * 2:
            file.write(struct.pack(">3f", x, y, z + 5))
    cache = one.modifiers.new("Cache", "MESH_CACHE")
    cache.cache_format, cache.filepath, cache.up_axis, cache.forward_axis = "MDD", "//lift.mdd", "POS_Z", "POS_Y"
    send(save(studio / "scene.blend"))
    graph = bpy.context.evaluated_depsgraph_get()
    shown = bpy.data.objects["Plane"].evaluated_get(graph)
    assert {round(vertex.co.z) for vertex in shown.data.vertices} == {5}
    assert recorder.warnings == []


def test_what_did_not_come_along_is_named_once_and_in_full_in_the_job(
    make_job: Any, recorder: Any, workspace: Path
) -> None:
    """As the file alone is sent, without its library and its textures."""
    make_asset(workspace.parent / "studio" / "parts.blend", "Part", (1, 0, 0), 4)
    empty()
    save(workspace / "scene.blend")
    for one in link(workspace.parent / "studio" / "parts.blend", "objects", "Part"):
        bpy.context.scene.collection.objects.link(one)
    for number in range(4):
        add_image(f"Paint {number}", f"//textures/{number}.png")
    add_image("Nobody", "")
    scene = save(workspace / "scene.blend")
    job = make_job()
    open_scene(job, scene, None)
    assert len(job.missing_files) == 5
    assert any("parts.blend (library “parts.blend”)" in one for one in job.missing_files)
    (warning,) = recorder.warnings
    assert warning.startswith(
        "5 files that the scene names did not come along: //../studio/parts.blend (library “parts"
    )
    assert warning.endswith(" and 2 more. What they hold is missing.")


def test_what_the_artist_knows_to_be_missing_is_not_told_again(send: Any, recorder: Any, tmp_path: Path) -> None:
    add_image("Gone", "//textures/gone.png")
    job = send(save(tmp_path / "studio" / "scene.blend"))
    assert job.missing_files == ["//textures/gone.png (image “Gone”)"]
    assert recorder.warnings == []


def test_an_empty_path_as_blender_stores_it_is_not_missing(send: Any, recorder: Any, tmp_path: Path) -> None:
    """Blender stores the empty path of a volume or a cache as the way to the root, `//../../`."""
    thing = bpy.data.objects.new("Smoke", bpy.data.volumes.new("Smoke"))
    body = bpy.data.objects.new("Body", bpy.data.meshes.new("Body"))
    body.modifiers.new("Cache", "MESH_CACHE")
    for one in (thing, body):
        bpy.context.scene.collection.objects.link(one)
    path = tmp_path / "studio" / "scene.blend"
    path.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    found = scene_files.collect(path)
    assert (found.files, found.missing) == ((), ())
    job = send(path)
    assert bpy.data.volumes["Smoke"].filepath.strip("./") == ""
    assert job.missing_files == []
    assert recorder.warnings == []


def test_files_beside_the_scene_are_used_without_a_list(make_job: Any, recorder: Any, workspace: Path) -> None:
    write_image(workspace / "textures" / "paint.png", size=16)
    add_image("Paint", "//textures/paint.png")
    job = make_job()
    open_scene(job, save(workspace / "scene.blend"), None)
    assert tuple(bpy.data.images["Paint"].size) == (16, 16)
    assert recorder.warnings == []


def test_a_scene_reads_nothing_from_outside_its_workspace(make_job: Any, recorder: Any, workspace: Path) -> None:
    secret = workspace.parent / "secret.png"
    write_image(secret)
    make_asset(workspace.parent / "secret" / "secret.blend", "Secret", (1, 0, 0), 4)
    empty()
    save(workspace / "scene.blend")
    add_image("Spy", str(secret))
    (workspace / "link.png").symlink_to(secret)
    add_image("Link", "//link.png")
    for one in link(workspace.parent / "secret" / "secret.blend", "objects", "Secret"):
        bpy.context.scene.collection.objects.link(one)
    job = make_job()
    open_scene(job, save(workspace / "scene.blend"), None)
    assert len(job.missing_files) == 3
    assert bpy.data.objects["Secret"].data is None
    for image in bpy.data.images:
        assert not Path(bpy.path.abspath(image.filepath)).exists()
    assert job.original_path(bpy.data.images["Spy"]) == str(secret)
    assert len(recorder.warnings) == 1


def test_a_list_that_points_out_of_the_workspace_is_not_followed(make_job: Any, recorder: Any, workspace: Path) -> None:
    write_image(workspace.parent / "other.png")
    add_image("Paint", "//paint.png")
    scene = save(workspace / "scene.blend")
    paths = workspace / "sendoff-paths.json"
    paths.write_text(json.dumps({"version": 2, "holders": {"scene.blend": {"//paint.png": "../other.png"}}}))
    open_scene(make_job(), scene, paths)
    assert not Path(bpy.path.abspath(bpy.data.images["Paint"].filepath)).exists()
    assert len(recorder.warnings) == 1


def test_a_second_blender_finds_the_same_paths(make_job: Any, tmp_path: Path, send: Any, workspace: Path) -> None:
    """The next Blender is tried where the first could not open the scene, whose paths are changed by then."""
    write_image(tmp_path / "studio" / "paint.png", size=8)
    add_image("Paint", "//paint.png")
    add_image("Gone", "//gone.png")
    send(save(tmp_path / "studio" / "scene.blend"))
    empty()
    job = make_job()
    open_scene(job, workspace / "scene.blend", workspace / "sendoff-paths.json")
    assert tuple(bpy.data.images["Paint"].size) == (8, 8)
    assert job.original_path(bpy.data.images["Paint"]) == "//paint.png"
    assert job.original_path(bpy.data.images["Gone"]) == "//gone.png"
    assert job.missing_files == ["//gone.png (image “Gone”)"]


@pytest.mark.skipif(bpy.app.version < (5, 0, 0), reason="Blender 5.0 is the first that packs linked data")
def test_linked_data_that_is_packed_finds_its_files(send: Any, recorder: Any, tmp_path: Path) -> None:
    studio = tmp_path / "studio"
    make_asset(studio / "lib" / "asset.blend", "Asset", (1, 0, 0), 8)
    empty()
    save(studio / "shot.blend")
    (one,) = link(studio / "lib" / "asset.blend", "objects", "Asset")
    bpy.context.scene.collection.objects.link(one)
    bpy.data.pack_linked_ids_hierarchy(one)
    job = send(save(studio / "shot.blend"))
    images = [image for image in bpy.data.images if image.name == "diffuse.png" and image.users]
    assert {tuple(image.size) for image in images} == {(8, 8)}
    assert {job.original_path(image) for image in images} == {"//lib/diffuse.png"}
    assert any(library.is_archive for library in bpy.data.libraries)
    assert recorder.warnings == []


def test_the_view_layer_on_screen_counts(make_job: Any, workspace: Path) -> None:
    bpy.context.scene.view_layers.new("Shot")
    for name, layer in zip(("First", "Second"), bpy.context.scene.view_layers, strict=True):
        collection = bpy.data.collections.new(name)
        bpy.context.scene.collection.children.link(collection)
        one = bpy.data.objects.new(name, bpy.data.meshes.new(name))
        one.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
        collection.objects.link(one)
        for other in bpy.context.scene.view_layers:
            other.layer_collection.children[name].exclude = other != layer
    bpy.context.window.view_layer = bpy.context.scene.view_layers["Shot"]
    scene = save(workspace / "scene.blend")
    empty()
    job = make_job()
    open_scene(job, scene, None)
    assert bpy.context.window.view_layer.name == "Shot"
    assert [place.name for place in View.of(job).places] == ["Second"]
    job.params["all_scenes"] = True
    bpy.data.scenes.new("Other")
    assert [place.name for place in View.of(job).places] == ["Second"]
    assert bpy.context.window.view_layer.name == "Shot"


def test_tiles_keep_their_token(send: Any, tmp_path: Path) -> None:
    write_image(tmp_path / "studio" / "skin.1001.png")
    image = add_image("Skin", "//skin.<UDIM>.png")
    image.source = "TILED"
    job = send(save(tmp_path / "studio" / "scene.blend"))
    assert Path(bpy.data.images["Skin"].filepath).name == "skin.<UDIM>.png"
    assert job.original_path(bpy.data.images["Skin"]) == "//skin.<UDIM>.png"


def test_a_name_that_is_not_utf_8_is_sent_and_known(send: Any, recorder: Any, tmp_path: Path) -> None:
    made = write_image(tmp_path / "studio" / "plain.png", size=16)
    made.rename(os.fsdecode(os.fsencode(tmp_path / "studio") + b"/caf\xe9.png"))
    add_image("Coffee", os.fsdecode(b"//caf\xe9.png"))
    job = send(save(tmp_path / "studio" / "scene.blend"))
    assert tuple(bpy.data.images["Coffee"].size) == (16, 16)
    assert os.fsencode(job.original_path(bpy.data.images["Coffee"])) == b"//caf\xe9.png"
    assert recorder.warnings == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1, "files": []}', '{"version": 2, "holders": {"a": 1}}', "[" * 100_000]
)
def test_a_list_that_cannot_be_read_is_one_sentence(make_job: Any, workspace: Path, text: str) -> None:
    path = workspace / "sendoff-paths.json"
    path.write_text(text)
    scene = save(workspace / "scene.blend")
    with pytest.raises(JobFailed, match=r"The list of the scene's external files cannot be read; update"):
        ExternalPaths.prepare(make_job(), scene, path, root=workspace)
