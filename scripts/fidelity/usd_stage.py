"""What a USD file shows and what a USD result holds, measured with pxr alone."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import bmesh
import bpy
import numpy as np
from levels import Level
from surfaces import Shown, Surface, why_by_name

#: USD's own shapes, which a job turns into meshes of a fineness of its own.
SHAPES = frozenset({"Cube", "Sphere", "Cylinder", "Cone", "Capsule", "Plane"})


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
    """Every surface that a renderer shows at the first frame, prototypes of a PointInstancer at each of its points."""
    from pxr import Usd, UsdGeom

    time = Usd.TimeCode(stage.GetStartTimeCode()) if stage.HasAuthoredTimeCodeRange() else Usd.TimeCode.EarliestTime()
    pose(stage, time)
    places = UsdGeom.XformCache(time)
    prototypes: set[Any] = set()
    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies()):
        if prim.IsA(UsdGeom.PointInstancer):
            prototypes.update(UsdGeom.PointInstancer(prim).GetPrototypesRel().GetTargets())
    found: list[Shown] = []
    for prim in _solid_below(stage.GetPseudoRoot(), time, Usd.PrimDefaultPredicate, prototypes):
        matrix = np.array(places.GetLocalToWorldTransform(prim), np.float64).T
        if prim.IsA(UsdGeom.PointInstancer):
            found += _points(prim, matrix, time, stage, str(prim.GetPath()))
        else:
            found.append(shown_of(prim, matrix, time, ""))
    names = {one.name.rpartition("/")[2] for one in found}
    for one in found:
        one.is_left_alone, one.may_be_left_alone = why_by_name(one.name.rpartition("/")[2], names)
    return found


def pose(stage: Any, time: Any) -> None:
    """Have skinned meshes in the pose of a time, by USD's own arithmetic; points without weights stay in place."""
    from pxr import Gf, Usd, UsdGeom, UsdSkel, Vt

    stage.SetEditTarget(stage.GetSessionLayer())
    when = 0.0 if time.IsEarliestTime() else time.GetValue()
    for root in [prim for prim in stage.Traverse() if prim.IsA(UsdSkel.Root)]:
        loose = {}
        for prim in Usd.PrimRange(root):
            weights = UsdSkel.BindingAPI(prim).GetJointWeightsPrimvar() if prim.IsA(UsdGeom.Mesh) else None
            if weights and weights.GetInterpolation() == UsdGeom.Tokens.vertex:
                points = np.array(UsdGeom.Mesh(prim).GetPointsAttr().Get(when))
                sums = np.array(weights.Get(when)).reshape(len(points), -1).sum(axis=1)
                loose[prim] = (points, sums == 0)
        UsdSkel.BakeSkinning(UsdSkel.Root(root), Gf.Interval(when, when))
        for prim, (points, is_loose) in loose.items():
            attribute = UsdGeom.Mesh(prim).GetPointsAttr()
            posed = np.array(attribute.Get(when))
            posed[is_loose] = points[is_loose]
            attribute.Set(Vt.Vec3fArray.FromNumpy(posed.astype(np.float32)), when)
    stage.SetEditTarget(stage.GetRootLayer())


def _solid_below(root: Any, time: Any, predicate: Any, prototypes: Container[Any] = ()) -> Iterator[Any]:
    """What of a prim has a surface, and instancers; nothing below these shows by itself."""
    from pxr import Usd, UsdGeom

    walk = iter(Usd.PrimRange(root, Usd.TraverseInstanceProxies(predicate)))
    for prim in walk:
        if prim.GetPath() in prototypes or _is_invisible(prim, time):
            walk.PruneChildren()
            continue
        is_instancer = prim.IsA(UsdGeom.PointInstancer)
        if is_instancer:
            walk.PruneChildren()
        is_solid = is_instancer or prim.IsA(UsdGeom.Mesh) or str(prim.GetTypeName()).removesuffix("_1") in SHAPES
        if is_solid and _purpose(prim, root) in {"default", "render"}:
            yield prim


def _is_invisible(prim: Any, time: Any) -> bool:
    from pxr import UsdGeom

    imageable = UsdGeom.Imageable(prim)
    return bool(imageable) and imageable.GetVisibilityAttr().Get(time) == UsdGeom.Tokens.invisible


def _purpose(prim: Any, root: Any) -> str:
    """The purpose of the nearest prim that says one; what is above a prototype does not count."""
    from pxr import UsdGeom

    while prim and not prim.IsPseudoRoot():
        attribute = UsdGeom.Imageable(prim).GetPurposeAttr() if UsdGeom.Imageable(prim) else None
        if attribute and attribute.HasAuthoredValue():
            return str(attribute.Get())
        if prim == root:
            break
        prim = prim.GetParent()
    return "default"


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
        root = stage.GetPrimAtPath(targets[number])
        if not root or (len(mask) and not mask[index]):
            continue
        inner = UsdGeom.XformCache(time)
        to_root = np.linalg.inv(np.array(inner.GetLocalToWorldTransform(root), np.float64).T)
        place = outer @ np.array(matrices[index], np.float64).T
        # A prototype may be a class or an "over".
        for one in _solid_below(root, time, Usd.PrimIsActive & Usd.PrimIsLoaded):
            there = place @ to_root @ np.array(inner.GetLocalToWorldTransform(one), np.float64).T
            if one.IsA(UsdGeom.PointInstancer):
                found += _points(one, there, time, stage, instancer_path)
            else:
                found.append(shown_of(one, there, time, instancer_path))
    return found


