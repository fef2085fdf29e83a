"""A USD scene in Blender: every mesh with the faces, vertices and places that it was sent with.

Read by Pixar's library and not by Blender's importer: that one renames objects, and leaves out faces that it does not
like, while a finding names an element by its number, and a level of detail its original by its path.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from .job import Job, JobFailed
from .mesh_arrays import Corners, cut_edges, turned
from .origin import MENDED_PROPERTY, PATH_PROPERTY, SCALE_PROPERTY, TURNED_PROPERTY, Origin
from .pxr_library import pxr

SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")
#: Without normals that tell it, an edge is sharp from this angle on, as in Maya.
SHARP_RADIANS = math.radians(30.0)
#: Of a unit normal's parts: so much is no difference.
SAME_NORMAL = 1e-2
_FLAT_UVS = ("texCoord2f[]", "float2[]", "texCoord2d[]", "double2[]", "texCoord2h[]", "half2[]")


def open_usd(job: Job, path: Path, root: Path) -> None:
    """Open a USD file in an empty scene; `job.origin` tells where it came from. Nothing outside `root` is read of it.

    Raises:
        JobFailed: The file cannot be read as USD.
    """
    library = pxr()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    try:
        stage = library.Usd.Stage.Open(str(path))
    except Exception as error:
        print(f"{path}: {error}")
        stage = None
    if stage is None:
        raise JobFailed(
            f"{path.name} cannot be opened as USD: it is damaged or incomplete. Export it and send it again."
        )
    _leave_out_foreign_layers(job, stage, root.resolve())
    geometry = library.UsdGeom
    job.origin = Origin(
        kind="usd",
        metres_per_unit=float(geometry.GetStageMetersPerUnit(stage)) or 0.01,
        up_axis="Z" if geometry.GetStageUpAxis(stage) == geometry.Tokens.z else "Y",
        stage=stage,
    )
    reader = _Reader(job, library, job.origin)
    predicate = library.Usd.TraverseInstanceProxies(library.Usd.PrimDefaultPredicate)
    for prim in library.Usd.PrimRange.Stage(stage, predicate):
        if prim.IsA(geometry.Mesh):
            reader.add(prim)
    bpy.context.view_layer.update()  # only then is a sheared place what Blender can hold of it
    job.origin.imported.update({path: one.matrix_world.copy() for path, one in reader.objects.items()})


def _leave_out_foreign_layers(job: Job, stage: Any, root: Path) -> None:
    """A scene may name any path: what lies outside its workspace belongs to the machine or to other people."""
    for layer in stage.GetUsedLayers():
        real = layer.realPath.partition("[")[0]  # of a package, what lies in it stands in brackets
        if real and not Path(real).resolve().is_relative_to(root):
            job.warn(f"“{Path(real).name}” did not come along with the scene; what it holds is missing.")
            stage.MuteLayer(layer.identifier)


class _Reader:
    """Makes an object of each mesh."""

    def __init__(self, job: Job, library: Any, origin: Origin) -> None:
        self._job = job
        self._library = library
        self._origin = origin
        self._time = library.Usd.TimeCode.EarliestTime()
        self._places = library.UsdGeom.XformCache(self._time)
        self._materials: dict[str, Any] = {}
        #: By the path of the prim that each was made of.
        self.objects: dict[str, Any] = {}

    def add(self, prim: Any) -> None:
        """One mesh prim."""
        name, path = prim.GetName(), str(prim.GetPath())
        arrays = self._arrays(prim)
        if arrays is None:
            self._job.warn(f"“{name}” is not a mesh that can be read; it is left out.")
            return
        points, counts, corners = arrays
        turn = self._turn(prim, counts)
        mesh = bpy.data.meshes.new(name)
        mesh[TURNED_PROPERTY] = turn is not None
        _fill(mesh, points, counts, corners if turn is None else corners[turn])
        self._add_uvs(mesh, prim, counts, corners, turn)
        self._add_materials(mesh, prim)
        one = bpy.data.objects.new(name, mesh)
        if mesh.validate(verbose=False, clean_customdata=False):
            one[MENDED_PROPERTY] = True
            self._job.warn(f"“{name}” has invalid geometry, which was repaired for this job.")
        mesh.shade_smooth()
        sharp = self._sharp_edges(mesh, prim, corners, turn)
        if sharp is None:
            mesh.set_sharp_from_angle(angle=SHARP_RADIANS)
        else:
            mesh.edges.foreach_set("use_edge_sharp", sharp)
        one[PATH_PROPERTY] = path
        one[SCALE_PROPERTY] = self._scale(prim)
        place = self._places.GetLocalToWorldTransform(prim)
        self._origin.places[path] = place
        self.objects[path] = one
        bpy.context.scene.collection.objects.link(one)
        one.matrix_world = self._origin.to_blender @ Matrix([list(place.GetColumn(row)) for row in range(4)])

    def _scale(self, prim: Any) -> list[float]:
        """The prim's own scale: as it is written, or what its matrix holds."""
        geometry = self._library.UsdGeom
        operations = geometry.Xformable(prim).GetOrderedXformOps()
        if any(one.GetOpType() == geometry.XformOp.TypeTransform for one in operations):
            local = geometry.Xformable(prim).GetLocalTransformation(self._time)
            sign = -1.0 if local.GetDeterminant() < 0 else 1.0
            return [sign * abs(part) for part in self._library.Gf.Transform(local).GetScale()]
        scale = [1.0, 1.0, 1.0]
        for one in operations:
            if one.GetOpType() == geometry.XformOp.TypeScale:
                scale = [own * part for own, part in zip(scale, one.Get(self._time), strict=True)]
        return scale

    def _arrays(self, prim: Any) -> tuple[Any, Any, Any] | None:
        """Points (n, 3), corners of each face and their points, checked; None where they do not fit."""
        mesh = self._library.UsdGeom.Mesh(prim)
        read = [
            mesh.GetPointsAttr().Get(self._time),
            mesh.GetFaceVertexCountsAttr().Get(self._time),
            mesh.GetFaceVertexIndicesAttr().Get(self._time),
        ]
        if any(one is None for one in read):
            return None
        points = np.array(read[0], dtype=np.float32).reshape(-1, 3)
        counts, corners = np.array(read[1], dtype=np.int32), np.array(read[2], dtype=np.int32)
        fits = len(corners) == counts.sum() and (counts >= 3).all() and np.isfinite(points).all()
        if not fits or (len(corners) and not 0 <= corners.min() <= corners.max() < len(points)):
            return None
        return points, counts, corners

    def _turn(self, prim: Any, counts: Any) -> Any:
        """For a left-handed mesh, the order of the corners that turns each face round, its first corner staying."""
        geometry = self._library.UsdGeom
        if geometry.Mesh(prim).GetOrientationAttr().Get(self._time) != geometry.Tokens.leftHanded:
            return None
        return turned(counts)

    def _sharp_edges(self, mesh: Any, prim: Any, corners: Any, turn: Any) -> Any:
        """The edges that the mesh's own normals make hard; None where it has no such normals."""
        geometry = self._library.UsdGeom
        schema = geometry.Mesh(prim)
        primvar = geometry.PrimvarsAPI(prim).GetPrimvar("normals")  # goes before the attribute
        if primvar and primvar.HasValue():
            values, interpolation = primvar.ComputeFlattened(self._time), primvar.GetInterpolation()
        else:
            values, interpolation = schema.GetNormalsAttr().Get(self._time), schema.GetNormalsInterpolation()
        is_shown = schema.GetSubdivisionSchemeAttr().Get(self._time) == geometry.Tokens.none
        if not is_shown or values is None or len(mesh.loops) != len(corners):
            return None
        normals = np.array(values, dtype=np.float32).reshape(-1, 3)
        if interpolation in ("vertex", "varying") and len(normals) == len(mesh.vertices):
            return np.zeros(len(mesh.edges), dtype=bool)
        if interpolation == "uniform" and len(normals) == len(mesh.polygons):
            return np.ones(len(mesh.edges), dtype=bool)
        if interpolation != "faceVarying" or len(normals) != len(corners):
            return None
        return cut_edges(Corners.of(mesh), normals if turn is None else normals[turn], SAME_NORMAL)

    def _add_uvs(self, mesh: Any, prim: Any, counts: Any, corners: Any, turn: Any) -> None:
        for primvar in self._library.UsdGeom.PrimvarsAPI(prim).GetPrimvarsWithValues():
            if str(primvar.GetTypeName()) not in _FLAT_UVS:
                continue
            values = np.array(primvar.ComputeFlattened(self._time), dtype=np.float32).reshape(-1, 2)
            interpolation = primvar.GetInterpolation()
            if interpolation in ("vertex", "varying") and len(values) == len(mesh.vertices):
                values = values[corners]
            elif interpolation == "uniform" and len(values) == len(counts):
                values = np.repeat(values, counts, axis=0)
            if len(values) != len(corners):
                continue
            values = values if turn is None else values[turn]
            layer = mesh.uv_layers.new(name=primvar.GetPrimvarName(), do_init=False)
            if layer is not None:
                layer.uv.foreach_set("vector", np.ascontiguousarray(values).ravel())

    def _add_materials(self, mesh: Any, prim: Any) -> None:
        shade = self._library.UsdShade
        binding = shade.MaterialBindingAPI(prim)
        whole, _ = binding.ComputeBoundMaterial()
        if whole:
            mesh.materials.append(self._material(whole))
        index = np.zeros(len(mesh.polygons), dtype=np.int32)
        for subset in binding.GetMaterialBindSubsets():
            bound, _ = shade.MaterialBindingAPI(subset.GetPrim()).ComputeBoundMaterial()
            faces = np.array(subset.GetIndicesAttr().Get(self._time) or [], dtype=np.int64)
            if bound and len(faces) and faces.min() >= 0 and faces.max() < len(index):
                index[faces] = len(mesh.materials)
                mesh.materials.append(self._material(bound))
        if index.any():
            mesh.polygons.foreach_set("material_index", index)

    def _material(self, bound: Any) -> Any:
        path = str(bound.GetPath())
        if path not in self._materials:
            made = bpy.data.materials.new(bound.GetPrim().GetName())
            made[PATH_PROPERTY] = path
            self._materials[path] = made
        return self._materials[path]


def _fill(mesh: Any, points: Any, counts: Any, corners: Any) -> None:
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", points.ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(counts))
    starts = np.zeros(len(counts), dtype=np.int32)
    np.cumsum(counts[:-1], out=starts[1:])
    mesh.polygons.foreach_set("loop_start", starts)
    mesh.update(calc_edges=True)
