from __future__ import annotations

import importlib.util
import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from sendoff_inside import mesh_lods
from sendoff_inside.mesh_arrays import Corners, border_edges, column, uv_seam_edges

_spec = importlib.util.spec_from_file_location("lod_scenes", Path(__file__).with_name("lod_scenes.py"))
lod_scenes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lod_scenes)
ball, grid, triangles = lod_scenes.ball, lod_scenes.grid, lod_scenes.triangles


@pytest.fixture
def make_levels(make_job: Any) -> Any:
    """Runs the task on the open scene; returns the summary and the collection of the saved result."""

    def make(**params: Any) -> tuple[dict[str, Any], Any]:
        job = make_job(**params)
        summary = mesh_lods.run(job)
        path = job.folder / "lods.blend"
        if path.is_file():
            bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
        return summary, bpy.data.collections.get("Sendoff LODs")

    return make


def test_every_level_has_its_ratio_of_the_one_before(make_levels: Any, recorder: Any) -> None:
    ball(segments=64)
    summary, collection = make_levels(levels=4, ratio=0.4)
    (entry,) = summary["objects"]
    for before, after in pairwise(entry["triangles"]):
        assert after == pytest.approx(before * 0.4, rel=0.05)
    assert entry["triangles"][1:] == [triangles(collection.objects[f"Ball_LOD{level}"].data) for level in (1, 2, 3, 4)]
    assert entry["faces"][0] == 64 * 32
    assert recorder.warnings == []
    assert recorder.of("progress")[-1]["fraction"] == 1.0


def test_levels_of_a_large_mesh_come_from_the_level_before(
    make_levels: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh_lods, "LARGE_TRIANGLES", 1000)
    grid()
    summary, collection = make_levels(levels=3)
    counts = summary["objects"][0]["triangles"]
    for before, after in pairwise(counts):
        assert after == pytest.approx(before * 0.5, rel=0.05)
    assert all(len(one.vertex_groups) == 0 for one in collection.objects)
    assert recorder.warnings == []


def test_levels_stand_where_the_object_stands_with_its_materials_and_its_name(make_levels: Any) -> None:
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.collection.objects.link(parent)
    parent.location = (5, 6, 7)
    one = ball()
    one.parent = parent
    one.rotation_euler, one.scale = (0.3, 0.2, 0.1), (1, 2, 3)
    one.data.materials.append(bpy.data.materials.new("Inside"))
    one.data.materials.append(bpy.data.materials.new("Other"))
    for polygon in one.data.polygons:
        polygon.material_index = int(polygon.center.z > 0)
    bpy.context.view_layer.update()
    matrix = one.matrix_world.copy()
    _, collection = make_levels(levels=1)
    (level,) = collection.objects
    np.testing.assert_allclose(np.array(level.matrix_basis), np.array(matrix), atol=1e-5)
    assert [material.name for material in level.data.materials] == ["Inside", "Other"]
    assert {polygon.material_index for polygon in level.data.polygons} == {0, 1}
    assert (level.name, level["sendoff_source"], level["sendoff_level"]) == ("Ball_LOD1", "Ball", 1)
    assert len(level.vertex_groups) == 0


def test_borders_and_uv_seams_are_held_as_asked(make_levels: Any) -> None:
    grid()
    _, collection = make_levels(levels=2)
    mesh = collection.objects["Grid_LOD2"].data
    corners = Corners.of(mesh)
    ends = column(mesh.edges, "vertices", np.int32, 2)
    positions = column(mesh.vertices, "co", np.float32, 3)
    border = positions[np.unique(ends[border_edges(mesh, corners)])]
    assert np.abs(np.abs(border[:, :2]).max(axis=1) - 1).max() < 0.01, "the border is still the square"
    seam = positions[np.unique(ends[uv_seam_edges(mesh, corners)])]
    assert len(seam) > 2
    assert np.abs(seam[:, 0]).max() < 0.02, "the seam is still at x = 0"


