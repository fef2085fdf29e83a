"""The fidelity tool measures what it should: known numbers of small scenes."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts" / "fidelity"))
import usd_stage
from counts import counts_of
from formats import judge_groups
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


def usd_scene(path: Path) -> Any:
    """A sphere, a mesh of two materials, and an instancer in an instancer; the prototypes' holder is invisible."""
    usd_stage.expose_pxr()
    from pxr import Gf, Usd, UsdGeom, UsdShade

    stage = Usd.Stage.CreateNew(str(path))
    ball = UsdGeom.Sphere.Define(stage, "/Ball")
    ball.CreateRadiusAttr(2.0)
    UsdGeom.Xformable(ball).AddTranslateOp().Set(Gf.Vec3d(5, 0, 0))
    UsdGeom.Scope.Define(stage, "/Parts").CreateVisibilityAttr("invisible")
    for path_of_mesh in ("/Sheet", "/Parts/Leaf", "/Parts/Inner/Own"):
        sheet = UsdGeom.Mesh.Define(stage, path_of_mesh)
        sheet.CreatePointsAttr([Gf.Vec3f(*point) for point in ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0))])
        sheet.CreateFaceVertexCountsAttr([3, 3])
        sheet.CreateFaceVertexIndicesAttr([0, 1, 2, 0, 2, 3])
    red, blue = (UsdShade.Material.Define(stage, f"/{name}") for name in ("Red", "Blue"))
    binding = UsdShade.MaterialBindingAPI.Apply(stage.GetPrimAtPath("/Sheet"))
    binding.Bind(red)
    subset = binding.CreateMaterialBindSubset("some", [1])
    UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(blue)
    for name, target, count in (("/Parts/Inner", "/Parts/Inner/Own", 2), ("/Outer", "/Parts/Inner", 3)):
        instancer = UsdGeom.PointInstancer.Define(stage, name)
        instancer.CreatePrototypesRel().SetTargets([target])
        instancer.CreateProtoIndicesAttr([0] * count)
        instancer.CreatePositionsAttr([Gf.Vec3f(number, 0, 0) for number in range(count)])
    return stage


def test_of_usd_what_shows_is_known(tmp_path: Path) -> None:
    stage = usd_scene(tmp_path / "scene.usda")
    found = usd_stage.what_is_shown(stage)
    assert Counter(one.name for one in found) == {"/Ball": 1, "/Sheet": 1, "/Parts/Inner/Own": 6}
    by_name = {one.name: one for one in found}
    assert by_name["/Sheet"].surface.used == ["Blue", "Red"]
    assert not by_name["/Ball"].is_tessellated
    np.testing.assert_allclose(by_name["/Ball"].box, [[3, -2, -2], [7, 2, 2]], atol=0.02)


def test_a_group_for_an_engine_begins_with_the_original() -> None:
    group = bpy.data.objects.new("Rock", None)
    bpy.context.scene.collection.objects.link(group)
    for level in (0, 1, 2):
        one = cube(f"Rock_LOD{level}")
        one.parent, one["sendoff_source"], one["sendoff_level"] = group, "Rock", level
    levels = levels_among(bpy.data.objects, with_originals=True)
    assert judge_groups(levels) == []
    assert judge_groups([one for one in levels if one.number]) == ["the group “Rock” holds ['Rock_LOD1', 'Rock_LOD2']"]
    assert [one.number for one in levels_among(bpy.data.objects)] == [1, 2]
    for level in range(3):  # as Blender's FBX importer cuts names
        bpy.data.objects[f"Rock_LOD{level}"].name = f"{'N' * 55}_29b6a5{level}"
    assert judge_groups(levels_among(bpy.data.objects, with_originals=True)) == []
