"""What a USD file shows and what a USD result holds, measured with pxr alone."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from levels import Level
from surfaces import Shown, Surface


def expose_pxr() -> None:
    """Make pxr importable in a Blender that brings it along (4.5 and later)."""
    expose = getattr(bpy.utils, "expose_bundled_modules", None)
    if expose is not None:
        with contextlib.suppress(Exception):
            expose()


def open_stage(path: Path) -> Any:
    """Open a file. Raises RuntimeError with pxr's own words if it cannot be read."""
    expose_pxr()
    from pxr import Tf, Usd

    try:
        return Usd.Stage.Open(str(path))
    except Tf.ErrorException as error:
        raise RuntimeError(str(error)) from error


def what_is_shown(stage: Any) -> list[Shown]:
    """Every mesh that a renderer shows at the first frame, prototypes of a PointInstancer at each of its points."""
    from pxr import Usd, UsdGeom

    time = Usd.TimeCode(stage.GetStartTimeCode()) if stage.HasAuthoredTimeCodeRange() else Usd.TimeCode.EarliestTime()
    places = UsdGeom.XformCache(time)
    found: list[Shown] = []
    instancers = []
    walk = iter(Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies()))
    prototypes: set[Any] = set()
    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies()):
        if prim.IsA(UsdGeom.PointInstancer):
            instancers.append(prim)
            prototypes.update(UsdGeom.PointInstancer(prim).GetPrototypesRel().GetTargets())
    for prim in walk:
        path = prim.GetPath()
        if any(path.HasPrefix(prototype) for prototype in prototypes):
            continue
        if not is_seen(prim, time):
            continue
        if prim.IsA(UsdGeom.Mesh):
            matrix = np.array(places.GetLocalToWorldTransform(prim), np.float64).T
            found.append(shown_of(prim, matrix, time, ""))
    for prim in instancers:
        if not any(prim.GetPath().HasPrefix(prototype) for prototype in prototypes) and is_seen(prim, time):
            found += _points(prim, np.array(places.GetLocalToWorldTransform(prim), np.float64).T, time, stage,
                             str(prim.GetPath()))  # fmt: skip
    return found


def _points(prim: Any, outer: np.ndarray, time: Any, stage: Any, instancer_path: str) -> list[Shown]:
    from pxr import Usd, UsdGeom

    instancer = UsdGeom.PointInstancer(prim)
    targets = instancer.GetPrototypesRel().GetTargets()
    numbers = instancer.GetProtoIndicesAttr().Get(time) or []
    mask = instancer.ComputeMaskAtTime(time) or []
    matrices = instancer.ComputeInstanceTransformsAtTime(
        time, time, UsdGeom.PointInstancer.IncludeProtoXform, UsdGeom.PointInstancer.IgnoreMask
    )
    found: list[Shown] = []
    for index, number in enumerate(numbers):
        if len(mask) and not mask[index]:
            continue
        root = stage.GetPrimAtPath(targets[number])
        inner = UsdGeom.XformCache(time)
        to_root = np.linalg.inv(np.array(inner.GetLocalToWorldTransform(root), np.float64).T)
        place = outer @ np.array(matrices[index], np.float64).T
        for one in Usd.PrimRange(root, Usd.TraverseInstanceProxies()):
            if one.IsA(UsdGeom.PointInstancer):
                local = to_root @ np.array(inner.GetLocalToWorldTransform(one), np.float64).T
                found += _points(one, place @ local, time, stage, instancer_path)
            elif one.IsA(UsdGeom.Mesh) and is_seen(one, time):
                local = to_root @ np.array(inner.GetLocalToWorldTransform(one), np.float64).T
                found.append(shown_of(one, place @ local, time, instancer_path))
    return found