def test_uvs_fit_the_positions_as_before(make_levels: Any) -> None:
    grid()
    _, collection = make_levels(levels=2)
    mesh = collection.objects["Grid_LOD2"].data
    uv = column(mesh.uv_layers[0].uv, "vector", np.float32, 2)
    positions = column(mesh.vertices, "co", np.float32, 3)[column(mesh.loops, "vertex_index", np.int32)]
    right = np.repeat(column(mesh.polygons, "center", np.float32, 3)[:, 0] > 0, 3)
    expected = np.column_stack([positions[:, 0] * 0.4 + np.where(right, 0.6, 0.4), positions[:, 1] * 0.5 + 0.5])
    assert np.abs(uv - expected).mean() < 0.005
    assert np.quantile(np.abs(uv - expected), 0.99) < 0.05


def test_modifiers_are_applied(make_levels: Any) -> None:
    one = ball(segments=8)
    one.modifiers.new("Smooth", "SUBSURF").levels = 3
    hidden = one.modifiers.new("Off", "ARRAY")
    hidden.show_viewport = False
    summary, _ = make_levels(levels=1)
    start = summary["objects"][0]["triangles"][0]
    assert start == summary["objects"][0]["faces"][0] * 2
    assert start > 3000


def test_objects_that_share_a_mesh_share_its_levels(make_levels: Any) -> None:
    first = ball("Wheel")
    for index in range(3):
        other = first.copy()
        other.name = f"Wheel {index}"
        other.location.x = index + 2
        bpy.context.collection.objects.link(other)
        other.modifiers.new("Smooth", "SUBSURF")
    summary, collection = make_levels(levels=2)
    assert len(summary["objects"]) == 4
    assert len(collection.objects) == 8
    smooth = {collection.objects[f"Wheel {index}_LOD1"].data for index in range(3)}
    assert len(smooth) == 1, "the same modifiers give the same mesh"
    assert collection.objects["Wheel_LOD1"].data not in smooth
    assert len(bpy.data.meshes) == 4


def test_an_objects_own_materials_stay_its_own(make_levels: Any) -> None:
    one = ball("A")
    one.data.materials.append(bpy.data.materials.new("Red"))
    other = one.copy()
    other.name = "B"
    bpy.context.collection.objects.link(other)
    other.material_slots[0].link = "OBJECT"
    other.material_slots[0].material = bpy.data.materials.new("Blue")
    _, collection = make_levels(levels=1)
    shown = {one.name: one.material_slots[0].material.name for one in collection.objects}
    assert shown == {"A_LOD1": "Red", "B_LOD1": "Blue"}


def hide_some() -> None:
    """An object that is seen, and others that are hidden in each way that Blender has."""
    ball("Seen")
    hidden, excluded, unrendered, eye = ball("Hidden"), ball("Excluded"), ball("Unrendered"), ball("Eye")
    hidden.hide_viewport = hidden.hide_render = True
    unrendered.hide_render = True
    eye.hide_set(True)
    excluded.modifiers.new("Smooth", "SUBSURF")
    collection = bpy.data.collections.new("Off")
    bpy.context.scene.collection.children.link(collection)
    collection.objects.link(excluded)
    bpy.context.scene.collection.objects.unlink(excluded)
    bpy.context.view_layer.layer_collection.children["Off"].exclude = True
    excluded.location.z = 4
    elsewhere = ball("Elsewhere")
    bpy.context.scene.collection.objects.unlink(elsewhere)
    bpy.data.scenes.new("Second").collection.objects.link(elsewhere)


