"""What a scene shows, measured inside Blender: every surface with its place, its layers and its materials.

The numbers come from `depsgraph.object_instances` of the scene and view layer on screen, and from numpy. Nothing of
Sendoff is used here, so that a fault of Sendoff cannot hide itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

#: Above so many triangles the distance to the surface is not measured, only the box.
MOST_TRIANGLES_FOR_DISTANCE = 400_000
#: What is nearer to each other than this part of the diagonal is at the same place.
SAME_PLACE = 0.002
#: Names of collision hulls, as Unreal and Unity read them.
HULL = re.compile(r"^(UCX|UBX|USP|UCP|UMC)_", re.IGNORECASE)
#: Names of which people have several opinions: either way is right.
HELPER = re.compile(r"[_ .-]?lod[_ ]?0*[1-9]\d*(\.\d{3,})?$|^MCDCX_|-(conv)?colonly|^WGT", re.IGNORECASE)
FORMER_LEVEL = re.compile(r"^(?P<stem>.+)_LOD(?P<level>[1-9]\d*)(\.\d{3,})?$", re.IGNORECASE)


@dataclass(kw_only=True)
class Surface:
    """One evaluated mesh in its own space."""

    positions: np.ndarray
    """Of the vertices, n x 3."""
    triangle_corners: np.ndarray
    """The vertices of each triangle, n x 3."""
    triangle_normals: np.ndarray
    """The shading normal in the middle of each triangle, n x 3."""
    faces: int
    uv_layers: list[str]
    colours: list[str]
    has_custom_normals: bool
    is_smooth: bool
    slots: list[str | None]
    """The material of each slot, with its library."""
    used: list[str | None]
    """The materials that faces have."""
    wrong_slots: int
    """Faces whose material number has no slot."""
    is_finite: bool

    @property
    def triangles(self) -> int:
        """The count of triangles."""
        return len(self.triangle_corners)

    @cached_property
    def tree(self) -> BVHTree | None:
        """The surface to measure distances to; None if it is too large or is flat in memory."""
        if not 0 < self.triangles <= MOST_TRIANGLES_FOR_DISTANCE or not self.is_finite:
            return None
        return BVHTree.FromPolygons(self.positions.tolist(), self.triangle_corners.tolist(), all_triangles=True)


@dataclass(kw_only=True)
class Shown:
    """One surface at one place."""

    name: str
    """The object's name in the artist's file."""
    library: str
    """The absolute path of its library; "" if it is the file's own."""
    instancer: str
    """Who instances it; "" if it is an object of its own."""
    matrix: np.ndarray
    surface: Surface
    mesh: str = ""
    """The name of its mesh before modifiers; "" if it has none."""
    is_left_alone: str = ""
    """Why no level is made of it: "hull", "former level", "cutter", "widget"; else ""."""
    may_be_left_alone: bool = False
    is_tessellated: bool = True
    """Whether the scene says which triangles it has; of a sphere of USD it does not."""
    parent: str | None = ""
    """None if it hangs on vertices or a lattice, of which a level may know nothing."""
    properties: dict[str, Any] = field(default_factory=dict)
    mesh_properties: dict[str, Any] = field(default_factory=dict)
    scenes: tuple[str, ...] = ()
    """The scenes that hold it, or its instancer."""
    bone: str = ""
    """The bone that it is parented to; "" if none."""

    @cached_property
    def box(self) -> np.ndarray:
        """The lower and the upper corner in the world, 2 x 3."""
        world = self.surface.positions @ self.matrix[:3, :3].T + self.matrix[:3, 3]
        return np.stack([world.min(axis=0), world.max(axis=0)])


def what_is_shown(context: bpy.types.Context) -> list[Shown]:
    """All meshes of the scene and view layer on screen, instances of every kind included, also those without faces."""
    context.view_layer.update()
    graph = context.evaluated_depsgraph_get()
    surfaces: dict[tuple[int, str], Surface] = {}
    widgets = bone_widgets()
    cutters = boolean_cutters()
    # The graph also has what only the eye of a collection hides.
    layer = context.view_layer
    hidden = {one for one in layer.objects if not one.visible_get(view_layer=layer)}
    found = []
    for instance in graph.object_instances:
        one = instance.object
        if one.type != "MESH" or not instance.show_self or one.data is None:
            continue
        original = one.original
        parent = instance.parent.original if instance.is_instance and instance.parent is not None else None
        if (original if parent is None else parent) in hidden:
            continue
        matrix = np.array(instance.matrix_world, np.float64)
        key = (one.data.as_pointer(), original.name_full)
        if key not in surfaces:
            surfaces[key] = evaluated_surface(one, graph)
        surface = surfaces[key]
        is_own = parent is None or (parent == original and original.type != "MESH")
        reason, is_optional = why_left_alone(original, widgets, cutters)
        shown = Shown(
            name=original.name, library=library_of(original), instancer="" if is_own else parent.name, matrix=matrix,
            surface=surface, is_left_alone=reason, may_be_left_alone=is_optional,
        )  # fmt: skip
        holder = original if parent is None else parent
        shown.scenes = tuple(scene.name for scene in bpy.data.scenes if holder.name in scene.objects)
        shown.mesh = original.data.name_full if original.type == "MESH" and original.data is not None else ""
        if is_own:
            if original.parent is not None:
                shown.parent = original.parent.name if original.parent_type in {"OBJECT", "BONE"} else None
            shown.bone = original.parent_bone if original.parent is not None and original.parent_type == "BONE" else ""
            shown.properties = custom_properties(original)
            shown.mesh_properties = custom_properties(original.data) if original.type == "MESH" else {}
        found.append(shown)
    return found


