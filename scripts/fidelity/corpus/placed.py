"""Places: shear, parents, bones, mirrored objects, instances of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix, Vector

from .making import (
    add,
    ball,
    collection_of,
    empty_file,
    instance_of,
    kind,
    link,
    material,
    mesh_of,
    save,
    sheet,
    tree,
    use_tree,
)


@kind()
def sheared(folder: Path) -> None:
    """Turned objects below parents that are scaled in one direction, two deep."""
    stretched = add("Stretched", None)
    stretched.scale = (1, 3, 1)
    one = ball("Sheared", at=(2, 0, 0))
    one.parent, one.rotation_euler = stretched, (0.3, 0.2, 0.8)
    inner = add("Inner", None, at=(0, 1, 0))
    inner.parent, inner.scale, inner.rotation_euler = one, (2, 0.5, 1), (0, 0.7, 0)
    two = ball("Sheared twice", at=(0, 0, 2))
    two.parent, two.rotation_euler = inner, (0.5, 0.1, 0.4)
    offset = ball("Inverse", at=(6, 0, 0))
    offset.parent, offset.matrix_parent_inverse = (
        stretched,
        Matrix.Rotation(0.5, 4, "Y") @ Matrix.Translation((0, 1, 0)),
    )
    save(folder / "sheared.blend")


@kind()
def parents(folder: Path) -> None:
    """Levels of moving things have their parents; custom properties of objects and meshes go along."""
    mover = add("Mover", None)
    for frame, x in ((1, 0.0), (20, 5.0)):
        mover.location.x = x
        mover.keyframe_insert("location", frame=frame)
    child = ball("Child", at=(0, 2, 0))
    child.parent = mover
    child["studio_id"], child["weights"], child["note"] = 7, [0.5, 0.25, 0.125], "hero"
    child.data["texel density"] = 512.0
    of_mesh = ball("Of a mesh", at=(0, 0, 3))
    of_mesh.parent = child
    rig = add("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("Hand")
    bone.head, bone.tail = (0, 0, 1), (0, 1, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.scale = (1, 2, 1)
    rig.pose.bones["Hand"].rotation_mode = "XYZ"
    rig.pose.bones["Hand"].rotation_euler = (0.4, 0.3, 0.6)
    held = ball("Held", at=(0, 0.5, 0))
    held.parent, held.parent_type, held.parent_bone = rig, "BONE", "Hand"
    bpy.context.scene.frame_set(10)
    save(folder / "parents.blend")


@kind()
def mirrored(folder: Path) -> None:
    """Negative scales, materials that an object has for itself, delta transforms, names of 63 bytes."""
    red, blue = material("Red"), material("Blue", colour=(0.1, 0.2, 0.9))
    one = ball("Mirrored", material=red)
    one.scale = (-1, 1, 1)
    two = ball("N" * 63, at=(4, 0, 0), material=red)
    two.scale, two.rotation_euler = (-2, -0.5, -1), (0.5, 0.5, 0.5)
    two.material_slots[0].link, two.material_slots[0].material = "OBJECT", blue
    three = ball("Delta", at=(8, 0, 0), material=red)
    three.delta_location, three.delta_scale, three.delta_rotation_euler = (0, 1, 0), (1, -2, 1), (0, 0, 0.5)
    save(folder / "mirrored.blend")


@kind()
def modifiers(folder: Path) -> None:
    """A stack of modifiers, two UV layers, colours, custom normals, several materials."""
    rich = sheet("Rich", cells=24)
    mesh = rich.data
    mesh.uv_layers.new(name="Lightmap")
    for name, type_, domain in (("Paint", "BYTE_COLOR", "CORNER"), ("Wind", "FLOAT_COLOR", "POINT")):
        layer = mesh.color_attributes.new(name, type_, domain)
        layer.data.foreach_set("color", [0.3, 0.6, 0.9, 1.0] * len(layer.data))
    for name in ("Inside", "Outside", "Edge"):
        mesh.materials.append(material(name))
    for polygon in mesh.polygons:
        polygon.material_index = int(polygon.center.x > 0) + int(polygon.center.y > 0.8)
        polygon.use_smooth = True
    normals = [Vector((vertex.co.x * 0.3, vertex.co.y * 0.3, 1)).normalized() for vertex in mesh.vertices]
    mesh.normals_split_custom_set_from_vertices(normals)
    stacked = ball("Stacked", at=(4, 0, 0), segments=12, material=bpy.data.materials["Inside"])
    mirror = stacked.modifiers.new("Mirror", "MIRROR")
    mirror.mirror_object = add("Mirror here", None, at=(6, 0, 0))
    array = stacked.modifiers.new("Array", "ARRAY")
    array.count, array.relative_offset_displace = 3, (0, 1.5, 0)
    smooth = stacked.modifiers.new("Smooth", "SUBSURF")
    smooth.levels = 1
    shell = sheet("Shell", cells=10, at=(0, 4, 0))
    shell.modifiers.new("Thick", "SOLIDIFY").thickness = 0.2
    off = shell.modifiers.new("Off", "ARRAY")
    off.show_viewport = False
    save(folder / "modifiers.blend")


@kind()
def nested_collections(folder: Path) -> None:
    """Collections that instance collections, with offsets, turned and scaled; members with parents."""
    scene = bpy.context.scene
    lamp, shade = ball("Lamp", at=(1, 0, 0)), ball("Shade", at=(0, 0, 1), segments=12)
    shade.parent = lamp
    lamps = collection_of("Lamps", lamp, shade)
    lamps.instance_offset = (1, 0, 0)
    first, second = instance_of(lamps, "Lamp A", at=(0, 3, 0)), instance_of(lamps, "Lamp B", at=(5, 0, 0))
    second.rotation_euler, second.scale = (0, 0, 1.0), (1, 2, 1)
    rows = collection_of("Rows", first, second, ball("Pole", at=(0, 0, 4), segments=12))
    rows.instance_offset = (0, 0, 1)
    for index in range(3):
        row = instance_of(rows, f"Row {index}", at=(0, 0, 10.0 * index))
        row.rotation_euler.x = 0.3 * index
    collection_of("Also here", ball("Local", at=(-5, 0, 0), segments=12), scene=scene)
    save(folder / "nested_collections.blend")


@kind()
def library_of_library(folder: Path) -> None:
    """A collection of a library, which instances a collection of that library's library."""
    external = folder / "external"
    (external / "deep").mkdir(parents=True)
    collection_of("Bolts", ball("Bolt", at=(0, 0, 1), material=material("Steel")), scene=bpy.context.scene)
    save(external / "deep" / "asset.blend")
    empty_file()
    save(external / "asset.blend")
    (bolts,) = link(external / "deep" / "asset.blend", "collections", ["Bolts"])
    inner = instance_of(bolts, "Bolts here", at=(0, 10, 0))
    inner.rotation_euler.z = 0.7
    collection_of("Plate", inner, ball("Sheet", segments=12), scene=bpy.context.scene)
    save(external / "asset.blend")
    empty_file()
    save(folder / "library_of_library.blend")
    (plate,) = link(external / "asset.blend", "collections", ["Plate"])
    instance_of(plate, "Plate A", at=(3, 0, 0))
    instance_of(plate, "Plate B", at=(0, 0, 5)).scale = (1, 1, 2)
    save(folder / "library_of_library.blend")


