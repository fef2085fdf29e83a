"""What edge collapse cannot get past, taken out of its way: doubled vertices, faces without area, crowded edges."""

from __future__ import annotations

from typing import Any

import bmesh
import numpy as np

from .mesh_arrays import column

MERGE_DISTANCE = 1e-5
"""As a part of the shape's diagonal."""


def loosen(mesh: Any) -> Any:
    """A copy that looks the same and that collapses further; materials and UVs are kept.

    Vertices at one place become one, faces without area go, and where more than two faces meet at an edge they are
    parted, because Blender's Decimate leaves such edges as they are.
    """
    positions = column(mesh.vertices, "co", np.float32, 3)
    distance = MERGE_DISTANCE * float(np.linalg.norm(np.ptp(positions, axis=0)))
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        bmesh.ops.triangulate(work, faces=work.faces)
        bmesh.ops.remove_doubles(work, verts=work.verts, dist=distance)
        bmesh.ops.dissolve_degenerate(work, dist=distance, edges=work.edges)
        bmesh.ops.split_edges(work, edges=[edge for edge in work.edges if len(edge.link_faces) > 2])
        copy = mesh.copy()
        work.to_mesh(copy)
    finally:
        work.free()
    return copy
