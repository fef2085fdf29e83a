"""One mesh of Blender as a prim of USD: faces, normals, UV maps, colours, other attributes and materials."""

from __future__ import annotations

from typing import Any

import numpy as np

from .mesh_arrays import column, turned
from .origin import TURNED_PROPERTY
from .pxr_library import pxr
from .usd_names import free_name
from .usd_result_materials import ResultMaterials

_DISPLAY_COLOUR = "displayColor"
#: Attributes that Blender makes itself, which other applications have in other places.
_BLENDERS_OWN = frozenset(
    {"position", "sharp_edge", "sharp_face", "material_index", "custom_normal", "id", "normal", "velocity"}
)
_INTERPOLATIONS = {"POINT": "vertex", "CORNER": "faceVarying", "FACE": "uniform"}


def write_mesh(prim: Any, one: Any, materials: ResultMaterials, sent: Any) -> None:
    """Write the mesh of an object.

    Args:
        prim: The UsdGeom.Mesh.
        one: Blender's object; its slots say which materials the faces have.
        materials: Writes materials.
        sent: The prim that the mesh was made of, if there is one: colours keep the type that they have there.
    """
    library, mesh = pxr(), one.data
    vt, tokens = library.Vt, library.UsdGeom.Tokens
    points = column(mesh.vertices, "co", np.float32, 3)
    prim.CreatePointsAttr(vt.Vec3fArray.FromNumpy(points))
    counts = column(mesh.polygons, "loop_total", np.int32)
    order = turned(counts) if mesh.get(TURNED_PROPERTY) else np.arange(counts.sum())
    if mesh.get(TURNED_PROPERTY):
        prim.CreateOrientationAttr(tokens.leftHanded)
    prim.CreateFaceVertexCountsAttr(vt.IntArray.FromNumpy(counts))
    prim.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(column(mesh.loops, "vertex_index", np.int32)[order]))
    prim.CreateSubdivisionSchemeAttr(tokens.none)
    prim.CreateDoubleSidedAttr(True)
    if len(points):
        prim.CreateExtentAttr(vt.Vec3fArray.FromNumpy(np.stack([points.min(axis=0), points.max(axis=0)])))
    normals = column(mesh.corner_normals, "vector", np.float32, 3)
    prim.CreateNormalsAttr(vt.Vec3fArray.FromNumpy(normals[order]))
    prim.SetNormalsInterpolation(tokens.faceVarying)
    uv_name = _Primvars(prim, mesh, order, sent).write()
    _add_materials(prim, one, materials, uv_name)