def evaluated_surface(one: bpy.types.Object, graph: bpy.types.Depsgraph) -> Surface:
    """The surface of an evaluated object; one in Edit Mode needs a copy of its mesh."""
    slots = materials_of(one)
    if len(one.data.vertices) or one.mode != "EDIT":
        return surface_of(one.data, slots)
    copy = one.to_mesh(preserve_all_data_layers=True, depsgraph=graph)
    try:
        return surface_of(copy, slots)
    finally:
        one.to_mesh_clear()


def materials_of(one: bpy.types.Object) -> list[bpy.types.Material | None]:
    """The materials that an evaluated object shows: those of its evaluated mesh, or its own if a slot says so."""
    found = list(one.data.materials)
    for index, slot in enumerate(one.original.material_slots):
        if slot.link == "OBJECT" and index < len(found):
            found[index] = slot.material
    return found


def surface_of(mesh: bpy.types.Mesh, slots: list[bpy.types.Material | None]) -> Surface:
    """Measure a mesh; `slots` are the object's materials, which may differ from the mesh's."""
    positions = column(mesh.vertices, "co", 3).astype(np.float64)
    corners = loops = np.zeros((0, 3), np.int32)
    normals = np.zeros((0, 3), np.float32)
    if is_sound(mesh):
        mesh.calc_loop_triangles()
        corners = column(mesh.loop_triangles, "vertices", 3, np.int32)
        loops = column(mesh.loop_triangles, "loops", 3, np.int32)
        normals = column(mesh.corner_normals, "vector", 3)
    numbers = column(mesh.polygons, "material_index", 1, np.int32).reshape(-1)
    count = max(1, len(slots))
    names = [material_name(material) for material in slots] or [None]
    return Surface(
        positions=positions,
        triangle_corners=corners,
        triangle_normals=normals[loops].mean(axis=1) if len(loops) and len(normals) else np.zeros((len(loops), 3)),
        faces=len(mesh.polygons),
        uv_layers=[layer.name for layer in mesh.uv_layers],
        colours=[layer.name for layer in mesh.color_attributes],
        has_custom_normals=bool(mesh.has_custom_normals),
        is_smooth=bool(column(mesh.polygons, "use_smooth", 1, bool).any()) if len(mesh.polygons) else False,
        slots=[material_name(material) for material in slots],
        used=[names[number] for number in np.unique(numbers[numbers < count]).tolist()],
        wrong_slots=int((numbers >= count).sum()),
        is_finite=bool(np.isfinite(positions).all()),
    )


def is_sound(mesh: bpy.types.Mesh) -> bool:
    """Whether all faces have corners and vertices that exist; of others, which importers let in, Blender crashes."""
    ends = column(mesh.polygons, "loop_start", 1, np.int32) + column(mesh.polygons, "loop_total", 1, np.int32)
    vertices = column(mesh.loops, "vertex_index", 1, np.int32)
    is_inside = bool(((vertices >= 0) & (vertices < len(mesh.vertices))).all())
    return is_inside and bool((ends <= len(mesh.loops)).all())


def column(collection: Any, name: str, width: int, kind: Any = np.float32) -> np.ndarray:
    """One property of all elements as an array."""
    values = np.empty(len(collection) * width, kind)
    collection.foreach_get(name, values)
    return values.reshape(-1, width)


def material_name(material: bpy.types.Material | None) -> str | None:
    """A material as the artist knows it: its name, and its library if it has one."""
    if material is None:
        return None
    original = material.original
    return f"{original.name} of {library_of(original)}" if original.library else original.name


def library_of(block: bpy.types.ID) -> str:
    """The absolute path of a datablock's library, or ""."""
    return "" if block.library is None else absolute(block.library.filepath)


def absolute(path: str) -> str:
    """A path without `//`, in one form for each place."""
    return os.path.normpath(bpy.path.abspath(path))