@kind()
def instancer_elsewhere(folder: Path) -> None:
    """Several scenes: objects and instancers of one that is not on screen, and one object in both."""
    shown = bpy.context.scene
    other = bpy.data.scenes.new("Backup")
    ball("Here", at=(0, 0, 0))
    both = ball("In both", at=(3, 0, 0))
    other.collection.objects.link(both)
    hidden = add("Only in backup", both.data.copy(), at=(50, 0, 0), collection=other.collection)
    pin = ball("Pin", at=(0, 0, 1), segments=12)
    pins = collection_of("Pins", pin)
    instance_of(pins, "Pins elsewhere", at=(20, 20, 0), collection=other.collection)
    instance_of(pins, "Pins here", at=(0, 5, 0), collection=shown.collection)
    hidden.hide_render = False
    shown.name = "Shown"
    save(folder / "instancer_elsewhere.blend")


@kind()
def instancing(folder: Path) -> None:
    """Vertex and face instancing, and particles."""
    on_points = sheet("On points", cells=2)
    leaf = ball("Leaf", segments=8)
    leaf.parent, on_points.instance_type = on_points, "VERTS"
    on_faces = sheet("On faces", cells=2, at=(6, 0, 0))
    petal = ball("Petal", segments=8)
    petal.scale = (0.2, 0.2, 0.2)
    petal.parent, on_faces.instance_type = on_faces, "FACES"
    on_faces.use_instance_faces_scale, on_faces.show_instancer_for_viewport = True, False
    field = sheet("Field", cells=4, at=(0, 8, 0))
    stone = ball("Stone", segments=8, at=(0, 20, 0))
    field.modifiers.new("Stones", "PARTICLE_SYSTEM")
    settings = field.particle_systems[0].settings
    settings.type, settings.count, settings.frame_end, settings.physics_type = "EMITTER", 12, 1, "NO"
    settings.render_type, settings.instance_object, settings.particle_size = "OBJECT", stone, 0.2
    bpy.context.scene.frame_set(2)
    save(folder / "instancing.blend")