def is_seen(prim: Any, time: Any) -> bool:
    """Whether a renderer shows a prim."""
    from pxr import UsdGeom

    imageable = UsdGeom.Imageable(prim)
    if not imageable:
        return True
    if imageable.ComputeVisibility(time) == UsdGeom.Tokens.invisible:
        return False
    return imageable.ComputePurpose() in {UsdGeom.Tokens.default_, UsdGeom.Tokens.render}


def shown_of(prim: Any, matrix: np.ndarray, time: Any, instancer: str) -> Shown:
    """One mesh at one place."""
    return Shown(
        name=str(prim.GetPath()), library="", instancer=instancer, matrix=matrix, surface=surface_of(prim, time)
    )


def surface_of(prim: Any, time: Any) -> Surface:
    """Measure a mesh prim."""
    from pxr import UsdGeom, UsdShade

    mesh = UsdGeom.Mesh(prim)
    positions = np.array(mesh.GetPointsAttr().Get(time) or np.zeros((0, 3)), np.float64).reshape(-1, 3)
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get(time) or [], np.int64)
    indices = np.array(mesh.GetFaceVertexIndicesAttr().Get(time) or [], np.int64)
    starts = np.cumsum(counts) - counts
    corners = np.array(
        [(start, start + step, start + step + 1) for start, count in zip(starts, counts, strict=True)
         for step in range(1, count - 1)], np.int64,
    ).reshape(-1, 3)  # fmt: skip
    triangles = indices[corners] if len(corners) else np.zeros((0, 3), np.int64)
    if mesh.GetOrientationAttr().Get() == UsdGeom.Tokens.leftHanded:
        triangles = triangles[:, ::-1]
    a, b, c = (positions[triangles[:, index]] for index in range(3)) if len(triangles) else (np.zeros((0, 3)),) * 3
    normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    layers, colours = [], []
    for primvar in UsdGeom.PrimvarsAPI(prim).GetPrimvarsWithValues():
        kind = str(primvar.GetTypeName())
        if kind in {"texCoord2f[]", "float2[]", "texCoord2d[]", "texCoord2h[]", "double2[]", "half2[]"}:
            layers.append(primvar.GetPrimvarName())
        elif kind.startswith(("color3", "color4")) and primvar.GetInterpolation() != UsdGeom.Tokens.constant:
            colours.append(primvar.GetPrimvarName())
    return Surface(
        positions=positions, triangle_corners=triangles,
        triangle_normals=normals / np.where(lengths > 0, lengths, 1), faces=len(counts), uv_layers=sorted(layers),
        colours=sorted(colours), has_custom_normals=False, is_smooth=False, slots=[], used=_materials(prim, UsdShade),
        wrong_slots=0, is_finite=bool(np.isfinite(positions).all()),
    )  # fmt: skip


def _materials(prim: Any, shade: Any) -> list[str | None]:
    binding = shade.MaterialBindingAPI(prim)
    found = set()
    for target in [subset.GetPrim() for subset in binding.GetMaterialBindSubsets()] or [prim]:
        material, _ = shade.MaterialBindingAPI(target).ComputeBoundMaterial()
        if material:
            found.add(material.GetPrim().GetName())
    return sorted(found)


def levels_of(stage: Any) -> list[Level]:
    """The levels in a result."""
    from pxr import Usd, UsdGeom

    places = UsdGeom.XformCache(Usd.TimeCode.EarliestTime())
    found = []
    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies()):
        source, number = (prim.GetAttribute(f"userProperties:sendoff_{name}") for name in ("source", "level"))
        if not prim.IsA(UsdGeom.Mesh) or not source or not number:
            continue
        matrix = np.array(places.GetLocalToWorldTransform(prim), np.float64).T
        shown = shown_of(prim, matrix, Usd.TimeCode.EarliestTime(), "")
        found.append(
            # A source like `/World/Pawns[3]/Shape` is the third point of that instancer.
            Level(
                object_name=prim.GetName(),
                source=str(source.Get()).partition("[")[0],
                library=None,
                number=int(number.Get()),
                shown=shown,
                scenes=(),
            )
        )
    return found
