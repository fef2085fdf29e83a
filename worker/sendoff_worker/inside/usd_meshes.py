"""A mesh of Blender made of a prim of USD: points, faces, UV maps, colours and normals, in the order of the prim."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .mesh_arrays import Corners, column, cut_edges, turned
from .origin import TURNED_PROPERTY
from .pxr_library import pxr
from .usd_shapes import shape_arrays

#: Without normals that tell it, an edge is sharp from this angle on, as in Maya.
SHARP_RADIANS = math.radians(30.0)
#: Of a unit normal's parts: so much is no difference.
SAME_NORMAL = 1e-2
#: Normals that differ by more than this from what the hard edges give are the artist's own, and are kept.
OWN_NORMAL_COSINE = math.cos(math.radians(3.0))
_FLAT = frozenset({"texCoord2f", "float2", "texCoord2d", "double2", "texCoord2h", "half2"})
_COLOURS = frozenset({"color3f", "color3d", "color3h", "color4f", "color4d", "color4h"})
#: Other primvars that Blender's attributes can hold, with the attribute's type, its field and its width.
_OTHERS: dict[str, tuple[str, str, int]] = {
    "float": ("FLOAT", "value", 1),
    "double": ("FLOAT", "value", 1),
    "half": ("FLOAT", "value", 1),
    "int": ("INT", "value", 1),
    **{
        f"{kind}3{width}": ("FLOAT_VECTOR", "vector", 3)
        for kind in ("vector", "point", "normal", "texCoord")
        for width in "fdh"
    },
    **dict.fromkeys(("float3", "double3", "half3"), ("FLOAT_VECTOR", "vector", 3)),
}
_DISPLAY_COLOUR, _DISPLAY_OPACITY = "displayColor", "displayOpacity"
MOST_UV_MAPS = 8


class Unreadable(Exception):
    """The prim's arrays do not fit together. The message is the reason, as it ends a sentence on the mesh."""


@dataclass
class Made:
    """A mesh, and what became of the prim's numbers."""

    mesh: Any
    is_mended: bool
    """Whether elements have other numbers than there."""
    is_invalid: bool = False
    """Whether Blender had to repair it."""
    has_more_uvs: bool = False
    """Whether the prim has more UV sets than Blender holds."""


def make_mesh(prim: Any, time: Any, dress: Callable[[Any, np.ndarray | None], None]) -> Made | None:
    """The mesh of a prim; None for a type that has none here.

    Args:
        prim: The prim.
        time: The time to read it at.
        dress: Gives a mesh its materials; also gets which of the prim's faces it has, None for all.

    Raises:
        Unreadable: Its arrays do not fit together.
    """
    geometry = pxr().UsdGeom
    shape = None if prim.IsA(geometry.Mesh) else shape_arrays(prim, time)
    if shape is not None:
        mesh = _filled(prim, *shape)
        mesh.shade_smooth()
        mesh.set_sharp_from_angle(angle=SHARP_RADIANS)
        dress(mesh, None)
        return Made(mesh, is_mended=True)
    return _MeshReader(prim, time).make(dress) if prim.IsA(geometry.Mesh) else None


