"""What depends on the scene's settings and its time: frames, frame rates, caches, simulations, cameras, detail."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import bpy

from .making import activate, add, ball, empty_file, kind, material, mesh_of, save, sheet, tree, use_tree


@kind()
def rigid_body(folder: Path) -> None:
    """Falling boxes at frame 40, of a world that was baked, with a gravity of its own."""
    scene = bpy.context.scene
    scene.gravity = (0, 2, -9.81)
    for index in range(3):
        one = ball(f"Falling {index}", at=(3.0 * index, 0, 20), segments=12)
        activate(one)
        bpy.ops.rigidbody.object_add()
        one.rotation_euler.x = 0.3 * index
    cache = scene.rigidbody_world.point_cache
    cache.frame_end = 60
    with bpy.context.temp_override(scene=scene, point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)
    scene.frame_set(40)
    save(folder / "rigid_body.blend")


@kind()
def simulated(folder: Path) -> None:
    """Boxes that fell while somebody played the scene, and that were not baked."""
    scene = bpy.context.scene
    activate(ball("Played", at=(0, 0, 20), segments=12))
    bpy.ops.rigidbody.object_add()
    for frame in range(1, 26):
        scene.frame_set(frame)
    save(folder / "simulated.blend")


def _alembic(folder: Path, fps: int) -> None:
    name = f"alembic_{fps}"
    external = folder / "external"
    external.mkdir(parents=True)
    scene = bpy.context.scene
    scene.render.fps, scene.frame_start, scene.frame_end = fps, 1, 80
    one = ball("Lifted", segments=12)
    one.shape_key_add(name="Basis")
    key = one.shape_key_add(name="Up")
    for point in key.data:
        point.co.z += 10
    for frame, value in ((1, 0.0), (81, 1.0)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    bpy.ops.wm.alembic_export(filepath=str(external / "lift.abc"), start=1, end=80, as_background_job=False)
    empty_file()
    scene = bpy.context.scene
    save(folder / f"{name}.blend")
    scene.render.fps = fps
    bpy.ops.wm.alembic_import(
        filepath=str(external / "lift.abc"), as_background_job=False, relative_path=True, set_frame_range=False
    )
    scene.render.fps, scene.frame_end = fps, 80
    scene.frame_set(60)
    save(folder / f"{name}.blend")


@kind()
def alembic_25(folder: Path) -> None:
    """An Alembic cache in a scene of 25 frames per second."""
    _alembic(folder, 25)


@kind()
def alembic_60(folder: Path) -> None:
    """The same at 60, which is far from Blender's own 24."""
    _alembic(folder, 60)


@kind()
def simplify(folder: Path) -> None:
    """Simplify limits the subdivisions that the screen shows."""
    one = ball("Simplified", segments=8)
    one.modifiers.new("Smooth", "SUBSURF").levels = 5
    render = bpy.context.scene.render
    render.use_simplify, render.simplify_subdivision = True, 1
    save(folder / "simplify.blend")


@kind()
def scene_nodes(folder: Path) -> None:
    """Geometry nodes that ask for the active camera and for the scene's time."""
    scene = bpy.context.scene
    scene.render.fps = 30
    for name, at in (("Not this", (9, 9, 9)), ("Shot", (2, 0, 3))):
        scene.camera = add(name, bpy.data.cameras.new(name), at=at)
    made, into, out = tree("Follow")
    move, time = made.nodes.new("GeometryNodeSetPosition"), made.nodes.new("GeometryNodeInputSceneTime")
    camera, info = made.nodes.new("GeometryNodeInputActiveCamera"), made.nodes.new("GeometryNodeObjectInfo")
    info.transform_space = "RELATIVE"
    total, vector = made.nodes.new("ShaderNodeVectorMath"), made.nodes.new("ShaderNodeCombineXYZ")
    made.links.new(time.outputs["Seconds"], vector.inputs["Y"])
    made.links.new(camera.outputs[0], info.inputs["Object"])
    made.links.new(info.outputs["Location"], total.inputs[0])
    made.links.new(vector.outputs[0], total.inputs[1])
    made.links.new(into.outputs[0], move.inputs["Geometry"])
    made.links.new(total.outputs[0], move.inputs["Offset"])
    made.links.new(move.outputs[0], out.inputs[0])
    use_tree(ball("Follower", at=(1, 1, 0)), made)
    scene.frame_set(90)
    save(folder / "scene_nodes.blend")


@kind()
def subdivisions(folder: Path) -> None:
    """Levels for the viewport that are not those of the render; multires with its sculpted detail."""
    soft = ball("Soft", segments=8)
    smooth = soft.modifiers.new("Smooth", "SUBSURF")
    smooth.levels, smooth.render_levels = 1, 3
    sculpted = ball("Sculpted", at=(4, 0, 0), segments=8)
    activate(sculpted)
    sculpted.modifiers.new("Detail", "MULTIRES")
    for _ in range(3):
        bpy.ops.object.multires_subdivide(modifier="Detail", mode="CATMULL_CLARK")
    detail = sculpted.modifiers["Detail"]
    detail.levels, detail.sculpt_levels, detail.render_levels = 2, 3, 3
    for_render = ball("For render", at=(8, 0, 0), segments=8)
    only = for_render.modifiers.new("Only rendered", "SUBSURF")
    only.levels, only.show_viewport = 2, False
    save(folder / "subdivisions.blend")