@kind()
def scattered(folder: Path) -> None:
    """Geometry nodes that give only instances, a mesh and instances, and instances of instances."""
    rock = ball("Rock", segments=10, at=(0, -8, 0), material=material("Stone"))
    only, into, out = tree("Only instances")
    points, shape = only.nodes.new("GeometryNodeInstanceOnPoints"), only.nodes.new("GeometryNodeMeshIcoSphere")
    shape.inputs["Subdivisions"].default_value = 2
    turn = only.nodes.new("FunctionNodeInputVector")
    turn.vector = (0.3, 0.2, 0.5)
    only.links.new(turn.outputs[0], points.inputs["Rotation"])
    points.inputs["Scale"].default_value = (0.2, 0.3, 0.2)
    only.links.new(into.outputs[0], points.inputs["Points"])
    only.links.new(shape.outputs["Mesh"], points.inputs["Instance"])
    only.links.new(points.outputs[0], out.inputs[0])
    use_tree(sheet("Scatter", cells=4), only)
    mixed = scatter_of("Mixed", rock, keeps_ground=True)
    use_tree(sheet("Ground", cells=6, at=(5, 0, 0)), mixed)
    nested, into, out = tree("Nested")
    group, again = nested.nodes.new("GeometryNodeGroup"), nested.nodes.new("GeometryNodeInstanceOnPoints")
    group.node_tree = scatter_of("Inner", rock, keeps_ground=False)
    again.inputs["Scale"].default_value = (0.4, 0.4, 0.8)
    nested.links.new(into.outputs[0], group.inputs[0])
    nested.links.new(into.outputs[0], again.inputs["Points"])
    nested.links.new(group.outputs[0], again.inputs["Instance"])
    nested.links.new(again.outputs[0], out.inputs[0])
    far = sheet("Far", cells=2, at=(0, 9, 0))
    far.scale = (1, 2, 1)
    use_tree(far, nested)
    save(folder / "scattered.blend")