class _MeshReader:
    """Reads one mesh prim."""

    def __init__(self, prim: Any, time: Any) -> None:
        self._prim = prim
        self._time = time
        self._schema = pxr().UsdGeom.Mesh(prim)
        points, counts, corners = self._arrays()
        self._kept = self._faces_to_keep(counts)
        self._all_counts = counts
        self._kept_corners = None if self._kept is None else np.repeat(self._kept, counts)
        if self._kept is not None:
            counts, corners = counts[self._kept], corners[self._kept_corners]
        self._points, self._counts = points, counts
        tokens = pxr().UsdGeom.Tokens
        is_left = self._schema.GetOrientationAttr().Get(time) == tokens.leftHanded
        # Each face is turned round, and its first corner stays.
        self._turn = turned(counts) if is_left else None
        self._has_more_uvs = False
        self._corners = corners if self._turn is None else corners[self._turn]

    def make(self, dress: Callable[[Any, np.ndarray | None], None]) -> Made:
        """Make the mesh with all its layers and materials."""
        mesh = _filled(self._prim, self._points, self._counts, self._corners)
        mesh[TURNED_PROPERTY] = self._turn is not None
        self._add_primvars(mesh)
        dress(mesh, self._kept)
        before = len(mesh.vertices), len(mesh.loops), len(mesh.polygons)
        normals = self._normals()
        is_invalid = bool(mesh.validate(verbose=False, clean_customdata=False))
        if (len(mesh.vertices), len(mesh.loops), len(mesh.polygons)) != before:
            normals = None
        mesh.shade_smooth()
        self._shade(mesh, normals)
        return Made(
            mesh,
            is_mended=is_invalid or self._kept is not None,
            is_invalid=is_invalid,
            has_more_uvs=self._has_more_uvs,
        )

    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (n, 3), corners of each face and their points, checked."""
        read = [
            self._schema.GetPointsAttr().Get(self._time),
            self._schema.GetFaceVertexCountsAttr().Get(self._time),
            self._schema.GetFaceVertexIndicesAttr().Get(self._time),
        ]
        if any(one is None for one in read):
            raise Unreadable("has no faces at this time")
        points = np.array(read[0], dtype=np.float32).reshape(-1, 3)
        counts, corners = np.array(read[1], dtype=np.int32), np.array(read[2], dtype=np.int32)
        if (counts < 0).any() or len(corners) != counts.sum():
            raise Unreadable("has other corners than its faces need")
        if not np.isfinite(points).all():
            raise Unreadable("has points whose positions are not numbers")
        if len(corners) and not 0 <= corners.min() <= corners.max() < len(points):
            raise Unreadable("has faces of points that it lacks")
        return points, counts, corners

    def _faces_to_keep(self, counts: np.ndarray) -> np.ndarray | None:
        """All faces but holes and those of fewer than three corners."""
        kept = counts >= 3
        holes = np.array(self._schema.GetHoleIndicesAttr().Get(self._time) or [], dtype=np.int64)
        kept[holes[(holes >= 0) & (holes < len(kept))]] = False
        return None if kept.all() else kept

    def _values(self, values: Any, interpolation: str, width: int) -> tuple[str, np.ndarray] | None:
        """The domain ("POINT" or "CORNER") of a primvar's values, and the values in Blender's order; None if unfit."""
        flat = np.array(values, dtype=np.float32 if width else None)
        flat = flat.reshape(-1, width) if width > 1 else flat.reshape(-1)
        counts = self._all_counts
        if interpolation in ("vertex", "varying"):
            return ("POINT", flat) if len(flat) == len(self._points) else None
        if interpolation == "uniform" and len(flat) == len(counts):
            flat = np.repeat(flat, counts, axis=0)
        elif interpolation != "faceVarying" or len(flat) != counts.sum():
            return None
        if self._kept_corners is not None:
            flat = flat[self._kept_corners]
        return "CORNER", flat if self._turn is None else flat[self._turn]

    def _add_primvars(self, mesh: Any) -> None:
        api = pxr().UsdGeom.PrimvarsAPI(self._prim)
        for primvar in api.GetPrimvarsWithValues():
            name, kind = str(primvar.GetPrimvarName()), str(primvar.GetTypeName()).removesuffix("[]")
            interpolation = str(primvar.GetInterpolation())
            if interpolation == "constant" or name == "normals" or name.startswith("skel:"):
                continue
            if kind in _COLOURS or name == _DISPLAY_COLOUR:
                self._add_colours(mesh, name, primvar, 4 if "4" in kind else 3)
            elif kind in _FLAT:
                self._add_uvs(mesh, name, self._values(primvar.ComputeFlattened(self._time), interpolation, 2))
            elif kind in _OTHERS and name != _DISPLAY_OPACITY:
                data_type, attribute, width = _OTHERS[kind]
                found = self._values(primvar.ComputeFlattened(self._time), interpolation, width)
                layer = mesh.attributes.new(name, data_type, found[0]) if found else None
                if found and layer is not None:
                    flat = found[1].astype(np.int32 if data_type == "INT" else np.float32)
                    layer.data.foreach_set(attribute, flat.ravel())

    def _add_uvs(self, mesh: Any, name: str, found: tuple[str, np.ndarray] | None) -> None:
        if found is None:
            return
        if len(mesh.uv_layers) >= MOST_UV_MAPS:
            self._has_more_uvs = True
            return
        domain, values = found
        values = values[self._corners] if domain == "POINT" else values
        layer = mesh.uv_layers.new(name=name, do_init=False)
        if layer is not None:
            layer.uv.foreach_set("vector", np.ascontiguousarray(values).ravel())

    def _add_colours(self, mesh: Any, name: str, primvar: Any, width: int) -> None:
        found = self._values(primvar.ComputeFlattened(self._time), str(primvar.GetInterpolation()), width)
        if found is None:
            return
        domain, values = found
        colours = np.ones((len(values), 4), dtype=np.float32)
        colours[:, :width] = values
        if name == _DISPLAY_COLOUR:
            self._set_opacity(colours, domain)
        layer = mesh.color_attributes.new(name, "FLOAT_COLOR", domain)
        layer.data.foreach_set("color", colours.ravel())

    def _set_opacity(self, colours: np.ndarray, domain: str) -> None:
        primvar = pxr().UsdGeom.PrimvarsAPI(self._prim).GetPrimvar(_DISPLAY_OPACITY)
        if not primvar or not primvar.HasValue():
            return
        values = primvar.ComputeFlattened(self._time)
        if str(primvar.GetInterpolation()) == "constant":
            colours[:, 3] = values[0] if len(values) else 1.0
            return
        found = self._values(values, str(primvar.GetInterpolation()), 1)
        if found and found[0] == domain:
            colours[:, 3] = found[1]
        elif found and found[0] == "POINT":
            colours[:, 3] = found[1][self._corners]

    def _normals(self) -> tuple[str, np.ndarray] | None:
        """The prim's own normals with their interpolation: of points, faces or corners, in Blender's order."""
        geometry = pxr().UsdGeom
        primvar = geometry.PrimvarsAPI(self._prim).GetPrimvar("normals")  # goes before the attribute
        if primvar and primvar.HasValue():
            values, interpolation = primvar.ComputeFlattened(self._time), str(primvar.GetInterpolation())
        else:
            values = self._schema.GetNormalsAttr().Get(self._time)
            interpolation = str(self._schema.GetNormalsInterpolation())
        is_shown = self._schema.GetSubdivisionSchemeAttr().Get(self._time) == geometry.Tokens.none
        if not is_shown or values is None:
            return None
        found = self._values(values, interpolation, 3)
        if found is None or not np.isfinite(found[1]).all():
            return None
        return interpolation, found[1]

    def _shade(self, mesh: Any, normals: tuple[str, np.ndarray] | None) -> None:
        """Make those edges hard that the prim's normals make hard; keep the normals if hard edges do not give them."""
        if normals is None:
            mesh.set_sharp_from_angle(angle=SHARP_RADIANS)
            return
        interpolation, values = normals
        if interpolation in ("vertex", "varying"):
            values = values[self._corners]
            sharp = np.zeros(len(mesh.edges), dtype=bool)
        elif interpolation == "uniform":
            sharp = np.ones(len(mesh.edges), dtype=bool)
        else:
            sharp = cut_edges(Corners.of(mesh), values, SAME_NORMAL)
        mesh.edges.foreach_set("use_edge_sharp", sharp)
        mesh.update()
        if not len(mesh.loops):
            return
        given = column(mesh.corner_normals, "vector", np.float32, 3)
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        own = np.where(lengths > 1e-6, values / np.maximum(lengths, 1e-6), given)
        if ((own * given).sum(axis=1) < OWN_NORMAL_COSINE).any():
            mesh.normals_split_custom_set(own)


def _filled(prim: Any, points: np.ndarray, counts: np.ndarray, corners: np.ndarray) -> Any:
    mesh = bpy.data.meshes.new(prim.GetName())
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(points, dtype=np.float32).ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(counts))
    starts = np.zeros(len(counts), dtype=np.int32)
    np.cumsum(counts[:-1], out=starts[1:])
    mesh.polygons.foreach_set("loop_start", starts)
    mesh.update(calc_edges=True)
    return mesh