@pytest.mark.parametrize(
    ("params", "expected", "line"),
    [
        ({}, {"Seen", "Unrendered"}, "Left alone: 3 hidden objects, 1 object of another scene."),
        ({"objects": "renderable"}, {"Seen", "Eye"}, "Left alone: 3 hidden objects, 1 object of another scene."),
        (
            {"objects": "all"},
            {"Seen", "Unrendered", "Eye", "Hidden", "Excluded"},
            "Left alone: 1 object of another scene.",
        ),
        ({"all_scenes": True}, {"Seen", "Unrendered", "Elsewhere"}, "Left alone: 3 hidden objects."),
    ],
)
def test_what_is_taken_is_what_is_seen_unless_the_artist_wants_more(
    make_levels: Any, recorder: Any, params: dict[str, Any], expected: set[str], line: str
) -> None:
    hide_some()
    summary, _ = make_levels(levels=1, **params)
    assert {entry["object"] for entry in summary["objects"]} == expected
    assert recorder.warnings == [line]


def test_an_excluded_object_is_evaluated_at_its_place_if_it_is_wanted(make_levels: Any) -> None:
    hide_some()
    summary, result = make_levels(levels=1, objects="all")
    by_name = {entry["object"]: entry for entry in summary["objects"]}
    assert by_name["Excluded"]["triangles"][0] > by_name["Hidden"]["triangles"][0], "its modifier was evaluated"
    assert result.objects["Excluded_LOD1"].matrix_basis.translation.z == pytest.approx(4)


def test_levels_of_another_scene_are_in_a_collection_of_their_own(make_levels: Any) -> None:
    hide_some()
    make_levels(levels=1, all_scenes=True)
    by_scene = {one["sendoff_scene"]: sorted(each.name for each in one.objects) for one in bpy.data.collections}
    assert by_scene == {"Scene": ["Seen_LOD1", "Unrendered_LOD1"], "Second": ["Elsewhere_LOD1"]}


def test_levels_of_a_background_are_in_the_scene_that_it_is(make_levels: Any) -> None:
    ball("Front")
    stage = bpy.data.scenes.new("Stage")
    back = ball("Back")
    bpy.context.scene.collection.objects.unlink(back)
    stage.collection.objects.link(back)
    bpy.context.scene.background_set = stage
    make_levels(levels=1)
    by_scene = {one["sendoff_scene"]: sorted(each.name for each in one.objects) for one in bpy.data.collections}
    assert by_scene == {"Scene": ["Front_LOD1"], "Stage": ["Back_LOD1"]}


def test_what_is_part_of_the_making_is_left_alone(make_levels: Any, recorder: Any) -> None:
    wall, cutter = ball("Wall"), ball("Cutter")
    cut = wall.modifiers.new("Cut", "BOOLEAN")
    cut.object, cutter.location = cutter, (0.5, 0, 0)
    helper = ball("Helper")
    helper.display_type = "WIRE"
    ball("UCX_Wall_01")
    ball("WGT-rig_hand")
    ball("Rock_LOD0")
    ball("Rock_LOD1")
    ball("Rock_LOD2.001")
    ball("Statue_LOD3")
    summary, result = make_levels(levels=1)
    assert {entry["object"] for entry in summary["objects"]} == {"Wall", "Rock_LOD0", "Statue_LOD3"}
    assert sorted(one.name for one in result.objects) == ["Rock_LOD1", "Statue_LOD3_LOD1", "Wall_LOD1"]
    assert result.objects["Rock_LOD1"]["sendoff_source"] == "Rock_LOD0"
    line = (
        "Left alone: 1 boolean cutter, 1 object displayed as wire or bounds, 1 rig widget, 1 collision hull, "
        "2 former levels of detail."
    )
    assert recorder.warnings == [line]
    assert summary["left_alone"] == {"cutter": 1, "wire": 1, "widget": 1, "hull": 1, "level": 2}