def shown_of(prim: Any, matrix: np.ndarray, time: Any, instancer: str) -> Shown:
    """One surface at one place."""
    is_mesh = prim.GetTypeName() == "Mesh"
    return Shown(
        name=str(prim.GetPath()), library="", instancer=instancer, matrix=matrix, is_tessellated=is_mesh,
        surface=surface_of(prim, time) if is_mesh else shape_of(prim, time),
    )  # fmt: skip


def shape_of(prim: Any, time: Any) -> Surface:
    """One of USD's own shapes, which are all convex: the hull of points on it."""
    from pxr import UsdShade

    def number(name: str, default: float) -> float:
        value = prim.GetAttribute(name).Get(time) if prim.HasAttribute(name) else None
        return default if value is None else float(value)

    kind = str(prim.GetTypeName()).removesuffix("_1")
    turns = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns), np.zeros(64)], axis=1)
    tilts = np.linspace(-np.pi / 2, np.pi / 2, 33)
    ball = np.concatenate([circle * np.cos(tilt) + [0, 0, np.sin(tilt)] for tilt in tilts])
    up = np.array([0, 0, number("height", 1.0 if kind == "Capsule" else 2.0) / 2])
    radius = number("radius", 0.5 if kind == "Capsule" else 1.0)
    low, high = number("radiusBottom", radius), number("radiusTop", radius)
    if kind == "Cube":
        points = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * number("size", 2.0)
    elif kind == "Plane":
        sides = number("width", 2.0), number("length", 2.0), 0.0
        points = np.array([(x, y, 0) for x in (-0.5, 0.5) for y in (-0.5, 0.5)]) * sides
    elif kind == "Sphere":
        points = ball * radius
    elif kind == "Capsule":
        points = np.concatenate([ball * low - up, ball * high + up])
    else:
        points = np.concatenate([circle * low - up, (circle * high if kind == "Cylinder" else 0 * circle[:1]) + up])
    axis = str(prim.GetAttribute("axis").Get() or "Z") if prim.HasAttribute("axis") else "Z"
    points = points[:, {"X": [2, 1, 0], "Y": [0, 2, 1]}.get(axis, [0, 1, 2])]
    if axis != "Z":
        points = points * [1, 1, -1]  # a turn, and no reflection
    if kind == "Plane":
        triangles = np.array([(0, 2, 3), (0, 3, 1)])
    else:
        points, triangles = _hull(points)
    a, b, c = (points[triangles[:, index]] for index in range(3))
    normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return Surface(
        positions=points, triangle_corners=triangles, triangle_normals=normals / np.where(lengths > 0, lengths, 1),
        faces=len(triangles), uv_layers=[], colours=[], has_custom_normals=False, is_smooth=False, slots=[],
        used=_materials(prim, UsdShade, 0), wrong_slots=0, is_finite=bool(np.isfinite(points).all()),
    )  # fmt: skip


def _hull(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    made = bmesh.new()
    try:
        for point in np.unique(np.round(points, 9), axis=0):
            made.verts.new(point)
        done = bmesh.ops.convex_hull(made, input=made.verts)
        bmesh.ops.delete(made, geom=list({*done["geom_interior"], *done["geom_unused"]}), context="VERTS")
        bmesh.ops.triangulate(made, faces=made.faces)
        bmesh.ops.recalc_face_normals(made, faces=made.faces)
        made.verts.index_update()
        corners = [[vertex.index for vertex in face.verts] for face in made.faces]
        return np.array([vertex.co[:] for vertex in made.verts]), np.array(corners).reshape(-1, 3)
    finally:
        made.free()


def surface_of(prim: Any, time: Any) -> Surface:
    """Measure a mesh prim."""
    from pxr import UsdGeom, UsdShade

    mesh = UsdGeom.Mesh(prim)
    positions = np.array(mesh.GetPointsAttr().Get(time) or np.zeros((0, 3)), np.float64).reshape(-1, 3)
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get(time) or [], np.int64)
    indices = np.array(mesh.GetFaceVertexIndicesAttr().Get(time) or [], np.int64)
    if len(indices) != counts.sum() or (len(indices) and not 0 <= indices.min() <= indices.max() < len(positions)):
        counts, indices = counts[:0], indices[:0]  # nothing that can be drawn
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
        colours=sorted(colours), has_custom_normals=False, is_smooth=False, slots=[],
        used=_materials(prim, UsdShade, len(counts)), wrong_slots=0, is_finite=bool(np.isfinite(positions).all()),
    )  # fmt: skip


def _materials(prim: Any, shade: Any, faces: int) -> list[str | None]:
    """The materials that faces have: of subsets, and of the prim itself if these leave faces over."""
    subsets = shade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
    held = {index for subset in subsets for index in subset.GetIndicesAttr().Get() or ()}
    holders = [subset.GetPrim() for subset in subsets if len(subset.GetIndicesAttr().Get() or ())]
    if not held or len(held) < faces:
        holders.append(prim)
    found = set()
    for target in holders:
        for purpose in (shade.Tokens.allPurpose, shade.Tokens.full, shade.Tokens.preview):
            material, _ = shade.MaterialBindingAPI(target).ComputeBoundMaterial(purpose)
            if material:
                found.add(material.GetPrim().GetName())
                break
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
