"""What a scene uses of its libraries, as the SDK reads it, against what Blender loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import pytest
from sendoff_sdk import blend_links

CODES = {
    "ACTION": "AC", "ARMATURE": "AR", "COLLECTION": "GR", "CURVE": "CU", "IMAGE": "IM", "KEY": "KE", "LATTICE": "LT",
    "MATERIAL": "MA", "MESH": "ME", "NODETREE": "NT", "OBJECT": "OB", "TEXTURE": "TE", "WORLD": "WO", "FONT": "VF",
    "PARTICLE": "PA", "SCENE": "SC", "VOLUME": "VO", "CAMERA": "CA", "LIGHT": "LA",
}  # fmt: skip


def add(data: Any, name: str) -> Any:
    one = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(one)
    return one


def save(path: Path, *, compress: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), relative_remap=False, compress=compress)
    return path


def empty() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def image(name: str) -> Any:
    made = bpy.data.images.new(name, 1, 1)
    made.source, made.filepath, made.use_fake_user = "FILE", f"//{name}.png", True
    return made


def material(name: str, *, through_group: bool = False) -> Any:
    made = bpy.data.materials.new(name)
    made.use_fake_user = True
    if made.node_tree is None:
        made.use_nodes = True
    tree = made.node_tree
    if through_group:
        tree = bpy.data.node_groups.new(f"{name} group", "ShaderNodeTree")
        made.node_tree.nodes.new("ShaderNodeGroup").node_tree = tree
    tree.nodes.new("ShaderNodeTexImage").image = image(f"{name} image")
    return made


def mesh(name: str) -> Any:
    made = bpy.data.meshes.new(name)
    made.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    return made


def make_library(path: Path, *, compress: bool) -> None:
    """An asset that needs others in many ways, and things that nothing needs."""
    empty()
    asset = add(mesh("Asset mesh"), "Asset")
    asset.data.materials.append(material("Skin"))
    asset.data.materials.append(material("Cloth", through_group=True))
    asset.shape_key_add(name="Basis")
    rig = add(bpy.data.armatures.new("Rig bones"), "Rig")
    asset.parent = rig
    asset.modifiers.new("armature", "ARMATURE").object = rig
    cutter = add(mesh("Cutter mesh"), "Cutter")
    cutter.data.materials.append(material("Steel"))
    asset.modifiers.new("cut", "BOOLEAN").object = cutter
    displace = asset.modifiers.new("displace", "DISPLACE")
    displace.texture = bpy.data.textures.new("Bumps", "IMAGE")
    displace.texture.image = image("Bumps image")
    props = bpy.data.collections.new("Props")
    prop = bpy.data.objects.new("Prop", mesh("Prop mesh"))
    prop.data.materials.append(material("Wood"))
    props.objects.link(prop)
    carrier = add(None, "Carrier")
    carrier.instance_type, carrier.instance_collection = "COLLECTION", props
    group = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    group.nodes.new("GeometryNodeObjectInfo").inputs["Object"].default_value = carrier
    asset.modifiers.new("scatter", "NODES").node_group = group
    asset["keeps"] = add(bpy.data.curves.new("Path curve", "CURVE"), "Path")
    driver = asset.driver_add("location", 0).driver.variables.new()
    driver.targets[0].id = add(None, "Driver")
    other = add(mesh("Other mesh"), "Other")
    other.data.materials.append(material("Unused"))
    save(path, compress=compress)


def link(path: Path, name: str) -> None:
    with bpy.data.libraries.load(str(path), link=True, relative=True) as (_, wanted):
        wanted.objects = [name]
    bpy.context.scene.collection.objects.link(wanted.objects[0])


def loaded(path: Path) -> set[str]:
    """What Blender has loaded from a library."""
    found = set()
    for one in bpy.data.user_map():
        if one.library is not None and Path(bpy.path.abspath(one.library.filepath)).samefile(path):
            found.add(CODES[one.id_type] + one.name)
    return found


@pytest.mark.parametrize("compress", [False, True])
def test_a_library_when_an_asset_is_linked_then_all_that_blender_loads_is_used_and_no_more(
    tmp_path: Path, compress: bool
) -> None:
    library = tmp_path / "lib/asset.blend"
    make_library(library, compress=compress)
    empty()
    save(tmp_path / "shot.blend")
    link(library, "Asset")
    scene = save(tmp_path / "shot.blend")
    bpy.ops.wm.open_mainfile(filepath=str(scene))
    used = blend_links.used_of_libraries(scene, tmp_path)[str(library.resolve())].names
    assert used is not None
    assert used >= loaded(library)
    assert {"IMSkin image", "IMCloth image", "IMSteel image", "IMBumps image", "IMWood image"} <= used
    assert not any("Unused" in name or "Other" in name for name in used)


def test_a_library_of_a_library_when_reached_twice_then_both_uses_count(tmp_path: Path) -> None:
    deep, middle = tmp_path / "deep.blend", tmp_path / "middle.blend"
    make_library(deep, compress=False)
    empty()
    save(middle)
    link(deep, "Cutter")
    holder = add(None, "Holder")
    holder["keeps"] = bpy.data.objects["Cutter"]
    lone = add(None, "Lone")
    lone["keeps"] = bpy.data.objects["Cutter"]
    save(middle)
    empty()
    save(tmp_path / "shot.blend")
    link(middle, "Holder")
    link(deep, "Prop")
    scene = save(tmp_path / "shot.blend")
    found = blend_links.used_of_libraries(scene, tmp_path)
    assert found[str(middle.resolve())].names == {"OBHolder"}
    assert found[str(middle.resolve())].libraries == {"//deep.blend"}
    names = found[str(deep.resolve())].names
    assert names is not None
    assert {"IMSteel image", "IMWood image"} <= names
    assert "IMSkin image" not in names
