"""One mesh in, the same shape with fewer triangles out: Blender's edge collapse with its seams and borders held."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from .evaluation import Workbench
from .loosening import loosen
from .mesh_arrays import Corners, border_edges, column, triangle_count, uv_seam_edges

GROUP = "Sendoff held"
HELD_WEIGHT = 0.9
"""Of 1, which Blender would never collapse: seams and borders give way last, but they give way."""
HELD_DEVIATION = 0.004
"""How far, as a part of the shape's diagonal, other places may deviate before a seam or a border gives way."""
TRIES = 3
FLAT = 4
"""The fewest triangles of a closed shape that is not flat."""
RATIO_TOLERANCE = 1.02


class Decimator:
    """Makes levels of one mesh; each from the mesh itself, so that errors do not add up."""

    def __init__(self, workbench: Workbench, mesh: Any, *, keep_uvs: bool, keep_borders: bool) -> None:
        self._workbench = workbench
        self._keep_uvs, self._keep_borders = keep_uvs, keep_borders
        self._object = bpy.data.objects.new("Sendoff decimation", mesh)
        self._modifier = self._object.modifiers.new("Decimate", "DECIMATE")
        self._modifier.decimate_type = "COLLAPSE"
        self._modifier.use_collapse_triangulate = True  # else 4.2 and 4.5 join triangles to different quads
        self._triangles = triangle_count(mesh)
        self._fewest = self._triangles if self._triangles < FLAT else FLAT if _is_closed(mesh) else 1
        self._loosened: Any = None
        self._hold(mesh)

    def level(self, triangles: int) -> Any:
        """A new mesh of at most about this many triangles, or as few as the shape's topology allows."""
        triangles = max(triangles, self._fewest)
        best = self._attempt(triangles)
        if self._loosened is None and triangle_count(best) > max(triangles * RATIO_TOLERANCE, triangles + 2):
            self._loosen()
            other = self._attempt(triangles)
            if triangle_count(other) < triangle_count(best):
                best, other = other, best
            bpy.data.meshes.remove(other)
        self._strip(best)
        return best

    def _attempt(self, triangles: int) -> Any:
        """The best of some tries: Blender may stop short of its ratio, or a step past it."""
        best, asked = None, triangles
        for _ in range(TRIES):
            self._modifier.ratio = min(1.0, asked / self._triangles)
            mesh, _ = self._workbench.evaluate(self._object)
            count = triangle_count(mesh)
            if best is None or self._fewest <= count < triangle_count(best) or triangle_count(best) < self._fewest:
                best, mesh = mesh, best
            if mesh is not None:
                bpy.data.meshes.remove(mesh)
            if self._fewest <= count <= triangles * RATIO_TOLERANCE:
                break
            asked = min(
                self._triangles, max(1, asked + (self._fewest - count if count < self._fewest else triangles - count))
            )
        return best

    def _loosen(self) -> None:
        if group := self._object.vertex_groups.get(self._modifier.vertex_group):
            self._object.vertex_groups.remove(group)
        self._loosened = self._object.data = loosen(self._object.data)
        self._triangles = max(1, triangle_count(self._loosened))
        self._hold(self._loosened)

    def close(self) -> None:
        """Remove what was made for the work; the mesh itself stays."""
        if group := self._object.vertex_groups.get(self._modifier.vertex_group):
            self._object.vertex_groups.remove(group)
        bpy.data.objects.remove(self._object)
        if self._loosened is not None:
            bpy.data.meshes.remove(self._loosened)

    def _hold(self, mesh: Any) -> None:
        held = _vertices_to_hold(mesh, keep_uvs=self._keep_uvs, keep_borders=self._keep_borders)
        if not len(held):
            return
        group = self._object.vertex_groups.new(name=GROUP)
        group.add(held.tolist(), HELD_WEIGHT, "REPLACE")
        self._modifier.vertex_group = group.name
        self._modifier.invert_vertex_group = True
        self._modifier.vertex_group_factor = _hold_factor(mesh)

    def _strip(self, mesh: Any) -> None:
        """Drop the vertex group of the work from a level."""
        carrier = bpy.data.objects.new("Sendoff level", mesh)
        if group := carrier.vertex_groups.get(self._modifier.vertex_group):
            carrier.vertex_groups.remove(group)
        bpy.data.objects.remove(carrier)


def _vertices_to_hold(mesh: Any, *, keep_uvs: bool, keep_borders: bool) -> np.ndarray:
    corners = Corners.of(mesh)
    edges = np.zeros(len(mesh.edges), dtype=bool)
    if keep_borders:
        edges |= border_edges(mesh, corners)
    if keep_uvs:
        edges |= uv_seam_edges(mesh, corners)
    ends = column(mesh.edges, "vertices", np.int32, 2)
    held = np.unique(ends[edges])
    return held if len(held) < len(mesh.vertices) else held[:0]  # all alike is none


def _is_closed(mesh: Any) -> bool:
    return bool((Corners.of(mesh).polygons_per_edge() >= 2).all())


def _hold_factor(mesh: Any) -> float:
    """The factor at which Blender's penalty (length x weights x factor) equals the deviation that we allow elsewhere.

    Blender adds the penalty to a squared distance, so the factor has to follow the size of the shape.
    """
    positions = column(mesh.vertices, "co", np.float32, 3)
    ends = column(mesh.edges, "vertices", np.int32, 2)
    diagonal = float(np.linalg.norm(positions.max(axis=0) - positions.min(axis=0)))
    length = float(np.linalg.norm(positions[ends[:, 0]] - positions[ends[:, 1]], axis=1).mean())
    if length <= 0 or diagonal <= 0:
        return 1.0
    return float(np.clip((HELD_DEVIATION * diagonal) ** 2 / length, 1e-6, 1000))