def custom_properties(block: bpy.types.ID) -> dict[str, Any]:
    """The properties that somebody gave a datablock, without Sendoff's and Blender's own."""
    found = {}
    for name in block.keys():  # noqa: SIM118 - a datablock is no mapping
        value = block[name]
        if name.startswith(("sendoff_", "_")) or name in {"cycles", "cycles_visibility"} or hasattr(value, "keys"):
            continue
        if isinstance(value, bpy.types.ID):
            value = value.name
        elif hasattr(value, "to_list"):
            value = value.to_list()
        found[name] = value
    return found


def bone_widgets() -> set[bpy.types.Object]:
    """Objects that only give bones their shape."""
    return {
        bone.custom_shape
        for one in bpy.data.objects
        if one.type == "ARMATURE" and one.pose is not None
        for bone in one.pose.bones
        if bone.custom_shape is not None
    }


def boolean_cutters() -> set[bpy.types.Object]:
    """Objects that a Boolean modifier cuts with."""
    found = set()
    for one in bpy.data.objects:
        for modifier in one.modifiers:
            if modifier.type == "BOOLEAN":
                found.update([modifier.object] if modifier.object is not None else [])
                found.update(modifier.collection.all_objects if modifier.collection is not None else [])
    return found


def why_left_alone(one: bpy.types.Object, widgets: set[Any], cutters: set[Any]) -> tuple[str, bool]:
    """Why no level belongs to the object, and whether either way is right."""
    is_wire = one.display_type in {"WIRE", "BOUNDS"}
    if "sendoff_source" in one and one.get("sendoff_level"):
        return "former level", False
    reason, is_optional = why_by_name(one.name, bpy.data.objects)
    if reason == "hull":
        return reason, False
    if one in widgets:
        return ("widget", False) if is_wire or one.name.startswith("WGT") else ("", True)
    if one in cutters:
        return ("cutter", False) if is_wire or one.hide_render else ("", True)
    return reason, not reason and (is_wire or is_optional)


def why_by_name(name: str, names: Container[str]) -> tuple[str, bool]:
    """Why no level belongs to an object of this name among others, and whether either way is right."""
    if HULL.match(name):
        return "hull", False
    former = FORMER_LEVEL.match(name)
    if former and any(f"{former['stem']}{end}" in names for end in ("", "_LOD0", "_lod0")):
        return "former level", False
    return "", HELPER.search(name) is not None


def sample(shown: Shown, most: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Middles of triangles in the world and their shading normals, chosen evenly by area."""
    surface = shown.surface
    world = surface.positions @ shown.matrix[:3, :3].T + shown.matrix[:3, 3]
    a, b, c = (world[surface.triangle_corners[:, index]] for index in range(3))
    areas = np.cumsum(np.linalg.norm(np.cross(b - a, c - a), axis=1))
    steps = (np.arange(most) + 0.5) / most * areas[-1]
    chosen = np.unique(np.searchsorted(areas, steps).clip(0, surface.triangles - 1))
    return (a + b + c)[chosen] / 3, normals_in_world(surface.triangle_normals[chosen], shown.matrix)


def normals_in_world(normals: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Normals that turned with a matrix, of length 1."""
    try:
        return unit(normals @ np.linalg.inv(matrix[:3, :3]))
    except np.linalg.LinAlgError:
        return np.zeros_like(normals)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def distance_and_angle(level: Shown, original: Shown) -> tuple[float, float] | None:
    """The mean distance of a level from its original, relative to its diagonal, and the mean angle of the normals.

    None if the original has no volume to measure in or is too large.
    """
    tree = original.surface.tree
    matrix = original.matrix
    if tree is None or abs(np.linalg.det(matrix[:3, :3])) < 1e-18 or not level.surface.triangles:
        return None
    inverse = np.linalg.inv(matrix)
    points, normals = sample(level)
    local = points @ inverse[:3, :3].T + inverse[:3, 3]
    lower, upper = original.surface.positions.min(axis=0), original.surface.positions.max(axis=0)
    diagonal = float(np.linalg.norm(upper - lower)) or 1.0
    # Both in the original's own space: what is pressed flat turns normals by far more than the shape differs.
    there = unit(original.surface.triangle_normals)
    normals = unit(normals @ matrix[:3, :3])
    distances, cosines = [], []
    for point, normal in zip(local, normals, strict=True):
        _, _, number, distance = tree.find_nearest(Vector(point))
        if number is None:
            return None
        distances.append(distance)
        # Two sides may lie on each other: the one that looks the same way is meant.
        near = tree.find_nearest_range(Vector(point), distance + SAME_PLACE * diagonal)
        cosines.append(max(float(there[found[2]] @ normal) for found in near or [(None, None, number)]))
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return float(np.mean(distances)) / diagonal, float(angles.mean())
