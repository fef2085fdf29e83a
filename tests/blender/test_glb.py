"""A .glb holds all levels, those of one source bound by MSFT_lod, and is glTF as the specification has it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import bpy
import pytest
from mathutils import Matrix
from sendoff_inside.contents import Part
from sendoff_inside.glb_result import write_glb

COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
SIZES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}


def read_glb(path: Path) -> dict[str, Any]:
    """The JSON of a .glb, after checking the file's structure by the specification's chapter on binaries."""
    content = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    json_length, json_kind = struct.unpack_from("<II", content, 12)
    assert (json_kind, json_length % 4) == (0x4E4F534A, 0)
    document = json.loads(content[20 : 20 + json_length])
    binary_length, binary_kind = struct.unpack_from("<II", content, 20 + json_length)
    assert (binary_kind, binary_length % 4) == (0x004E4942, 0)
    assert 28 + json_length + binary_length == len(content)
    assert document["asset"]["version"] == "2.0"
    assert document["buffers"][0]["byteLength"] <= binary_length
    check(document)
    return document


def check(document: dict[str, Any]) -> None:
    """Every index leads to something, every accessor lies in its view, and every extension is announced."""
    for view in document["bufferViews"]:
        end = view.get("byteOffset", 0) + view["byteLength"]
        assert end <= document["buffers"][view["buffer"]]["byteLength"]
    for accessor in document["accessors"]:
        size = COMPONENTS[accessor["type"]] * SIZES[accessor["componentType"]] * accessor["count"]
        view = document["bufferViews"][accessor["bufferView"]]
        assert accessor.get("byteOffset", 0) + size <= view["byteLength"]
    for mesh in document["meshes"]:
        for primitive in mesh["primitives"]:
            counts = {document["accessors"][number]["count"] for number in primitive["attributes"].values()}
            assert len(counts) == 1
            assert primitive.get("material", 0) < max(1, len(document.get("materials", [])))
    nodes = document["nodes"]
    used = {name for node in nodes for name in node.get("extensions", {})}
    used |= {name for material in document.get("materials", []) for name in material.get("extensions", {})}
    assert used <= set(document.get("extensionsUsed", []))
    assert len(set(document.get("extensionsUsed", []))) == len(document.get("extensionsUsed", []))
    roots = document["scenes"][document.get("scene", 0)]["nodes"]
    children = [child for node in nodes for child in node.get("children", [])]
    for numbers in (roots, children):
        assert len(set(numbers)) == len(numbers)
        assert all(0 <= number < len(nodes) for number in numbers)
    for node in nodes:
        assert node.get("mesh", 0) < len(document["meshes"])
        ids = node.get("extensions", {}).get("MSFT_lod", {}).get("ids", [])
        assert all(0 <= number < len(nodes) and nodes[number] is not node for number in ids)
        if ids:
            coverage = node["extras"]["MSFT_screencoverage"]
            assert len(coverage) == len(ids) + 1
            assert coverage == sorted(coverage, reverse=True)
            assert all(0.0 <= part <= 1.0 for part in coverage)


def ball(name: str, *, segments: int) -> Any:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=segments, ring_count=max(3, segments // 2))
    bpy.context.object.name = bpy.context.object.data.name = name
    return bpy.context.object


def levels(
    count: int, name: str = "Ball", *, matrix: Matrix | None = None, meshes: Any = None
) -> list[tuple[Any, Part]]:
    """Levels as a job makes them."""
    found = []
    for level in range(1, count + 1):
        if meshes is None:
            one = ball(f"{name}_LOD{level}", segments=32 >> level)
        else:
            one = bpy.data.objects.new(f"{name}_LOD{level}", meshes[level - 1])
            bpy.context.scene.collection.objects.link(one)
        one.matrix_world = matrix or Matrix.Identity(4)
        one["sendoff_source"], one["sendoff_level"] = name, level
        found.append((one, Part(name=f"{name}_LOD{level}", path="", source=name, kind="lod", level=level)))
    bpy.context.view_layer.update()
    return found


def write(path: Path, parts: list[tuple[Any, Part]]) -> dict[str, Any]:
    write_glb(path, bpy.context.scene, parts)
    return read_glb(path)


def test_the_finest_level_lists_the_coarser_ones(tmp_path: Path) -> None:
    document = write(tmp_path / "lods.glb", levels(3))
    names = [node["name"] for node in document["nodes"]]
    (root,) = document["scenes"][0]["nodes"]
    finest = document["nodes"][root]
    assert finest["name"] == "Ball_LOD1"
    assert [names[number] for number in finest["extensions"]["MSFT_lod"]["ids"]] == ["Ball_LOD2", "Ball_LOD3"]
    assert document["extensionsUsed"].count("MSFT_lod") == 1
    assert "MSFT_lod" not in document.get("extensionsRequired", [])


def test_each_instance_lists_the_levels_at_its_own_place_and_shares_their_meshes(tmp_path: Path) -> None:
    first = levels(2)
    meshes = [one.data for one, _ in first]
    second = levels(2, matrix=Matrix.Translation((5, 0, 0)), meshes=meshes)
    document = write(tmp_path / "lods.glb", [*first, *second])
    nodes = document["nodes"]
    roots = [nodes[number] for number in document["scenes"][0]["nodes"]]
    assert len(roots) == 2
    for root in roots:
        (number,) = root["extensions"]["MSFT_lod"]["ids"]
        assert nodes[number].get("translation") == root.get("translation")
    assert len(document["meshes"]) == 2


def test_a_single_level_needs_no_extension(tmp_path: Path) -> None:
    document = write(tmp_path / "lods.glb", levels(1))
    assert "MSFT_lod" not in document.get("extensionsUsed", [])
    assert len(document["scenes"][0]["nodes"]) == 1


def test_blender_reads_it_with_all_levels(tmp_path: Path) -> None:
    write(tmp_path / "lods.glb", levels(3, name="aβカ😂 “q”"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "lods.glb"))
    names = {one.name for one in bpy.data.objects if one.type == "MESH"}
    assert names == {f"aβカ😂 “q”_LOD{level}" for level in (1, 2, 3)}


def test_custom_properties_are_the_artists_own_and_what_the_level_is(tmp_path: Path) -> None:
    ((one, part),) = levels(1)
    one["weight"], one["tag"] = 2.5, "hero"
    one["sendoff_parent"], one["sendoff_parent_inverse"] = "Rig", [1.0] * 16
    one.data["sendoff_turned"] = True
    bpy.context.scene["sendoff_scene"] = "Scene"
    material = bpy.data.materials.new("Paint")
    material["sendoff_path"] = "/mtl/Paint"
    one.data.materials.append(material)
    document = write(tmp_path / "lods.glb", [(one, part)])
    assert document["nodes"][0]["extras"] == {
        "weight": 2.5,
        "tag": "hero",
        "sendoff_source": "Ball",
        "sendoff_level": 1,
    }
    assert "extras" not in document["scenes"][0]
    assert "extras" not in document["materials"][0]


def test_all_uv_maps_and_colours_are_there(tmp_path: Path) -> None:
    ((one, part),) = levels(1)
    one.data.uv_layers.new(name="Light Map")
    one.data.color_attributes.new("Paint", "BYTE_COLOR", "CORNER")
    one.data.color_attributes.new("Dirt", "FLOAT_COLOR", "POINT")
    document = write(tmp_path / "lods.glb", [(one, part)])
    (mesh,) = document["meshes"]
    assert {"TEXCOORD_0", "TEXCOORD_1", "COLOR_0", "COLOR_1"} <= set(mesh["primitives"][0]["attributes"])
    assert mesh["extras"]["uv_names"] == ["UVMap", "Light Map"]


@pytest.mark.parametrize("is_packed", [False, True])
def test_textures_are_embedded_and_no_path_is_told(tmp_path: Path, *, is_packed: bool) -> None:
    image = bpy.data.images.new("paint", 8, 8)
    image.filepath_raw, image.file_format = str(tmp_path / "paint.png"), "PNG"
    image.save()
    if is_packed:
        image.pack()
    material = bpy.data.materials.new("Paint")
    if bpy.app.version < (5, 0, 0):  # from then on all have nodes
        material.use_nodes = True
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    ((one, part),) = levels(1)
    one.data.materials.append(material)
    document = write(tmp_path / "lods.glb", [(one, part)])
    (embedded,) = document["images"]
    assert "uri" not in embedded
    assert tmp_path.name.encode() not in (tmp_path / "lods.glb").read_bytes()
