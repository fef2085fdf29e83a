"""What can be wrong with one mesh; all of it on arrays, so that a million faces take a second or two."""

from __future__ import annotations

from typing import Any

import numpy as np

from .findings import Findings
from .mesh_arrays import Corners, column

ZERO_AREA = 1e-12
"""A face smaller than this part of its mesh's diagonal squared has no area."""
ZERO_UV_AREA = 1e-10


def check_mesh(findings: Findings, name: str, mesh: Any) -> None:
    """Add what is found on the mesh; indices are those of the mesh as the artist edits it, before modifiers."""
    if not len(mesh.vertices):
        return
    corners = Corners.of(mesh)
    _check_edges(findings, name, mesh, corners)
    if not len(mesh.polygons):
        return
    _check_faces(findings, name, mesh)
    _check_uvs(findings, name, mesh, corners)


def _check_edges(findings: Findings, name: str, mesh: Any, corners: Corners) -> None:
    met = corners.polygons_per_edge()
    text = "Edges where more than two faces meet: {}."
    findings.add_elements("non_manifold_edges", "error", name, text, met > 2)
    findings.add_elements("non_manifold_edges", "warning", name, "Edges without a face: {}.", met == 0)
    text = "Edges at an open border, where the shape has a hole or no back: {}."
    findings.add_elements("non_manifold_edges", "info", name, text, met == 1)
    loose = np.ones(len(mesh.vertices), dtype=bool)
    loose[column(mesh.edges, "vertices", np.int32, 2)] = False
    findings.add_elements("loose_vertices", "warning", name, "Vertices without an edge: {}.", loose)


def _check_faces(findings: Findings, name: str, mesh: Any) -> None:
    sides = column(mesh.polygons, "loop_total", np.int32)
    text = "Faces with more than four sides, which engines split in their own way: {}."
    findings.add_elements("ngons", "warning", name, text, sides > 4)
    positions = column(mesh.vertices, "co", np.float32, 3)
    diagonal_squared = float(((positions.max(axis=0) - positions.min(axis=0)) ** 2).sum())
    areas = column(mesh.polygons, "area", np.float32)
    smallest = max(ZERO_AREA * diagonal_squared, 0.0)
    without = ~(areas > smallest)  # NaN counts as none
    findings.add_elements("zero_area_faces", "error", name, "Faces without area: {}.", without)


def _check_uvs(findings: Findings, name: str, mesh: Any, corners: Corners) -> None:
    layer = mesh.uv_layers.active
    if layer is None:
        findings.add("missing_uvs", "warning", name, "It has no UV map; textures and baked light need one.")
        return
    uv = column(layer.uv, "vector", np.float32, 2).astype(np.float64)
    after = uv[corners.next]
    cross = uv[:, 0] * after[:, 1] - after[:, 0] * uv[:, 1]
    signed = np.bincount(corners.polygon, weights=cross, minlength=len(mesh.polygons)) / 2
    text = "Faces that are mirrored in the UV map “" + layer.name.replace("{", "(").replace("}", ")") + "”: {}."
    findings.add_elements("flipped_uvs", "warning", name, text, signed < -ZERO_UV_AREA)