@kind()
def caches(folder: Path) -> None:
    """A Mesh Cache file, shape keys, a lattice and a hook that hold a shape."""
    external = folder / "external"
    external.mkdir(parents=True)
    lifted = sheet("Lifted", cells=10)
    places = [tuple(vertex.co) for vertex in lifted.data.vertices]
    with (external / "lift.mdd").open("wb") as file:
        file.write(struct.pack(">2i2f", 2, len(places), 0.0, 1 / 24))
        for _ in range(2):
            for x, y, z in places:
                file.write(struct.pack(">3f", x, y, z + 5.0))
    cache = lifted.modifiers.new("Cache", "MESH_CACHE")
    cache.cache_format, cache.filepath = "MDD", "//external/lift.mdd"
    cache.forward_axis, cache.up_axis = "POS_Y", "POS_Z"
    mixed = ball("Mixed", at=(4, 0, 0))
    mixed.shape_key_add(name="Basis")
    key = mixed.shape_key_add(name="Wide")
    for point in key.data:
        point.co.x *= 3
    key.value = 0.5
    cage = add("Cage", bpy.data.lattices.new("Cage"), at=(8, 0, 0))
    for point in cage.data.points:
        point.co_deform.z *= 2 + point.co.x
    bent = ball("Bent", at=(8, 0, 0))
    bent.modifiers.new("Cage", "LATTICE").object = cage
    cage.scale = (3, 3, 3)
    save(folder / "caches.blend")


@kind()
def shaped(folder: Path) -> None:
    """A pinned shape key, weighted normals, an armature at rest, visibility that is animated."""
    pinned = ball("Pinned")
    pinned.shape_key_add(name="Basis")
    key = pinned.shape_key_add(name="Tall")
    for point in key.data:
        point.co.z *= 3
    pinned.active_shape_key_index, pinned.show_only_shape_key = 1, True
    soft = sheet("Weighted", cells=8, at=(4, 0, 0))
    soft.data.polygons.foreach_set("use_smooth", [True] * len(soft.data.polygons))
    soft.modifiers.new("Thick", "SOLIDIFY").thickness = 0.3
    soft.modifiers.new("Normals", "WEIGHTED_NORMAL")
    rig, _ = make_rig()
    rig.location.y = 8
    rig.pose.bones["Bone"].location = (0, 0, 5)
    rig.data.pose_position = "REST"
    for name, hides in (("Gone at 10", True), ("There at 10", False)):
        one = ball(name, at=(8, 4.0 * hides, 0), segments=12)
        for frame, hidden in ((1, not hides), (10, hides)):
            one.hide_viewport = hidden
            one.keyframe_insert("hide_viewport", frame=frame)
    bpy.context.scene.frame_set(10)
    save(folder / "shaped.blend")


@kind()
def disk_cache(folder: Path) -> None:
    """A cloth whose frames are in files beside the scene, in a folder with the scene's name."""
    scene = bpy.context.scene
    scene.frame_end = 12
    cloth = sheet("Cloth", cells=8)
    cloth.modifiers.new("Cloth", "CLOTH")
    save(folder / "disk_cache.blend")
    cache = cloth.modifiers["Cloth"].point_cache
    cache.use_disk_cache, cache.frame_end, cache.name = True, 12, "sheet"
    with bpy.context.temp_override(scene=scene, object=cloth, active_object=cloth, point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)
    scene.frame_set(12)
    save(folder / "disk_cache.blend")


@kind()
def posed(folder: Path) -> None:
    """A rig with a pose, saved in Pose Mode."""
    make_rig()
    rig = bpy.data.objects["Rig"]
    rig.pose.bones["Bone"].location = (0, 0, 5)
    activate(rig)
    bpy.ops.object.mode_set(mode="POSE")
    save(folder / "posed.blend")


def make_rig() -> tuple[Any, Any]:
    """A rig and a skinned body with a shape key."""
    body = ball("Body", material=material("Skin"))
    body.shape_key_add(name="Basis")
    key = body.shape_key_add(name="Fat")
    for point in key.data:
        point.co.x *= 3
    rig = add("Rig", bpy.data.armatures.new("Rig"))
    activate(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("Bone")
    bone.head, bone.tail = (0, 0, 0), (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    body.parent = rig
    body.modifiers.new("Armature", "ARMATURE").object = rig
    body.vertex_groups.new(name="Bone").add(range(len(body.data.vertices)), 1, "REPLACE")
    return rig, body


@kind()
def edited(folder: Path) -> None:
    """Saved in Edit Mode, with loose geometry and an n-gon."""
    flat = mesh_of("Edited", [(0, 0, 0), (2, 0, 0), (3, 1, 0), (2, 2, 0), (0, 2, 0), (5, 5, 0)], [(0, 1, 2, 3, 4)])
    activate(add("Edited", flat))
    ball("Beside", at=(6, 0, 0))
    bpy.ops.object.mode_set(mode="EDIT")
    save(folder / "edited.blend")


@kind()
def sculpted(folder: Path) -> None:
    """Saved in Sculpt Mode."""
    activate(ball("Clay"))
    bpy.ops.object.mode_set(mode="SCULPT")
    save(folder / "sculpted.blend")