def test_an_instanced_collection_has_levels_once_and_a_level_at_each_place(make_levels: Any) -> None:
    one = ball("Lamp")
    one.location.x = 1
    lamps = bpy.data.collections.new("Lamps")
    lamps.objects.link(one)
    bpy.context.scene.collection.objects.unlink(one)
    outer = bpy.data.collections.new("Outer")
    for z in (3, 8):
        empty = bpy.data.objects.new(f"Instance {z}", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", lamps
        empty.location.z = z
        (bpy.context.scene.collection if z == 3 else outer).objects.link(empty)
    nested = bpy.data.objects.new("Nested", None)
    nested.instance_type, nested.instance_collection, nested.location.x = "COLLECTION", outer, 20
    bpy.context.scene.collection.objects.link(nested)
    summary, result = make_levels(levels=1)
    assert [(entry["object"], entry["places"]) for entry in summary["objects"]] == [("Lamp", 2)]
    places = sorted((round(at.x), round(at.z)) for at in (one.matrix_world.translation for one in result.objects))
    assert places == [(1, 3), (21, 8)]
    assert len({one.data for one in result.objects}) == 1
    assert {one["sendoff_parent"] for one in result.objects} == {"Instance 3", "Nested"}


def test_realised_instances_are_one_mesh_of_their_instancer(make_levels: Any) -> None:
    lamps = bpy.data.collections.new("Lamps")
    for name in ("A", "B"):
        one = ball(name, segments=8)
        one.location.x = 3 if name == "A" else -3
        lamps.objects.link(one)
        bpy.context.scene.collection.objects.unlink(one)
    empty = bpy.data.objects.new("Row", None)
    empty.instance_type, empty.instance_collection, empty.location.z = "COLLECTION", lamps, 5
    bpy.context.scene.collection.objects.link(empty)
    summary, result = make_levels(levels=1, instances="realise", ratio=0.95)
    assert [entry["object"] for entry in summary["objects"]] == ["Row"]
    assert summary["objects"][0]["triangles"][0] == 2 * (8 * 2 * 3)
    (level,) = result.objects
    low, high = extent(level)
    assert low == pytest.approx([-4, -1, 4], abs=0.1)
    assert high == pytest.approx([4, 1, 6], abs=0.1)


def extent(one: Any) -> tuple[Any, Any]:
    """The least and the greatest corner of an object's vertices in the world."""
    positions = column(one.data.vertices, "co", np.float32, 3).astype(np.float64)
    matrix = np.array(one.matrix_world, dtype=np.float64)
    world = positions @ matrix[:3, :3].T + matrix[:3, 3]
    return world.min(axis=0), world.max(axis=0)


def seen() -> dict[str, list[Any]]:
    """By the name of the original, the corners in the world of each place where it is seen."""
    graph = bpy.context.evaluated_depsgraph_get()
    found: dict[str, list[Any]] = {}
    for instance in graph.object_instances:
        if instance.object.type == "MESH" and len(instance.object.data.polygons):
            positions = column(instance.object.data.vertices, "co", np.float32, 3).astype(np.float64)
            matrix = np.array(instance.matrix_world, dtype=np.float64)
            world = positions @ matrix[:3, :3].T + matrix[:3, 3]
            found.setdefault(instance.object.original.name, []).append([*world.min(axis=0), *world.max(axis=0)])
    return found


def test_a_sheared_place_is_held_exactly(make_levels: Any) -> None:
    parent = bpy.data.objects.new("Stretch", None)
    bpy.context.collection.objects.link(parent)
    parent.scale = (1, 3, 1)
    mesh = bpy.data.meshes.new("Tetra")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 2, 0), (0, 0, 3)], [], [(0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)])
    one = bpy.data.objects.new("Tetra", mesh)
    bpy.context.collection.objects.link(one)
    one.parent, one.rotation_euler, one.location = parent, (0.3, 0, 0.7854), (2, 1, 0)
    one.scale = (-1, 2, 1)
    bpy.context.view_layer.update()
    before = seen()["Tetra"][0]
    _, result = make_levels(levels=1, ratio=0.95)
    low, high = extent(result.objects["Tetra_LOD1"])
    assert [*low, *high] == pytest.approx(before, abs=1e-4)