def scatter_of(name: str, what: Any, *, keeps_ground: bool) -> Any:
    """A tree that puts instances of an object on the points of its ground."""
    made, into, out = tree(name)
    points, info = made.nodes.new("GeometryNodeInstanceOnPoints"), made.nodes.new("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value = what
    info.inputs["As Instance"].default_value = True
    points.inputs["Scale"].default_value = (0.1, 0.1, 0.2)
    made.links.new(into.outputs[0], points.inputs["Points"])
    made.links.new(info.outputs["Geometry"], points.inputs["Instance"])
    if keeps_ground:
        join = made.nodes.new("GeometryNodeJoinGeometry")
        made.links.new(points.outputs[0], join.inputs[0])
        made.links.new(into.outputs[0], join.inputs[0])
        made.links.new(join.outputs[0], out.inputs[0])
    else:
        made.links.new(points.outputs[0], out.inputs[0])
    return made


@kind()
def other_surfaces(folder: Path) -> None:
    """Curves, texts, metaballs and NURBS surfaces."""
    paint = material("Paint")
    bpy.ops.curve.primitive_bezier_circle_add()
    bpy.context.object.data.bevel_depth = 0.1
    bpy.context.object.data.materials.append(paint)
    bpy.ops.object.text_add(location=(3, 0, 0))
    bpy.context.object.data.body, bpy.context.object.data.extrude = "Send", 0.1
    for x in (7.0, 7.6):
        bpy.ops.object.metaball_add(location=(x, 0, 0))
    bpy.ops.surface.primitive_nurbs_surface_torus_add(location=(11, 0, 0))
    ball("And a mesh", at=(0, 4, 0))
    line = bpy.data.curves.new("Line without surface", "CURVE")
    line.splines.new("POLY").points.add(1)
    add("Line", line)
    save(folder / "other_surfaces.blend")


@kind()
def node_layers(folder: Path) -> None:
    """Geometry nodes that set materials, store a UV layer and colours, and realise their instances."""
    made, into, out = tree("Layers")
    paint = made.nodes.new("GeometryNodeSetMaterial")
    paint.inputs["Material"].default_value = material("By nodes", colour=(0, 1, 0))
    upper, place = made.nodes.new("FunctionNodeCompare"), made.nodes.new("GeometryNodeInputPosition")
    apart = made.nodes.new("ShaderNodeSeparateXYZ")
    made.links.new(place.outputs[0], apart.inputs[0])
    made.links.new(apart.outputs["X"], upper.inputs["A"])
    made.links.new(upper.outputs[0], paint.inputs["Selection"])
    last = paint
    made.links.new(into.outputs[0], paint.inputs[0])
    for name, kind_of, domain, value in (
        ("By nodes", "FLOAT2", "CORNER", place.outputs[0]),
        ("Tint", "FLOAT_COLOR", "POINT", place.outputs[0]),
    ):
        store = made.nodes.new("GeometryNodeStoreNamedAttribute")
        store.data_type, store.domain = kind_of, domain
        store.inputs["Name"].default_value = name
        made.links.new(last.outputs[0], store.inputs["Geometry"])
        made.links.new(value, next(one for one in store.inputs if one.name == "Value" and one.enabled))
        last = store
    made.links.new(last.outputs[0], out.inputs[0])
    use_tree(ball("Layered", material=material("Own")), made)
    whole = scatter_of(
        "Realised", ball("Seed", segments=8, at=(0, -8, 0), material=material("Seed")), keeps_ground=True
    )
    real, end = whole.nodes.new("GeometryNodeRealizeInstances"), whole.nodes["Group Output"]
    before = end.inputs[0].links[0].from_socket
    whole.links.new(before, real.inputs[0])
    whole.links.new(real.outputs[0], end.inputs[0])
    use_tree(sheet("Grown", cells=4, at=(6, 0, 0)), whole)
    save(folder / "node_layers.blend")


@kind()
def constrained(folder: Path) -> None:
    """Places by constraints, drivers and vertex parents, at a subframe; very small, very far and flat objects."""
    scene = bpy.context.scene
    lead = add("Lead", None, at=(2, 1, 0))
    lead.rotation_euler, lead.scale = (0.4, 0, 0.3), (1, 2, 1)
    lead.keyframe_insert("location", frame=1)
    lead.location.x = 6
    lead.keyframe_insert("location", frame=11)
    follower = ball("Follower", segments=16)
    follow = follower.constraints.new("COPY_TRANSFORMS")
    follow.target = lead
    held = ball("Child of", at=(0, 3, 0), segments=16)
    child_of = held.constraints.new("CHILD_OF")
    child_of.target = lead
    driven = ball("Driven", at=(0, -4, 0), segments=16)
    driver = driven.driver_add("location", 0).driver
    driver.expression = "frame / 2"
    ground = sheet("Ground", cells=4, at=(0, 10, 0))
    rider = ball("Rider", segments=12)
    rider.parent, rider.parent_type, rider.parent_vertices = ground, "VERTEX_3", (0, 5, 20)
    ball("Tiny", at=(0, 0, -4), segments=16).scale = (0.0005, 0.0005, 0.001)
    ball("Far", at=(20000, -30000, 500), segments=16)
    ball("Flat", at=(0, 0, -8), segments=16).scale = (1, 0, 2)
    scene.frame_set(5, subframe=0.5)
    save(folder / "constrained.blend")


@kind()
def converted(folder: Path) -> None:
    """Curves that nodes turn into meshes and instances, a text on a curve, a curve that is instanced."""
    made, into, out = tree("Pipe")
    pipe, shape = made.nodes.new("GeometryNodeCurveToMesh"), made.nodes.new("GeometryNodeCurvePrimitiveCircle")
    shape.inputs["Resolution"].default_value, shape.inputs["Radius"].default_value = 8, 0.1
    points, cone = made.nodes.new("GeometryNodeInstanceOnPoints"), made.nodes.new("GeometryNodeMeshCone")
    points.inputs["Scale"].default_value = (0.2, 0.2, 0.4)
    join = made.nodes.new("GeometryNodeJoinGeometry")
    made.links.new(into.outputs[0], pipe.inputs[0])
    made.links.new(shape.outputs[0], pipe.inputs[1])
    made.links.new(into.outputs[0], points.inputs["Points"])
    made.links.new(cone.outputs["Mesh"], points.inputs["Instance"])
    for one in (pipe, points):
        made.links.new(one.outputs[0], join.inputs[0])
    made.links.new(join.outputs[0], out.inputs[0])
    bpy.ops.curve.primitive_bezier_circle_add()
    ring = bpy.context.object
    ring.name = "Ring"
    ring.scale = (1, 2, 1)
    use_tree(ring, made)
    bpy.ops.object.text_add(location=(4, 0, 0))
    text = bpy.context.object
    text.data.extrude, text.data.follow_curve = 0.05, ring
    bpy.ops.curve.primitive_bezier_curve_add(location=(0, 6, 0))
    wire = bpy.context.object
    wire.data.bevel_depth = 0.1
    collection_of("Wires", wire)
    for index in range(2):
        instance_of(bpy.data.collections["Wires"], f"Wire {index}", at=(4.0 * index, 6, 0)).rotation_euler.z = index
    save(folder / "converted.blend")


@kind()
def instanced_rigs(folder: Path) -> None:
    """An instanced collection with a rig and its skinned body; instancers on bones, hidden and excluded ones."""
    from .timed import make_rig

    scene = bpy.context.scene
    rig, body = make_rig()
    rig.pose.bones["Bone"].rotation_mode = "XYZ"
    rig.pose.bones["Bone"].rotation_euler = (0.5, 0, 0.4)
    body.data.shape_keys.key_blocks["Fat"].value = 0.5
    lamp = add("Lamp", bpy.data.lights.new("Lamp", "POINT"))
    heroes = collection_of("Heroes", rig, body, lamp)
    for index in range(3):
        instance_of(heroes, f"Hero {index}", at=(6.0 * index, 0, 0)).rotation_euler.x = 0.2 * index
    bpy.data.objects["Hero 2"].hide_viewport = True
    carrier = add("Carrier", bpy.data.armatures.new("Carrier"), at=(0, 10, 0))
    bpy.context.view_layer.objects.active = carrier
    bpy.ops.object.mode_set(mode="EDIT")
    carrier.data.edit_bones.new("Hand").tail = (0, 1, 0)
    bpy.ops.object.mode_set(mode="OBJECT")
    cup = collection_of("Cups", ball("Cup", segments=12))
    held = instance_of(cup, "Cup in hand")
    held.parent, held.parent_type, held.parent_bone = carrier, "BONE", "Hand"
    twice = bpy.data.collections.new("Twice")
    scene.collection.children.link(twice)
    both = ball("In two collections", at=(0, 20, 0), segments=12)
    twice.objects.link(both)
    bpy.context.view_layer.layer_collection.children["Twice"].exclude = True
    save(folder / "instanced_rigs.blend")


@kind()
def background_set(folder: Path) -> None:
    """Another scene as the background of this one: it shows, and cannot be chosen."""
    scene = bpy.context.scene
    ball("Actor")
    stage = bpy.data.scenes.new("Stage")
    ball("Floor", at=(0, 0, -4), segments=16, collection=stage.collection)
    scene.background_set = stage
    save(folder / "background_set.blend")


@kind()
def small(folder: Path) -> None:
    """Meshes of few triangles, flat ones, loose ones, several of one mesh, n-gons, open edges, no UV, doubled faces."""
    tetrahedron = mesh_of(
        "Tetrahedron", [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], [(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)]
    )
    for index in range(3):
        one = add(f"Tetrahedron {index}", tetrahedron, at=(2.0 * index, 0, 0))
        one.scale = (1, 1 + index, 1)
    bpy.ops.mesh.primitive_cube_add(location=(0, 4, 0))
    bpy.ops.mesh.primitive_circle_add(vertices=32, fill_type="NGON", location=(4, 4, 0))
    loose = bpy.data.meshes.new("Loose")
    loose.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 1), (5, 5, 5)], [(3, 0)], [(0, 1, 2), (0, 2, 1)])
    add("Loose", loose, at=(8, 4, 0))
    fan = bpy.data.meshes.new("Fan")
    fan.from_pydata(
        [(0, 0, 0), (0, 0, 1), (1, 0, 0), (0, 1, 0), (-1, 0, 0)], [], [(0, 1, 2), (0, 1, 3), (0, 1, 4), (0, 2, 2 + 1)]
    )
    add("Fan", fan, at=(12, 4, 0))
    points = bpy.data.meshes.new("Points")
    points.from_pydata([(0, 0, 0), (1, 0, 0)], [(0, 1)], [])
    add("Points", points)
    save(folder / "small.blend")
