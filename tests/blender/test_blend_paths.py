"""What the SDK reads out of a .blend, against what Blender itself knows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import pytest
from sendoff_sdk import blend_paths, scene_files

IMPORTERS = ("OBJ", "PLY", "STL", "CSV", "VDB", "Text")


def save_png(path: Path) -> Path:
    image = bpy.data.images.new("made", 4, 4)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def save(path: Path, *, compress: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), relative_remap=False, compress=compress)
    return path


def empty() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def add_object() -> Any:
    bpy.ops.mesh.primitive_cube_add()
    return bpy.context.object


def add_material() -> Any:
    material = bpy.data.materials.new("Paint")
    material.use_fake_user = True
    if material.node_tree is None:
        material.use_nodes = True
    return material.node_tree.nodes


def add_image(path: str, source: str = "FILE") -> Any:
    image = bpy.data.images.new(Path(path).name, 1, 1)
    image.source = source
    image.filepath = path
    image.use_fake_user = True
    return image


def make_library(path: Path) -> None:
    empty()
    asset = add_object()
    asset.name = "Asset"
    nodes = add_material()
    nodes.new("ShaderNodeTexImage").image = add_image("//wood.png")
    asset.data.materials.append(bpy.data.materials["Paint"])
    add_image("//nobody.png")
    save(path)


def link(path: Path, name: str) -> None:
    with bpy.data.libraries.load(str(path), link=True, relative=True) as (_, wanted):
        wanted.objects = [name]
    bpy.context.scene.collection.objects.link(wanted.objects[0])


def add_group_with_file_input() -> Any:
    group = bpy.data.node_groups.new("Import", "GeometryNodeTree")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    socket = group.interface.new_socket("File", in_out="INPUT", socket_type="NodeSocketString")
    for importer in IMPORTERS if bpy.app.version >= (4, 5) else ():
        node = group.nodes.new(f"GeometryNodeImport{importer}")
        node.inputs[0].default_value = f"//import.{importer}"
    return group, socket.identifier


def set_input(modifier: Any, identifier: str, value: str) -> None:
    if bpy.app.version >= (5, 2):
        getattr(modifier.properties.inputs, identifier).value = value
    else:
        modifier[identifier] = value


def build(folder: Path) -> None:
    """A scene with a path of every kind."""
    make_library(folder / "lib/asset.blend")
    empty()
    save(folder / "shot.blend")
    link(folder / "lib/asset.blend", "Asset")
    cube = add_object()
    cube.modifiers.new("cache", "MESH_CACHE").filepath = "//lift.mdd"
    cube.modifiers.new("ocean", "OCEAN").filepath = "//ocean/"
    nodes = add_material()
    add_image("//tex/a.png")
    add_image("//tex/t.<UDIM>.png", "TILED")
    add_image(str(folder / "tex/abs.png"))
    nodes.new("ShaderNodeTexImage").image = add_image("//tex/s.0001.png", "SEQUENCE")
    for kind, mode, path in (("TexIES", "EXTERNAL", "//lamp.ies"), ("Script", "EXTERNAL", "//shade.osl")):
        node = nodes.new(f"ShaderNode{kind}")
        node.mode, node.filepath = mode, path
    volume = bpy.data.volumes.new("Smoke")
    volume.filepath, volume.use_fake_user = "//smoke_0001.vdb", True
    group, identifier = add_group_with_file_input()
    modifier = cube.modifiers.new("nodes", "NODES")
    modifier.node_group = group
    modifier.bake_directory = "//baked/nodes"
    set_input(modifier, identifier, "//input.obj")
    editor = bpy.context.scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_image("Plates", "//plates/p_01.png", 1, 1)
    strip.elements.append("p_02.png")


#: What Blender does not list among the paths of a file, though it reads it; inputs of nodes are listed from 5.0.
UNLISTED = {"//baked/nodes", "//input.obj"}
IMPORTED = {f"//import.{importer}" for importer in IMPORTERS}


def as_blender_lists(fields: list[Any]) -> set[str]:
    """The paths that were read, each file of a strip by itself."""
    found = set()
    for one in fields:
        if not one.is_packed and one.kind != "global":
            folder = one.path.rpartition("/")[0]
            found |= {one.path, *(f"{folder}/{name}" for name in one.names)}
    return found


@pytest.mark.parametrize("compress", [False, True])
def test_a_scene_with_paths_of_every_kind_when_read_then_blender_knows_the_same(tmp_path: Path, compress: bool) -> None:
    build(tmp_path)
    scene = save(tmp_path / "shot.blend", compress=compress)
    listed = set(bpy.utils.blend_paths(absolute=False, packed=False, local=True)) - {""}
    found = as_blender_lists(blend_paths.read_paths(scene))
    assert found - UNLISTED - IMPORTED == listed - IMPORTED
    assert found >= UNLISTED
    assert bpy.app.version < (4, 5) or found >= IMPORTED


def test_a_scene_when_its_paths_are_rewritten_then_blender_has_the_new_ones(tmp_path: Path) -> None:
    build(tmp_path)
    scene = save(tmp_path / "shot.blend")
    blend_paths.rewrite_paths(
        scene, lambda one: None if one.kind == "library" else f"//n/{one.path.replace('//', '').replace('/', '')[-5:]}"
    )
    bpy.ops.wm.open_mainfile(filepath=str(scene))
    listed = set(bpy.utils.blend_paths(absolute=False, packed=False, local=True)) - {""}
    assert {"//n/t.mdd", "//n/a.png", "//n/p.ies", "//n/e.osl", "//n/1.vdb", "//n/1.png", "//n/p_02.png"} <= listed
    assert not any("tex" in path or "plates" in path for path in listed)
    modifier = bpy.data.objects["Cube"].modifiers["nodes"]
    assert modifier.bake_directory == "//n/nodes"
    if bpy.app.version < (5, 2):
        assert next(value for key, value in modifier.items() if key.startswith("Socket")) == "//n/t.obj"


def test_what_is_packed_when_read_then_it_is_not_sent(tmp_path: Path) -> None:
    empty()
    image = bpy.data.images.load(str(save_png(tmp_path / "in.png")))
    image.use_fake_user = True
    image.pack()
    bpy.data.texts.load(str(scene_files.__file__))
    scene = save(tmp_path / "shot.blend")
    assert {one.kind for one in blend_paths.read_paths(scene) if not one.is_packed} <= {"global"}
    assert scene_files.collect(scene).files == ()


def test_a_sequence_when_two_nodes_use_it_then_only_their_frames_are_sent(tmp_path: Path) -> None:
    empty()
    for frame in range(30):
        save_png(tmp_path / f"s.{frame:04d}.png")
    nodes = add_material()
    image = add_image("//s.0002.png", "SEQUENCE")
    for kind, count, offset in (("ShaderNodeTexImage", 2, 10), ("ShaderNodeTexEnvironment", 1, 20)):
        node = nodes.new(kind)
        node.image = image
        node.image_user.frame_duration, node.image_user.frame_offset = count, offset
    found = scene_files.collect(save(tmp_path / "shot.blend"))
    assert sorted(int(file.source.stem[2:]) for file in found.files) == [2, 10, 11, 12, 20, 21]


def test_libraries_of_libraries_when_collected_then_all_come_along(tmp_path: Path) -> None:
    for name in "xy":
        make_library(tmp_path / name / "asset.blend")
        save_png(tmp_path / name / "wood.png")
    empty()
    save(tmp_path / "mid.blend")
    link(tmp_path / "x/asset.blend", "Asset")
    save(tmp_path / "mid.blend")
    empty()
    save(tmp_path / "shot.blend")
    link(tmp_path / "y/asset.blend", "Asset")
    with bpy.data.libraries.load(str(tmp_path / "mid.blend"), link=True, relative=True) as (there, wanted):
        wanted.scenes = there.scenes
    found = scene_files.collect(save(tmp_path / "shot.blend"))
    assert sorted(file.source.relative_to(tmp_path).as_posix() for file in found.files) == [
        "mid.blend", "x/asset.blend", "x/wood.png", "y/asset.blend", "y/wood.png",
    ]  # fmt: skip
    assert found.missing == ()
    assert set(map(tuple, found.paths["unused"].values())) == {("//nobody.png",)}
