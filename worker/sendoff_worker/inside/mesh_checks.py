"""What can be wrong with one mesh; all of it on arrays, so that a million faces take a second or two."""

from __future__ import annotations

from typing import Any

import numpy as np

from .findings import Findings
from .mesh_arrays import Corners, column

ZERO_AREA = 1e-12
"""A face smaller than this part of its mesh's diagonal squared has no area."""
ZERO_UV_AREA = 1e-10


def check_mesh(findings: Findings, one: Any) -> None:
    """Add what is found on the object's mesh; indices are of the mesh as the artist edits it, before modifiers."""
    mesh = one.data
    if not len(mesh.vertices):
        return
    corners = Corners.of(mesh)
    _check_edges(findings, one, mesh, corners)
    if not len(mesh.polygons):
        return
    _check_faces(findings, one, mesh)
    _check_uvs(findings, one, mesh, corners)


def _check_edges(findings: Findings, one: Any, mesh: Any, corners: Corners) -> None:
    met = corners.polygons_per_edge()
    text = "Edges where more than two faces meet: {}."
    findings.add_elements("non_manifold_edges", "error", one, text, met > 2, element="edge")
    findings.add_elements("non_manifold_edges", "warning", one, "Edges without a face: {}.", met == 0, element="edge")
    text = "Edges at an open border, where the shape has a hole or no back: {}."
    findings.add_elements("non_manifold_edges", "info", one, text, met == 1, element="edge")
    loose = np.ones(len(mesh.vertices), dtype=bool)
    loose[column(mesh.edges, "vertices", np.int32, 2)] = False
    findings.add_elements("loose_vertices", "warning", one, "Vertices without an edge: {}.", loose, element="vertex")


def _check_faces(findings: Findings, one: Any, mesh: Any) -> None:
    sides = column(mesh.polygons, "loop_total", np.int32)
    text = "Faces with more than four sides, which engines split in their own way: {}."
    findings.add_elements("ngons", "warning", one, text, sides > 4, element="face")
    positions = column(mesh.vertices, "co", np.float32, 3).astype(np.float64)
    lost = ~np.isfinite(positions).all(axis=1)
    text = "Vertices whose positions are not numbers: {}."
    findings.add_elements("invalid_positions", "error", one, text, lost, element="vertex")
    there = positions[~lost]
    diagonal_squared = float((np.ptp(there, axis=0) ** 2).sum()) if len(there) else 0.0
    areas = column(mesh.polygons, "area", np.float32)
    smallest = max(ZERO_AREA * diagonal_squared, 0.0)
    without = ~(areas > smallest)  # NaN counts as none
    findings.add_elements("zero_area_faces", "error", one, "Faces without area: {}.", without, element="face")


def _check_uvs(findings: Findings, one: Any, mesh: Any, corners: Corners) -> None:
    layer = mesh.uv_layers.active
    if layer is None:
        findings.add("missing_uvs", "warning", one, "It has no UV map; textures and baked light need one.")
        return
    uv = column(layer.uv, "vector", np.float32, 2).astype(np.float64)
    after = uv[corners.next]
    cross = uv[:, 0] * after[:, 1] - after[:, 0] * uv[:, 1]
    signed = np.bincount(corners.polygon, weights=cross, minlength=len(mesh.polygons)) / 2
    text = "Faces that are mirrored in the UV map “" + layer.name.replace("{", "(").replace("}", ")") + "”: {}."
    findings.add_elements("flipped_uvs", "warning", one, text, signed < -ZERO_UV_AREA, element="face")
