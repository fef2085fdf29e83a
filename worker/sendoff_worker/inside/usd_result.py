"""Objects of Blender as a USD file in the units and axes of the scene that was sent, for an application like Maya."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .contents import Contents, Part
from .mesh_arrays import column, triangle_count, turned
from .origin import PATH_PROPERTY, TURNED_PROPERTY, Origin
from .pxr_library import pxr

ROOT = "/sendoff_result"


def write_usd(path: Path, objects: Iterable[tuple[Any, Part]], origin: Origin) -> Contents:
    """Write objects below one root, each at its place in the world; returns what is in the file.

    Args:
        path: The file, .usdc.
        objects: Blender's objects, each with what it is (name and path are filled in here).
        origin: Of the scene that was sent.
    """
    library = pxr()
    layer = library.Sdf.Layer.CreateNew(str(path))
    stage = library.Usd.Stage.Open(layer)
    geometry = library.UsdGeom
    geometry.SetStageMetersPerUnit(stage, origin.metres_per_unit)
    geometry.SetStageUpAxis(stage, geometry.Tokens.z if origin.up_axis == "Z" else geometry.Tokens.y)
    stage.SetDefaultPrim(geometry.Xform.Define(stage, ROOT).GetPrim())
    contents = Contents(file=path.name, origin=origin)
    writer = _Writer(library, stage, origin)
    taken: set[str] = set()
    for one, part in objects:
        name = free_name(part.name or one.name, taken)
        writer.add(one, f"{ROOT}/{name}", part)
        contents.add(
            Part(
                name=name,
                path=f"{ROOT}/{name}",
                source=part.source,
                kind=part.kind,
                level=part.level,
                triangles=triangle_count(one.data),
                uv_layer=part.uv_layer,
            )
        )
    layer.Save()
    return contents


class _Writer:
    """Makes a prim of each object."""

    def __init__(self, library: Any, stage: Any, origin: Origin) -> None:
        self._library = library
        self._stage = stage
        self._origin = origin
        self._materials: dict[str, Any] = {}

    def add(self, one: Any, path: str, part: Part) -> None:
        """One mesh object."""
        library, mesh = self._library, one.data
        prim = library.UsdGeom.Mesh.Define(self._stage, path)
        vt = library.Vt
        points = column(mesh.vertices, "co", np.float32, 3)
        prim.CreatePointsAttr(vt.Vec3fArray.FromNumpy(points))
        counts = column(mesh.polygons, "loop_total", np.int32)
        order = turned(counts) if mesh.get(TURNED_PROPERTY) else np.arange(counts.sum())
        if mesh.get(TURNED_PROPERTY):
            prim.CreateOrientationAttr(library.UsdGeom.Tokens.leftHanded)
        prim.CreateFaceVertexCountsAttr(vt.IntArray.FromNumpy(counts))
        prim.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(column(mesh.loops, "vertex_index", np.int32)[order]))
        prim.CreateSubdivisionSchemeAttr(library.UsdGeom.Tokens.none)
        prim.CreateDoubleSidedAttr(True)
        if len(points):
            prim.CreateExtentAttr(vt.Vec3fArray.FromNumpy(np.stack([points.min(axis=0), points.max(axis=0)])))
        normals = column(mesh.corner_normals, "vector", np.float32, 3)
        prim.CreateNormalsAttr(vt.Vec3fArray.FromNumpy(normals[order]))
        prim.SetNormalsInterpolation(library.UsdGeom.Tokens.faceVarying)
        self._add_uvs(prim, mesh, order)
        self._add_materials(prim, mesh)
        self._place(prim, one, part)
        for name, value in (("source", part.source), ("kind", part.kind)):
            kind = library.Sdf.ValueTypeNames.String
            prim.GetPrim().CreateAttribute(f"userProperties:sendoff_{name}", kind).Set(value)
        if part.level is not None:
            kind = library.Sdf.ValueTypeNames.Int
            prim.GetPrim().CreateAttribute("userProperties:sendoff_level", kind).Set(part.level)

    def _place(self, prim: Any, one: Any, part: Part) -> None:
        """The source's own place, exactly; Blender's own numbers only for what has another."""
        place = self._origin.unmoved(part.source, one.matrix_world)
        if place is None:
            matrix = self._origin.to_blender.inverted() @ one.matrix_world
            place = self._library.Gf.Matrix4d(*(value for row in matrix.transposed() for value in row))
        gf = self._library.Gf
        whole = gf.Transform(place)
        unturned = gf.Matrix4d().SetScale(whole.GetScale()) * gf.Matrix4d().SetRotate(whole.GetRotation())
        if gf.IsClose(unturned * gf.Matrix4d().SetTranslate(whole.GetTranslation()), place, 1e-4):
            turn = whole.GetRotation().Decompose(gf.Vec3d.ZAxis(), gf.Vec3d.YAxis(), gf.Vec3d.XAxis())
            prim.AddTranslateOp().Set(whole.GetTranslation())
            prim.AddRotateXYZOp().Set(gf.Vec3f(turn[2], turn[1], turn[0]))
            prim.AddScaleOp().Set(gf.Vec3f(whole.GetScale()))
        else:  # sheared, by a parent that is scaled in one direction
            prim.AddTransformOp().Set(place)

    def _add_uvs(self, prim: Any, mesh: Any, order: Any) -> None:
        library = self._library
        primvars = library.UsdGeom.PrimvarsAPI(prim)
        for layer in mesh.uv_layers:
            values = column(layer.uv, "vector", np.float32, 2)
            name = re.sub(r"[^A-Za-z0-9_]", "_", layer.name) or "st"
            primvar = primvars.CreatePrimvar(
                name, library.Sdf.ValueTypeNames.TexCoord2fArray, library.UsdGeom.Tokens.faceVarying
            )
            primvar.Set(library.Vt.Vec2fArray.FromNumpy(values[order]))

    def _add_materials(self, prim: Any, mesh: Any) -> None:
        used = [material for material in mesh.materials if material is not None]
        if not used:
            return
        shade = self._library.UsdShade
        if len(mesh.materials) == 1:
            shade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(self._material(used[0]))
            return
        index = column(mesh.polygons, "material_index", np.int32)
        binding = shade.MaterialBindingAPI.Apply(prim.GetPrim())
        for number, material in enumerate(mesh.materials):
            faces = np.flatnonzero(index == number).astype(np.int32)
            if material is None or not len(faces):
                continue
            subset = binding.CreateMaterialBindSubset(f"faces_{number}", self._library.Vt.IntArray.FromNumpy(faces))
            shade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(self._material(material))

    def _material(self, material: Any) -> Any:
        """The material with its network as it was sent; a bare one of the same name where it has none."""
        sent = str(material.get(PATH_PROPERTY) or "")
        name = re.sub(r"[^A-Za-z0-9_]", "_", material.name) or "material"
        if name not in self._materials:
            library, path = self._library, f"{ROOT}/materials/{name}"
            library.UsdGeom.Scope.Define(self._stage, f"{ROOT}/materials")
            prim = self._origin.stage.GetPrimAtPath(sent) if sent and self._origin.stage is not None else None
            if prim:  # the specification as it was written: its paths of textures are the artist's own
                spec = prim.GetPrimStack()[0]
                target = self._stage.GetRootLayer()
                library.Sdf.CopySpec(spec.layer, spec.path, target, library.Sdf.Path(path))
            self._materials[name] = library.UsdShade.Material.Define(self._stage, path)
        return self._materials[name]


def free_name(name: str, taken: set[str]) -> str:
    """A name that USD and Maya take and no other object has; the suffix `_LOD1` stays at its end."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "object"
    plain = f"_{plain}" if plain[0].isdigit() else plain
    stem, mark, level = plain.rpartition("_LOD")
    free, number = plain, 1
    while free in taken:
        free = f"{stem}_{number}{mark}{level}" if mark else f"{plain}_{number}"
        number += 1
    taken.add(free)
    return free
