"""A mesh's data as numpy arrays, and the edges that matter to its looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

UV_TOLERANCE = 1e-5
"""UV coordinates nearer than this are one point."""


def column(items: Any, attribute: str, dtype: Any, width: int = 1) -> np.ndarray:
    """One attribute of all items of a bpy collection, as an array of shape (n,) or (n, width)."""
    values = np.empty(len(items) * width, dtype=dtype)
    items.foreach_get(attribute, values)
    return values if width == 1 else values.reshape(-1, width)


def turned(counts: np.ndarray) -> np.ndarray:
    """The order of all corners, shape (sum of counts,), in which each face goes the other way round from its first
    corner; done twice, nothing has changed.

    Args:
        counts: How many corners each face has.
    """
    first = np.repeat(np.cumsum(counts) - counts, counts)
    count = np.repeat(counts, counts)
    return np.asarray(first + (count - (np.arange(len(first)) - first)) % count)


def triangle_count(mesh: Any) -> int:
    """How many triangles the mesh's polygons make."""
    return max(0, len(mesh.loops) - 2 * len(mesh.polygons))


@dataclass(frozen=True, kw_only=True)
class Corners:
    """The corners ("loops") of a mesh: each starts an edge of its polygon."""

    vertex: np.ndarray
    """The corner's vertex."""
    edge: np.ndarray
    """The edge from this corner to the next of its polygon."""
    next: np.ndarray
    """The polygon's next corner."""
    polygon: np.ndarray
    """The corner's polygon."""
    edges: int
    """How many edges the mesh has."""

    @classmethod
    def of(cls, mesh: Any) -> Corners:
        """Read the corners of a mesh."""
        start = column(mesh.polygons, "loop_start", np.int32)
        total = column(mesh.polygons, "loop_total", np.int32)
        following = np.arange(1, len(mesh.loops) + 1, dtype=np.int32)
        following[start + total - 1] = start
        return cls(
            vertex=column(mesh.loops, "vertex_index", np.int32),
            edge=column(mesh.loops, "edge_index", np.int32),
            next=following,
            polygon=np.repeat(np.arange(len(start), dtype=np.int32), total),
            edges=len(mesh.edges),
        )

    def polygons_per_edge(self) -> np.ndarray:
        """How many polygons meet at each edge: 0 loose, 1 border, 2 inside, more non-manifold."""
        return np.bincount(self.edge, minlength=self.edges)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """The two corners of every edge where exactly two polygons meet."""
        order = np.argsort(self.edge, kind="stable")
        counts = self.polygons_per_edge()
        first = (np.cumsum(counts) - counts)[counts == 2]
        return order[first], order[first + 1]


def border_edges(mesh: Any, corners: Corners) -> np.ndarray:
    """Edges at the open border of the shape, or where two materials meet."""
    borders = corners.polygons_per_edge() == 1
    if len(mesh.materials) > 1:
        material = column(mesh.polygons, "material_index", np.int32)
        one, other = corners.pairs()
        differ = material[corners.polygon[one]] != material[corners.polygon[other]]
        borders[corners.edge[one[differ]]] = True
    return borders


def uv_seam_edges(mesh: Any, corners: Corners) -> np.ndarray:
    """Edges where the UV map is cut, in any of its layers."""
    seams = np.zeros(corners.edges, dtype=bool)
    for layer in mesh.uv_layers:
        seams |= cut_edges(corners, column(layer.uv, "vector", np.float32, 2), UV_TOLERANCE)
    return seams


def cut_edges(corners: Corners, values: np.ndarray, tolerance: float) -> np.ndarray:
    """Edges where two polygons meet whose values differ there, shape (edges,).

    Args:
        corners: Of the mesh.
        values: Of each corner, shape (corners, n).
        tolerance: So much is no difference.
    """
    one, other = corners.pairs()
    # Neighbours usually run along their edge in opposite directions; where normals clash, in the same.
    opposite = corners.vertex[one] != corners.vertex[other]
    other_start = np.where(opposite, corners.next[other], other)
    other_end = np.where(opposite, other, corners.next[other])
    differ = np.abs(values[one] - values[other_start]).max(axis=1, initial=0) > tolerance
    differ |= np.abs(values[corners.next[one]] - values[other_end]).max(axis=1, initial=0) > tolerance
    cut = np.zeros(corners.edges, dtype=bool)
    cut[corners.edge[one[differ]]] = True
    return cut
