"""One mesh in, the same shape with fewer triangles out: Blender's edge collapse with its seams and borders held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import bpy
import numpy as np

from .evaluation import Workbench, drop_mesh
from .loosening import loosen
from .mesh_arrays import Corners, border_edges, column, triangle_count, uv_seam_edges

GROUP = "Sendoff held"
LOCKED_WEIGHT, HELD_WEIGHT = 1.0, 0.9
"""Blender never collapses an edge at a vertex of weight 1; below, seams and borders give way, but late."""
LOCKED_PART = 0.5
"""Seams and borders are locked as long as they are at most this part of a level's vertices."""
HELD_DEVIATION = 0.004
"""How far, as a part of the shape's diagonal, other places may deviate before a seam or a border gives way."""
TRIES = 3
FLAT = 4
"""The fewest triangles of a closed shape that is not flat."""
RATIO_TOLERANCE = 1.02


class Decimator:
    """Makes levels of one mesh, each from the mesh itself, so that errors do not add up."""

    def __init__(self, workbench: Workbench, mesh: Any, *, keep_uvs: bool, keep_borders: bool) -> None:
        self._workbench = workbench
        self._keep_uvs, self._keep_borders = keep_uvs, keep_borders
        self._object = bpy.data.objects.new("Sendoff decimation", mesh)
        workbench.hold(self._object)
        self._modifier = self._object.modifiers.new("Decimate", "DECIMATE")
        self._modifier.decimate_type = "COLLAPSE"
        self._modifier.use_collapse_triangulate = True  # else 4.2 and 4.5 join triangles to different quads
        self._triangles = triangle_count(mesh)
        self._fewest = self._triangles if self._triangles < FLAT else FLAT if _is_closed(mesh) else 1
        self._loosened: Any = None
        self._hold(mesh)

    def level(self, triangles: int) -> Any:
        """A new mesh of at most about this many triangles, or as few as the shape's topology allows.

        It has no faces if Blender collapses the whole shape, as of one without any area.
        """
        triangles = max(triangles, self._fewest)
        best = None
        for prepare in self._ways(triangles):
            prepare()
            best = self._fewer(best, self._attempt(triangles))
            if triangle_count(best) <= max(triangles * RATIO_TOLERANCE, triangles + 1):
                break
        self._strip(best)
        return best

    def _ways(self, triangles: int) -> Iterator[Callable[[], None]]:
        """From the one that keeps the most to the one that gets furthest."""
        if 0 < len(self._held) <= triangles / 2 * LOCKED_PART:  # a level has about half as many vertices as triangles
            yield lambda: self._weigh(LOCKED_WEIGHT)
        yield lambda: self._weigh(HELD_WEIGHT)
        if self._loosened is None:
            yield self._loosen

    def _attempt(self, triangles: int) -> Any:
        """The best of some tries: Blender may stop short of its ratio, or a step past it."""
        best, asked, before = None, triangles, -1
        for _ in range(TRIES):
            self._modifier.ratio = min(1.0, asked / self._triangles)
            mesh = self._workbench.evaluate(self._object)
            count = triangle_count(mesh)
            best = self._fewer(best, mesh)
            if self._fewest <= count <= triangles * RATIO_TOLERANCE or count == before:
                break
            before = count
            aim = self._fewest if count < self._fewest else triangles
            asked = min(self._triangles, max(1, asked + aim - count))
        return best

    def _fewer(self, best: Any, other: Any) -> Any:
        """The one of two meshes with fewer triangles, but not so few that it is flat; the other one is removed."""
        if best is None:
            return other
        counts = triangle_count(best), triangle_count(other)
        if self._fewest <= counts[1] < counts[0] or counts[0] < self._fewest:
            best, other = other, best
        drop_mesh(other)
        return best

    def _loosen(self) -> None:
        self._drop_group()
        self._loosened = self._object.data = loosen(self._object.data)
        self._triangles = max(1, triangle_count(self._loosened))
        self._hold(self._loosened)
        self._weigh(HELD_WEIGHT)

    def close(self) -> None:
        """Remove what was made for the work; the mesh itself stays."""
        self._drop_group()
        self._workbench.release(self._object)
        if self._loosened is not None:
            drop_mesh(self._loosened)

    def _hold(self, mesh: Any) -> None:
        self._held = _vertices_to_hold(mesh, keep_uvs=self._keep_uvs, keep_borders=self._keep_borders).tolist()
        if self._held:
            self._modifier.vertex_group = self._object.vertex_groups.new(name=GROUP).name
            self._modifier.invert_vertex_group = True
            self._modifier.vertex_group_factor = _hold_factor(mesh)

    def _weigh(self, weight: float) -> None:
        if self._held:
            self._object.vertex_groups[self._modifier.vertex_group].add(self._held, weight, "REPLACE")

    def _drop_group(self) -> None:
        if group := self._object.vertex_groups.get(self._modifier.vertex_group):
            self._object.vertex_groups.remove(group)

    def _strip(self, mesh: Any) -> None:
        """Drop the vertex group of the work from a level."""
        carrier = bpy.data.objects.new("Sendoff level", mesh)
        if group := carrier.vertex_groups.get(self._modifier.vertex_group):
            carrier.vertex_groups.remove(group)
        bpy.data.objects.remove(carrier, do_unlink=False, do_ui_user=False)


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
