"""The fidelity tool measures what it should: known numbers of small scenes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts" / "fidelity"))
from counts import counts_of
from levels import levels_among
from open_file import changes, look
from surfaces import Shown, distance_and_angle, what_is_shown


def cube(name: str = "Cube", **where: Any) -> Any:
    bpy.ops.mesh.primitive_cube_add(size=2, **where)
    one = bpy.context.object
    one.name = one.data.name = name
    return one


def shown(name: str) -> Shown:
    (found,) = [one for one in what_is_shown(bpy.context) if one.name == name]
    return found


def test_a_sheared_box_is_where_it_is() -> None:
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.scale = (1, 3, 1)
    one = cube()
    one.parent, one.rotation_euler.z = parent, np.pi / 4
    box = shown("Cube").box
    side = np.sqrt(2)
    np.testing.assert_allclose(box, [[-side, -3 * side, -1], [side, 3 * side, 1]], atol=1e-5)
    assert shown("Cube").parent == "Parent"


def test_instances_of_instances_have_their_places() -> None:
    inner = bpy.data.collections.new("Inner")
    inner.instance_offset = (1, 0, 0)
    one = cube()
    bpy.context.scene.collection.objects.unlink(one)
    inner.objects.link(one)
    outer = bpy.data.collections.new("Outer")
    scene = bpy.context.scene.collection
    for name, collection, holder, at in (("A", inner, outer, (0, 5, 0)), ("B", outer, scene, (7, 0, 0))):
        empty = bpy.data.objects.new(name, None)
        empty.instance_type, empty.instance_collection, empty.location = "COLLECTION", collection, at
        holder.objects.link(empty)
    found = shown("Cube")
    np.testing.assert_allclose(found.matrix[:3, 3], (6, 5, 0))
    assert found.instancer


def test_distance_and_angle_of_a_known_shift() -> None:
    cube()
    original = shown("Cube")
    assert distance_and_angle(original, original) == pytest.approx((0, 0), abs=1e-4)
    above = np.array(Matrix.Translation((0, 0, 4)))
    moved = Shown(name="M", library="", instancer="", matrix=above, surface=original.surface)
    distance, _ = distance_and_angle(moved, original) or (0, 0)
    # Of the six sides the top is 4 away, the bottom 2, the middles of the triangles of the others 2 2/3 and 3 1/3.
    assert distance == pytest.approx((4 + 2 + 4 * 3) / 6 / np.sqrt(12), rel=1e-3)
    turned = replace(original.surface, triangle_normals=-original.surface.triangle_normals)
    inside_out = Shown(name="I", library="", instancer="", matrix=np.eye(4), surface=turned)
    _, angle = distance_and_angle(inside_out, original) or (0, 0)
    assert angle == pytest.approx(180, abs=0.1)


def test_helpers_are_known() -> None:
    wall, cutter = cube("Wall"), cube("Cutter")
    wall.modifiers.new("Cut", "BOOLEAN").object = cutter
    cutter.display_type = "WIRE"
    cube("UCX_Wall")
    former = cube("Old")
    former["sendoff_source"], former["sendoff_level"] = "Wall", 1
    cube("Rock_LOD0")
    cube("Rock_LOD1")
    reasons = {one.name: one.is_left_alone for one in what_is_shown(bpy.context)}
    assert reasons == {
        "Wall": "", "Cutter": "cutter", "UCX_Wall": "hull", "Old": "former level", "Rock_LOD0": "",
        "Rock_LOD1": "former level",
    }  # fmt: skip
    (level,) = levels_among(bpy.data.objects)
    assert (level.source, level.number, level.shown.surface.triangles) == ("Wall", 1, 12)


def test_materials_that_nodes_set_are_those_that_show() -> None:
    one = cube()
    one.data.materials.append(bpy.data.materials.new("Own"))
    tree = bpy.data.node_groups.new("Paint", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    paint = tree.nodes.new("GeometryNodeSetMaterial")
    paint.inputs["Material"].default_value = bpy.data.materials.new("By nodes")
    tree.links.new(tree.nodes.new("NodeGroupInput").outputs[0], paint.inputs[0])
    tree.links.new(paint.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    one.modifiers.new("Paint", "NODES").node_group = tree
    assert shown("Cube").surface.used == ["By nodes"]


def test_each_change_of_the_open_file_is_told() -> None:
    one = cube()
    before = look(bpy.context)
    assert changes(before, look(bpy.context), by_import=False) == []
    one.location.x = 1
    bpy.data.materials.new("New")
    one.data.vertices[0].co.z = 9
    lines = changes(before, look(bpy.context), by_import=False)
    assert any("objects “Cube” changed: location" in line for line in lines)
    assert any("meshes “Cube” changed: positions" in line for line in lines)
    assert any("materials “New” is new" in line for line in lines)
    bpy.data.objects.remove(one)
    assert any("objects “Cube” is gone" in line for line in changes(before, look(bpy.context), by_import=True))


def test_an_import_may_add_levels_and_nothing_else() -> None:
    before = look(bpy.context)
    cube("Cube_LOD1")
    assert changes(before, look(bpy.context), by_import=True) == []
    bpy.data.images.new("Copy", 4, 4)
    assert changes(before, look(bpy.context), by_import=True) == ["open file: images “Copy” is new"]


def test_counts_of_a_known_mesh() -> None:
    mesh = bpy.data.meshes.new("Known")
    positions = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0.5, 2, 0), (0, 1, 0), (0, 0, 1), (9, 9, 9), (2, 0, 0)]
    mesh.from_pydata(positions, [(5, 0)], [(0, 1, 2, 3, 4), (0, 1, 7)])
    counts = counts_of(mesh)
    assert counts["ngons"] == (1, 1)
    assert counts["vertices without an edge"] == (1, 1)
    assert counts["edges without a face"] == (1, 1)
    assert counts["edges of an open border"] == (6, 6)
    assert counts["faces without area"] == (1, 1)
    assert counts["no UV map"] == (1, 1)
