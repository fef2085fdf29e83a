"""Levels are of what the artist sees: which objects, at which places, of which shape."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from sendoff_inside.scene import open_scene

_spec = importlib.util.spec_from_file_location("lod_scenes", Path(__file__).with_name("lod_scenes.py"))
lod_scenes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lod_scenes)
ball, extent, seen = lod_scenes.ball, lod_scenes.extent, lod_scenes.seen


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


def test_keys_and_drivers_do_not_hide_what_is_wanted(make_levels: Any) -> None:
    keyed, driven, unrendered = ball("Keyed"), ball("Driven"), ball("Unrendered")
    for one in (keyed, unrendered):
        one.hide_viewport = True
        one.keyframe_insert("hide_viewport", frame=1)
    driven.driver_add("hide_viewport").driver.expression = "1"
    unrendered.hide_render = True
    unrendered.keyframe_insert("hide_render", frame=1)
    smooth = ball("Smooth", segments=8).modifiers.new("Smooth", "SUBSURF")
    smooth.levels, smooth.render_levels = 0, 2
    smooth.driver_add("levels").driver.expression = "0"
    bpy.context.scene.frame_set(1)
    summary, _ = make_levels(levels=1, objects="renderable", modifiers="render")
    triangles = {entry["object"]: entry["triangles"][0] for entry in summary["objects"]}
    assert set(triangles) == {"Keyed", "Driven", "Smooth"}
    assert triangles["Smooth"] == (16 * 4 + 16 * 3) * 4 * 2  # 16 faces of four sides and 16 of three, cut twice


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


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (("Rock", "Rock_LOD1", "rock.lod2"), {"Rock"}),
        (("RockLOD0", "RockLOD1"), {"RockLOD0"}),
        (("Me", "Melod1"), {"Me", "Melod1"}),
        (("Rock_LOD1", "Rock_LOD2"), {"Rock_LOD1"}),
        (("Rock_LOD", "Rock_LOD100"), {"Rock_LOD", "Rock_LOD100"}),
    ],
)
def test_a_former_level_is_known_by_its_name(
    make_levels: Any, recorder: Any, names: tuple[str, ...], taken: set[str]
) -> None:
    for name in names:
        ball(name, segments=4)
    summary, _ = make_levels(levels=1)
    assert {entry["object"] for entry in summary["objects"]} == taken


def test_a_collection_that_the_eye_hides_is_hidden_and_its_instances_are_not(make_levels: Any, recorder: Any) -> None:
    ball("Seen")
    outer, inner = bpy.data.collections.new("Outer"), bpy.data.collections.new("Inner")
    bpy.context.scene.collection.children.link(outer)
    outer.children.link(inner)
    for name, collection in (("In outer", outer), ("In inner", inner)):
        one = ball(name)
        bpy.context.scene.collection.objects.unlink(one)
        collection.objects.link(one)
    bpy.context.view_layer.layer_collection.children["Outer"].hide_viewport = True
    empty = bpy.data.objects.new("Instance", None)
    empty.instance_type, empty.instance_collection, empty.location.x = "COLLECTION", inner, 9
    bpy.context.scene.collection.objects.link(empty)
    summary, result = make_levels(levels=1)
    assert {entry["object"] for entry in summary["objects"]} == {"Seen", "In inner"}
    assert result.objects["In inner_LOD1"].matrix_world.translation.x == pytest.approx(9)
    assert recorder.warnings == ["Left alone: 1 hidden object."]


def test_places_with_one_shear_share_one_mesh(make_levels: Any) -> None:
    host = bpy.data.objects.new("Host", None)
    bpy.context.collection.objects.link(host)
    host.scale = (1, 1, 1.5)
    first = ball("Ball", segments=8)
    for number in range(12):
        one = first if not number else first.copy()
        if number:
            bpy.context.collection.objects.link(one)
        one.parent, one.rotation_euler = host, (0.4, 0.3, 0)
        one.location = (number * 7.3 + 1000, number * 0.37, -number)
    _, result = make_levels(levels=1)
    assert len(result.objects) == 12
    assert len({one.data for one in result.objects}) == 1


def test_a_volume_that_nodes_make_a_mesh_of_is_taken(make_levels: Any, recorder: Any) -> None:
    volume = bpy.data.objects.new("Cloud", bpy.data.volumes.new("Cloud"))
    bpy.context.collection.objects.link(volume)
    tree = bpy.data.node_groups.new("Cube", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    cube, end = tree.nodes.new("GeometryNodeMeshCube"), tree.nodes.new("NodeGroupOutput")
    tree.links.new(cube.outputs[0], end.inputs[0])
    volume.modifiers.new("Mesh", "NODES").node_group = tree
    summary, _ = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["Cloud"]
    assert recorder.warnings == []


def test_what_shows_only_instances_is_not_left_alone(make_levels: Any, recorder: Any) -> None:
    tree = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    given, made = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    wrapped = tree.nodes.new("GeometryNodeGeometryToInstance")
    tree.links.new(given.outputs[0], wrapped.inputs[0])
    tree.links.new(wrapped.outputs[0], made.inputs[0])
    ball("Scattered").modifiers.new("Nodes", "NODES").node_group = tree
    inner = bpy.data.collections.new("Inner")
    inner.objects.link(ball("Part"))
    bpy.context.scene.collection.objects.unlink(bpy.data.objects["Part"])
    one = bpy.data.objects.new("Instance", None)
    bpy.context.scene.collection.objects.link(one)
    one.instance_type, one.instance_collection = "COLLECTION", inner
    one.show_instancer_for_viewport = False
    summary, _ = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["Part", "Scattered_Instance"]
    assert recorder.warnings == []


def test_only_what_cuts_is_a_cutter(make_levels: Any, recorder: Any) -> None:
    """A joined part is seen, as is the operand of an object that is switched off; a bounds helper never is."""
    wall, off = ball("Wall"), ball("Off")
    off.hide_viewport = off.hide_render = True
    for host, name, operation in (
        (wall, "Part", "UNION"),
        (wall, "Cutter", "DIFFERENCE"),
        (wall, "Helper", "INTERSECT"),
        (off, "Free", "DIFFERENCE"),
    ):
        cut = host.modifiers.new(name, "BOOLEAN")
        cut.object, cut.operation = ball(name), operation
    bpy.data.objects["Helper"].hide_render = True
    summary, _ = make_levels(levels=1, ratio=0.9)
    assert {entry["object"] for entry in summary["objects"]} >= {"Part", "Free"}
    assert summary["left_alone"]["cutter"] == 2


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
    empty.parent = bpy.data.objects.new("Moved", None)
    bpy.context.scene.collection.objects.link(empty.parent)
    summary, result = make_levels(levels=1, instances="realise", ratio=0.95)
    assert [entry["object"] for entry in summary["objects"]] == ["Row"]
    assert summary["objects"][0]["triangles"][0] == 2 * (8 * 2 * 3)
    (level,) = result.objects
    assert level["sendoff_parent"] == "Moved"
    low, high = extent(level)
    assert low == pytest.approx([-4, -1, 4], abs=0.1)
    assert high == pytest.approx([4, 1, 6], abs=0.1)


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


def test_a_parent_whose_name_a_level_takes_over_is_named_as_the_artist_names_it(make_levels: Any) -> None:
    car, former = ball("Car"), bpy.data.objects.new("Car_LOD1", None)
    bpy.context.scene.collection.objects.link(former)
    car.parent = former
    _, result = make_levels(levels=1)
    assert result.objects["Car_LOD1"]["sendoff_parent"] == "Car_LOD1"


def test_the_levels_of_an_earlier_job_get_none(make_levels: Any) -> None:
    ball()
    make_levels(levels=1)
    ball("New")
    summary, collection = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["New"]
    assert summary["left_alone"] == {"level": 1}
    assert [one.name for one in collection.objects] == ["New_LOD1"]


def test_an_edited_armature_deforms_nothing_as_on_screen(make_job: Any, tmp_path: Path) -> None:
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones.new("Bone").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    held, skinned, child = ball("Held"), ball("Skinned"), ball("Child")
    held.parent, held.parent_type, held.parent_bone = rig, "BONE", "Bone"
    skinned.modifiers.new("Skin", "ARMATURE").object = rig
    child.parent, child.parent_type = rig, "ARMATURE"
    for one in (skinned, child):
        one.vertex_groups.new(name="Bone").add(range(len(one.data.vertices)), 1.0, "REPLACE")
    rig.pose.bones["Bone"].location.y = 4
    posed = seen()
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    on_screen = seen()
    assert on_screen != posed
    path = tmp_path / "rig.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    open_scene(make_job(), path, None)
    assert seen() == {name: [pytest.approx(box, abs=1e-4) for box in boxes] for name, boxes in on_screen.items()}
