"""Objects of Blender as a USD file in the units and axes of the scene that was sent, for an application like Maya."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .contents import Contents, Part, own_properties
from .imported_paths import Original
from .mesh_arrays import triangle_count
from .origin import Origin
from .pxr_library import pxr
from .usd_names import free_name, sent_name
from .usd_result_materials import ResultMaterials
from .usd_result_meshes import write_mesh

ROOT = "/sendoff_result"
#: Meshes that several objects share. They are classes: an application shows only what refers to them.
SHARED = "/sendoff_meshes"


def write_usd(
    path: Path, objects: Iterable[tuple[Any, Part]], origin: Origin, *, original: Original | None = None
) -> Contents:
    """Write objects below one root, each at its place in the world; returns what is in the file.

    Objects that share a mesh are plain prims that refer to one class: the file holds the mesh once, and Maya, which
    flattens references, gets ordinary meshes. With `instanceable` prims it would get a transform around each.

    Args:
        path: The file, .usdc.
        objects: Blender's objects, each with what it is (name and path are filled in here).
        origin: Of the scene that was sent.
        original: Tells the path of an image as the artist's scene has it; without it, images have names only.
    """
    library = pxr()
    layer = library.Sdf.Layer.CreateNew(str(path))
    stage = library.Usd.Stage.Open(layer)
    geometry = library.UsdGeom
    geometry.SetStageMetersPerUnit(stage, origin.metres_per_unit)
    geometry.SetStageUpAxis(stage, geometry.Tokens.z if origin.up_axis == "Z" else geometry.Tokens.y)
    stage.SetDefaultPrim(geometry.Xform.Define(stage, ROOT).GetPrim())
    contents = Contents(file=path.name, origin=origin)
    wanted = list(objects)
    writer = _Writer(stage, origin, original, Counter(_look(one) for one, _ in wanted))
    taken = {"materials"}
    for one, part in wanted:
        name = (sent_name if origin.kind == "usd" else free_name)(part.name or one.name, taken)
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


def _look(one: Any) -> tuple[Any, ...]:
    """Equal for objects that show the same mesh with the same materials."""
    return (one.data, *(slot.material for slot in one.material_slots))


class _Writer:
    """Makes a prim of each object."""

    def __init__(self, stage: Any, origin: Origin, original: Original | None, uses: Counter[Any]) -> None:
        self._stage = stage
        self._origin = origin
        self._to_file = origin.to_blender.inverted()
        self._materials = ResultMaterials(stage, f"{ROOT}/materials", origin, original)
        self._uses = uses
        self._shared: dict[Any, str] = {}
        self._taken: set[str] = set()

    def add(self, one: Any, path: str, part: Part) -> None:
        """One mesh object."""
        sdf, look, name = pxr().Sdf, _look(one), path.rpartition("/")[2]
        shared = ""
        if self._uses[look] > 1:
            if look not in self._shared:
                self._shared[look] = self._share(one, part)
            shared = self._shared[look]
        else:
            write_mesh(pxr().UsdGeom.Mesh.Define(self._stage, path), one, self._materials, self._sent(part))
        # As specifications in one change: with thousands of instances, a stage that follows each step takes minutes.
        with sdf.ChangeBlock():
            layer = self._stage.GetRootLayer()
            spec = layer.GetPrimAtPath(path) or sdf.PrimSpec(layer.GetPrimAtPath(ROOT), name, sdf.SpecifierDef, "Mesh")
            if shared:
                spec.referenceList.Prepend(sdf.Reference(primPath=shared))
            if (part.name or one.name) != name:
                spec.SetInfo("displayName", part.name or one.name)
            self._place(spec, one, part)
            self._describe(spec, one, part)

    def _share(self, one: Any, part: Part) -> str:
        if not self._shared:
            self._stage.CreateClassPrim(SHARED)
        path = f"{SHARED}/{free_name(one.data.name, self._taken, fallback='mesh')}"
        write_mesh(pxr().UsdGeom.Mesh(self._stage.DefinePrim(path, "Mesh")), one, self._materials, self._sent(part))
        return path

    def _sent(self, part: Part) -> Any:
        """The prim that a part was made of; None if it is not a prim of the scene that was sent."""
        stage = self._origin.stage
        path = re.sub(r"\[\d+\].*", "", part.source)
        is_path = stage is not None and pxr().Sdf.Path.IsValidPathString(path) and path.startswith("/")
        prim = stage.GetPrimAtPath(path) if is_path else None
        return prim if prim and prim.IsA(pxr().UsdGeom.Mesh) else None

    def _describe(self, spec: Any, one: Any, part: Part) -> None:
        """What the object is, and the artist's own properties."""
        types = pxr().Sdf.ValueTypeNames
        kinds = {bool: types.Bool, int: types.Int64, float: types.Double, str: types.String, list: types.DoubleArray}
        written = set()
        for name, value in own_properties(one).items():
            steps = (re.sub(r"[^A-Za-z0-9_]", "_", step) or "_" for step in name.split(":"))
            plain = ":".join(f"_{step}" if step[0].isdigit() else step for step in steps)
            if plain in written:  # two names that differ by what USD does not take
                continue
            written.add(plain)
            array = pxr().Vt.DoubleArray([float(part) for part in value]) if isinstance(value, list) else value
            _set(spec, f"userProperties:{plain}", kinds[type(value)], array, is_custom=True)
        _set(spec, "userProperties:sendoff_source", types.String, part.source, is_custom=True)
        _set(spec, "userProperties:sendoff_kind", types.String, part.kind, is_custom=True)
        if part.level is not None:
            _set(spec, "userProperties:sendoff_level", types.Int, part.level, is_custom=True)

    def _place(self, spec: Any, one: Any, part: Part) -> None:
        """The source's own place, exactly; Blender's own numbers only for what has another."""
        gf, types = pxr().Gf, pxr().Sdf.ValueTypeNames
        place = self._origin.unmoved(part.source, one.matrix_world)
        if place is None:
            matrix = self._to_file @ one.matrix_world
            place = gf.Matrix4d(*(value for row in matrix.transposed() for value in row))
        whole = gf.Transform(place)
        unturned = gf.Matrix4d().SetScale(whole.GetScale()) * gf.Matrix4d().SetRotate(whole.GetRotation())
        operations: list[tuple[str, Any, Any]] = []
        if gf.IsClose(unturned * gf.Matrix4d().SetTranslate(whole.GetTranslation()), place, 1e-4):
            turn = whole.GetRotation().Decompose(gf.Vec3d.ZAxis(), gf.Vec3d.YAxis(), gf.Vec3d.XAxis())
            operations = [
                ("xformOp:translate", types.Double3, whole.GetTranslation()),
                ("xformOp:rotateXYZ", types.Float3, gf.Vec3f(turn[2], turn[1], turn[0])),
                ("xformOp:scale", types.Float3, gf.Vec3f(whole.GetScale())),
            ]
        else:  # sheared, by a parent that is scaled in one direction
            operations = [("xformOp:transform", types.Matrix4d, place)]
        for name, kind, value in operations:
            _set(spec, name, kind, value)
        order = pxr().Sdf.AttributeSpec(spec, "xformOpOrder", types.TokenArray, pxr().Sdf.VariabilityUniform)
        order.default = pxr().Vt.TokenArray([name for name, _, _ in operations])


def _set(spec: Any, name: str, kind: Any, value: Any, *, is_custom: bool = False) -> None:
    attribute = pxr().Sdf.AttributeSpec(spec, name, kind)
    attribute.default = value
    attribute.custom = is_custom