def scatter(ground: Any, *, with_ground: bool) -> None:
    """Geometry nodes that put a cone on each vertex of an object."""
    tree = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    start, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    cone, on_points = tree.nodes.new("GeometryNodeMeshCone"), tree.nodes.new("GeometryNodeInstanceOnPoints")
    join = tree.nodes.new("GeometryNodeJoinGeometry")
    tree.links.new(start.outputs[0], on_points.inputs["Points"])
    tree.links.new(cone.outputs["Mesh"], on_points.inputs["Instance"])
    tree.links.new(on_points.outputs[0], join.inputs[0])
    if with_ground:
        tree.links.new(start.outputs[0], join.inputs[0])
    tree.links.new(join.outputs[0], end.inputs[0])
    ground.modifiers.new("Scatter", "NODES").node_group = tree


@pytest.mark.parametrize("with_ground", [False, True])
def test_instances_of_geometry_nodes_get_their_levels(make_levels: Any, with_ground: bool) -> None:
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=2, y_subdivisions=2, size=8)
    ground = bpy.context.object
    ground.name = "Ground"
    ground.location.z = 7
    scatter(ground, with_ground=with_ground)
    before = sorted(seen()["Ground"])
    summary, result = make_levels(levels=1, ratio=0.95)
    cones = [one for one in result.objects if one.name.startswith("Ground_Instance")]
    assert len(cones) == 9
    assert len({one.data for one in cones}) == 1
    assert {one["sendoff_source"] for one in result.objects} == {"Ground"}
    assert len(result.objects) == 9 + with_ground
    after = sorted([*low, *high] for low, high in map(extent, result.objects))
    np.testing.assert_allclose(after, before, atol=0.05)
    assert {entry["object"]: entry.get("places", 1) for entry in summary["objects"]}["Ground_Instance"] == 9


def test_everything_with_a_surface_gets_levels(make_levels: Any, recorder: Any) -> None:
    text = bpy.data.objects.new("Sign", bpy.data.curves.new("Sign", "FONT"))
    text.data.body, text.data.extrude = "SIGN", 0.1
    bpy.context.collection.objects.link(text)
    bpy.ops.object.metaball_add(location=(5, 0, 0))
    bpy.ops.surface.primitive_nurbs_surface_sphere_add(location=(9, 0, 0))
    bpy.ops.curve.primitive_bezier_circle_add(location=(13, 0, 0))
    bpy.context.object.data.bevel_depth = 0.1
    bpy.ops.curve.primitive_bezier_circle_add()
    bpy.context.object.name = "Only a path"
    bpy.ops.mesh.primitive_plane_add(location=(0, 30, 0))
    plane = bpy.context.object
    bpy.ops.mesh.primitive_cone_add(location=(0, 30, 0))
    bpy.context.object.parent, plane.instance_type = plane, "VERTS"
    bpy.context.view_layer.update()
    before = seen()
    summary, result = make_levels(levels=1, ratio=0.95)
    assert {entry["object"] for entry in summary["objects"]} == set(before)
    assert "Only a path" not in before
    for name, places in before.items():
        levels = [one for one in result.objects if one["sendoff_source"] == name]
        after = sorted([*low, *high] for low, high in map(extent, levels))
        np.testing.assert_allclose(after, sorted(places), atol=0.15, err_msg=name)
    assert recorder.warnings == []


def test_what_has_no_faces_is_named_by_count(make_levels: Any, recorder: Any) -> None:
    ball()
    for name in ("Fur", "More fur"):
        hair = bpy.data.objects.new(name, bpy.data.hair_curves.new(name))
        bpy.context.collection.objects.link(hair)
    bpy.context.collection.objects.link(bpy.data.objects.new("Smoke", bpy.data.volumes.new("Smoke")))
    make_levels(levels=1)
    assert recorder.warnings == [
        "Not taken, since they have no faces: 2 hair objects (“Fur”, “More fur”), 1 volume (“Smoke”)."
    ]