class _Primvars:
    """Writes the layers of one mesh."""

    def __init__(self, prim: Any, mesh: Any, order: np.ndarray, sent: Any) -> None:
        self._api = pxr().UsdGeom.PrimvarsAPI(prim)
        self._mesh = mesh
        self._order = order
        self._sent = pxr().UsdGeom.PrimvarsAPI(sent) if sent is not None else None
        self._taken = {"normals"}

    def write(self) -> str:
        """Write all layers; returns the name of the UV map that textures lie on."""
        types, vt, mesh = pxr().Sdf.ValueTypeNames, pxr().Vt, self._mesh
        shown, done = "st", set()
        for layer in mesh.uv_layers:
            values = column(layer.uv, "vector", np.float32, 2)[self._order]
            name = self._set(layer.name, types.TexCoord2fArray, "faceVarying", vt.Vec2fArray.FromNumpy(values), "st")
            shown = name if layer.active_render else shown
            done.add(layer.name)
        for layer in mesh.color_attributes:
            self._add_colours(layer)
            done.add(layer.name)
        for layer in mesh.attributes:
            if layer.name not in done and layer.name not in _BLENDERS_OWN and not layer.name.startswith("."):
                self._add_other(layer)
        self._copy_constants()
        return shown

    def _copy_constants(self) -> None:
        """Primvars of one value for the whole mesh, such as the colour that Maya shows, as they were sent."""
        for primvar in self._sent.GetPrimvarsWithValues() if self._sent is not None else ():
            name = str(primvar.GetPrimvarName())
            if str(primvar.GetInterpolation()) != "constant" or name in self._taken or name.startswith("skel:"):
                continue
            if "asset" in str(primvar.GetTypeName()):  # a path, which would be a worker's
                continue
            value = primvar.ComputeFlattened(pxr().Usd.TimeCode.EarliestTime())
            if value is not None:
                self._taken.add(name)
                self._api.CreatePrimvar(name, primvar.GetTypeName(), "constant").Set(value)

    def _add_colours(self, layer: Any) -> None:
        types, vt = pxr().Sdf.ValueTypeNames, pxr().Vt
        interpolation = _INTERPOLATIONS.get(layer.domain)
        if interpolation is None or not len(layer.data):
            return
        values = column(layer.data, "color", np.float32, 4)
        values = values[self._order] if layer.domain == "CORNER" else values
        has_alpha = bool((np.abs(values[:, 3] - 1.0) > 1e-6).any())
        plain = vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values[:, :3]))
        if layer.name == _DISPLAY_COLOUR:
            self._set(layer.name, types.Color3fArray, interpolation, plain)
            if has_alpha:
                alpha = vt.FloatArray.FromNumpy(np.ascontiguousarray(values[:, 3]))
                self._set("displayOpacity", types.FloatArray, interpolation, alpha)
            return
        sent = self._sent.GetPrimvar(layer.name) if self._sent is not None and _is_name(layer.name) else None
        if sent and "color3" in str(sent.GetTypeName()) and not has_alpha:
            self._set(layer.name, types.Color3fArray, interpolation, plain)
        else:
            self._set(layer.name, types.Color4fArray, interpolation, vt.Vec4fArray.FromNumpy(values))

    def _add_other(self, layer: Any) -> None:
        types, vt = pxr().Sdf.ValueTypeNames, pxr().Vt
        kinds = {
            "FLOAT": (types.FloatArray, vt.FloatArray, "value", np.float32, 1),
            "INT": (types.IntArray, vt.IntArray, "value", np.int32, 1),
            "FLOAT_VECTOR": (types.Float3Array, vt.Vec3fArray, "vector", np.float32, 3),
        }
        interpolation = _INTERPOLATIONS.get(layer.domain)
        if interpolation is None or layer.data_type not in kinds or not len(layer.data):
            return
        kind, array, attribute, dtype, width = kinds[layer.data_type]
        values = column(layer.data, attribute, dtype, width)
        values = values[self._order] if layer.domain == "CORNER" else values
        self._set(layer.name, kind, interpolation, array.FromNumpy(np.ascontiguousarray(values)))

    def _set(self, name: str, kind: Any, interpolation: str, values: Any, fallback: str = "layer") -> str:
        free = self._free_name(name, fallback)
        primvar = self._api.CreatePrimvar(free, kind, interpolation)
        primvar.Set(values)
        if free != name:
            primvar.GetAttr().SetDisplayName(name)
        return free

    def _free_name(self, name: str, fallback: str) -> str:
        """The layer's own name, of any script, if USD takes it; a colon only if the scene that was sent has it so."""
        is_taken = name in self._taken or not _is_name(name)
        if is_taken or (":" in name and not (self._sent is not None and self._sent.HasPrimvar(name))):
            return free_name(name, self._taken, fallback)
        self._taken.add(name)
        return name


def _is_name(name: str) -> bool:
    return bool(pxr().Sdf.Path.IsValidNamespacedIdentifier(name))


def _add_materials(prim: Any, one: Any, materials: ResultMaterials, uv_name: str) -> None:
    shade = pxr().UsdShade
    slots = [slot.material for slot in one.material_slots]
    if not any(slots):
        return
    # A face whose number is past the last slot has the last one, as in Blender.
    index = np.minimum(column(one.data.polygons, "material_index", np.int32), len(slots) - 1)
    used = sorted(set(index.tolist()))
    binding = shade.MaterialBindingAPI.Apply(prim.GetPrim())
    if len(used) <= 1:
        material = slots[used[0]] if used else next(slot for slot in slots if slot)
        if material is not None:
            binding.Bind(materials.get(material, uv_name))
        return
    for number in used:
        if slots[number] is None:
            continue
        faces = np.flatnonzero(index == number).astype(np.int32)
        subset = binding.CreateMaterialBindSubset(f"faces_{number}", pxr().Vt.IntArray.FromNumpy(faces))
        shade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(materials.get(slots[number], uv_name))
