"""Small meshes for the tests of levels of detail."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from sendoff_inside.mesh_arrays import column


def grid(name: str = "Grid", *, cells: int = 40, bumps: float = 0.1) -> Any:
    """A bumpy sheet with UVs in two islands that meet at x = 0, and an open border."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=cells, y_subdivisions=cells, size=2)
    one = bpy.context.object
    one.name = one.data.name = name
    positions = np.empty(len(one.data.vertices) * 3, np.float32)
    one.data.vertices.foreach_get("co", positions)
    x, y, _ = positions.reshape(-1, 3).T
    positions.reshape(-1, 3)[:, 2] = bumps * np.sin(x * 5) * np.cos(y * 4)
    one.data.vertices.foreach_set("co", positions)
    layer = one.data.uv_layers.active
    for polygon in one.data.polygons:
        right = polygon.center.x > 0
        for corner in polygon.loop_indices:
            x, y, _ = one.data.vertices[one.data.loops[corner].vertex_index].co
            layer.uv[corner].vector = (x * 0.4 + (0.6 if right else 0.4), y * 0.5 + 0.5)
    one.data.update()
    return one


def ball(name: str = "Ball", *, segments: int = 32) -> Any:
    """A closed sphere with UVs."""
    bpy.ops.mesh.primitive_uv_sphere_add(segments=segments, ring_count=segments // 2)
    one = bpy.context.object
    one.name = one.data.name = name
    return one


def triangles(mesh: Any) -> int:
    return len(mesh.loops) - 2 * len(mesh.polygons)


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