def test_the_scenes_own_settings_count(make_levels: Any) -> None:
    """Simplify, the render levels of modifiers, and custom properties."""
    bpy.ops.mesh.primitive_cube_add()
    one = bpy.context.object
    one["engine_id"], one.data["lightmap"] = 7, "big"
    smooth = one.modifiers.new("Smooth", "SUBSURF")
    smooth.levels, smooth.render_levels = 4, 2
    bpy.context.scene.render.use_simplify = True
    bpy.context.scene.render.simplify_subdivision, bpy.context.scene.render.simplify_subdivision_render = 1, 6
    summary, result = make_levels(levels=1)
    assert summary["objects"][0]["triangles"][0] == 6 * 4 * 2
    level = result.objects["Cube_LOD1"]
    assert (level["engine_id"], level.data["lightmap"]) == (7, "big")


def test_render_levels_count_if_they_are_asked_for(make_levels: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    smooth = bpy.context.object.modifiers.new("Smooth", "SUBSURF")
    smooth.levels, smooth.render_levels = 0, 3
    off = bpy.context.object.modifiers.new("Twice", "ARRAY")
    off.show_render = False
    summary, _ = make_levels(levels=1, modifiers="render")
    assert summary["objects"][0]["triangles"][0] == 6 * 4**3 * 2


def test_a_level_follows_the_parent_of_its_original(make_levels: Any) -> None:
    parent = bpy.data.objects.new("Stretch", None)
    bpy.context.collection.objects.link(parent)
    parent.scale, parent.location = (1, 3, 1), (4, 5, 6)
    bpy.ops.object.armature_add()
    rig = bpy.context.object
    rig.pose.bones[0].location.y = 2
    on_object, on_bone = ball("On object"), ball("On bone")
    on_object.parent, on_object.location.x = parent, 2
    on_bone.parent, on_bone.parent_type, on_bone.parent_bone = rig, "BONE", rig.pose.bones[0].name
    bpy.context.view_layer.update()
    spaces = {"On object": parent.matrix_world.copy(), "On bone": Matrix.Translation((0, 0, 3))}
    _, result = make_levels(levels=1)
    for name, space in spaces.items():
        level = result.objects[f"{name}_LOD1"]
        inverse = np.array(level["sendoff_parent_inverse"]).reshape(4, 4)
        np.testing.assert_allclose((inverse @ np.array(space))[:3, 3], (0, 0, 0), atol=1e-5, err_msg=name)
    assert result.objects["On bone_LOD1"]["sendoff_parent_bone"] == "Bone"
    assert result.objects["On object_LOD1"]["sendoff_parent"] == "Stretch"


def test_own_normals_are_carried_over(make_levels: Any) -> None:
    one = grid(bumps=0.0)
    one.data.normals_split_custom_set([(0.0, 0.6, 0.8)] * len(one.data.loops))
    _, result = make_levels(levels=2)
    for level in result.objects:
        normals = column(level.data.corner_normals, "vector", np.float32, 3)
        assert level.data.has_custom_normals
        assert (normals @ (0.0, 0.6, 0.8)).min() > 0.99


def test_own_normals_keep_hard_edges(make_levels: Any) -> None:
    """A cylinder whose sides are round and whose caps are flat, by its own normals alone."""
    bpy.ops.mesh.primitive_cylinder_add(vertices=64, end_fill_type="TRIFAN")
    mesh = bpy.context.object.data
    normals = []
    for polygon in mesh.polygons:
        for corner in polygon.loop_indices:
            at = mesh.vertices[mesh.loops[corner].vertex_index].co
            normals.append(polygon.normal.copy() if abs(polygon.normal.z) > 0.5 else at.xy.to_3d().normalized())
    mesh.normals_split_custom_set(normals)
    _, result = make_levels(levels=1)
    level = result.objects[0].data
    shown = column(level.corner_normals, "vector", np.float32, 3)
    up = np.abs(shown[:, 2])
    assert np.minimum(up, 1 - up).max() < 0.05, "each corner's normal is flat or round, none is in between"
    is_cap = np.repeat(np.abs(column(level.polygons, "normal", np.float32, 3)[:, 2]) > 0.5, 3)
    assert (is_cap == (up > 0.5)).all()


def test_no_path_of_the_worker_is_in_the_result(make_job: Any, tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    ball()
    work = tmp_path / "work folder of a job"
    work.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(work / "scene.blend"))
    job = make_job(levels=1)
    mesh_lods.run(job)
    packed = (job.folder / "lods.blend").read_bytes()
    plain = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read()
    assert plain.startswith(b"BLENDER")
    assert str(tmp_path).encode() not in plain


def test_what_cannot_be_done_is_told_and_the_rest_is_done(make_levels: Any, recorder: Any) -> None:
    ball("Good")
    bpy.context.collection.objects.link(bpy.data.objects.new("Empty mesh", bpy.data.meshes.new("Empty mesh")))
    points = bpy.data.meshes.new("Points")
    points.from_pydata([(0, 0, 0), (1, 0, 0)], [(0, 1)], [])
    bpy.context.collection.objects.link(bpy.data.objects.new("Points", points))
    bad = ball("Not a number")
    bad.data.vertices[3].co.x = float("nan")
    bpy.ops.object.light_add()
    bpy.ops.curve.primitive_bezier_circle_add()
    summary, _ = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["Good"]
    assert {entry["object"]: entry["reason"] for entry in summary["skipped"]} == {
        "Not a number": "has vertices whose positions are not numbers",
    }
    assert recorder.warnings == [
        "Left alone: 2 objects without faces.",
        "“Not a number” has vertices whose positions are not numbers; it is left out.",
    ]


def test_an_error_on_one_object_leaves_the_others(
    make_levels: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ball("Bad")
    ball("Good")
    real = mesh_lods.triangle_count
    monkeypatch.setattr(mesh_lods, "triangle_count", lambda mesh: 1 // 0 if mesh.name.startswith("Bad") else real(mesh))
    summary, _ = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["Good"]
    assert recorder.warnings == ["“Bad” could not be processed (ZeroDivisionError); it is left out."]


def test_a_scene_without_meshes_ends_well_and_says_so(make_levels: Any, recorder: Any) -> None:
    bpy.ops.object.light_add()
    summary, _ = make_levels()
    assert summary == {"objects": [], "skipped": []}
    assert recorder.warnings == ["The scene has no mesh objects to make levels of detail of."]
    assert recorder.of("file") == []


def test_shape_keys_are_baked_and_told(make_levels: Any, recorder: Any) -> None:
    one = ball()
    one.shape_key_add(name="Basis")
    key = one.shape_key_add(name="Up")
    for point in key.data:
        point.co.z += 10
    key.value = 1.0
    _, collection = make_levels(levels=1)
    mesh = collection.objects["Ball_LOD1"].data
    assert column(mesh.vertices, "co", np.float32, 3)[:, 2].min() > 8
    assert mesh.shape_keys is None
    assert recorder.warnings == ["“Ball” has shape keys: its levels hold their present mix, without the keys."]


def test_a_box_stays_a_body_and_the_shortfall_is_told(make_levels: Any, recorder: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    summary, _ = make_levels(levels=3)
    assert summary["objects"][0]["triangles"] == [12, 6, 4, 4]
    (warning,) = recorder.warnings
    assert warning.startswith("“Cube” keeps 4 triangles at LOD 3 instead of 2")


def test_the_shortfall_of_meshes_that_are_alike_is_told_of_each(make_levels: Any, recorder: Any) -> None:
    for x in (0, 5):
        bpy.ops.mesh.primitive_cube_add(location=(x, 0, 0))
    make_levels(levels=3)
    assert [warning.partition(" keeps")[0] for warning in recorder.warnings] == ["“Cube”", "“Cube.001”"]


def test_crowded_edges_do_not_stop_the_collapse(make_levels: Any, recorder: Any) -> None:
    first, second, third = grid("A"), grid("B", bumps=0.05), grid("C", bumps=0.2)
    second.rotation_euler.x = third.rotation_euler.y = 1.57079632679
    for one in (first, second, third):
        one.select_set(True)
    bpy.context.view_layer.objects.active = first
    bpy.ops.object.join()
    bpy.ops.object.duplicate()
    for one in (first, bpy.context.object):
        one.select_set(True)
    bpy.context.view_layer.objects.active = first
    bpy.ops.object.join()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.remove_doubles(threshold=1e-4)
    bpy.ops.object.mode_set(mode="OBJECT")
    summary, _ = make_levels(levels=3)
    counts = summary["objects"][0]["triangles"]
    for before, after in pairwise(counts):
        assert after <= before * 0.52
    assert recorder.warnings == []


def test_the_levels_of_an_earlier_job_get_none(make_levels: Any) -> None:
    ball()
    make_levels(levels=1)
    ball("New")
    summary, collection = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["New"]
    assert summary["left_alone"] == {"level": 1}
    assert [one.name for one in collection.objects] == ["New_LOD1"]


def test_names_that_are_taken_or_long_stay_recognisable(make_levels: Any) -> None:
    ball("Body")
    ball("Body_LOD1")
    ball("L" * 63)
    _, collection = make_levels(levels=1)
    names = {one.name for one in collection.objects}
    assert "Body_LOD1" in names
    assert len(names) == 2
    assert all("_LOD1" in name for name in names)


def test_linked_objects_are_done_and_the_result_stands_alone(make_levels: Any, tmp_path: Path) -> None:
    one = ball("Bolt")
    one.data.materials.append(bpy.data.materials.new("Steel"))
    library = tmp_path / "bolts.blend"
    bpy.data.libraries.write(str(library), {one})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.objects = ["Bolt"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    ball("Bolt")
    summary, collection = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["Bolt", "Bolt"]
    assert len(collection.objects) == 2
    assert {material.name for material in bpy.data.materials} == {"Steel"}
    assert len(bpy.data.libraries) == 0


def test_multiresolution_is_evaluated(make_levels: Any) -> None:
    one = ball(segments=16)
    one.modifiers.new("Sculpt", "MULTIRES")
    bpy.context.view_layer.objects.active = one
    for _ in range(2):
        bpy.ops.object.multires_subdivide(modifier="Sculpt", mode="CATMULL_CLARK")
    summary, _ = make_levels(levels=1)
    assert summary["objects"][0]["triangles"][0] > 16 * 7 * 2 * 15


def test_glb_holds_the_levels_only(make_job: Any, recorder: Any) -> None:
    ball()
    job = make_job(levels=2, formats=["glb", "blend"])
    mesh_lods.run(job)
    assert [Path(file["path"]).name for file in recorder.of("file")] == ["lods.glb", "lods.blend"]
    data = (job.folder / "lods.glb").read_bytes()
    assert data[:4] == b"glTF"
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    assert sorted(node["name"] for node in document["nodes"]) == ["Ball_LOD1", "Ball_LOD2"]
    assert document["nodes"][0]["extras"]["sendoff_source"] == "Ball"


def test_many_warnings_of_a_kind_become_one(make_levels: Any, recorder: Any) -> None:
    for index in range(25):
        bad = ball(f"Bad {index}", segments=4)
        bad.data.vertices[0].co.x = float("nan")
    summary, _ = make_levels()
    assert len(summary["skipped"]) == 25
    assert len(recorder.warnings) == 11
    assert recorder.warnings[-1] == "15 more objects are left out."
