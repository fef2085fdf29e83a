"""Skinned meshes of a USD scene in the pose that an application shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from .job import Job
from .pxr_library import pxr

#: Instances in instances: how deep they are followed.
_DEPTH = 8


def pose_skinned(job: Job, stage: Any, time: Any) -> None:
    """Put all skinned meshes into their pose at a time, in the session layer: the scene's own layers stay."""
    library = pxr()
    stage.SetEditTarget(stage.GetSessionLayer())
    _make_instances_real(stage)
    everything = list(library.Usd.PrimRange.Stage(stage, library.Usd.PrimDefaultPredicate))
    roots = [prim for prim in everything if prim.IsA(library.UsdSkel.Root)]
    when = 0.0 if time.IsEarliestTime() or time.IsDefault() else time.GetValue()
    posed = 0
    for root in roots:
        try:
            skinned = _skinned(root)
            left = {prim: _unweighted(prim, when) for prim in skinned}
            if skinned and library.UsdSkel.BakeSkinning(library.UsdSkel.Root(root), library.Gf.Interval(when, when)):
                posed += len(skinned)
                for prim in skinned:
                    _put_back(job, prim, left[prim], when)
        except Exception as error:
            print(f"{root.GetPath()}: {error}")
            job.warn(f"The pose of “{root.GetName()}” cannot be read; its meshes are taken in their bind pose.")
    stage.SetEditTarget(stage.GetRootLayer())
    if posed:
        are = "mesh is" if posed == 1 else "meshes are"
        job.warn(f"{posed:,} {are} posed by a skeleton: the levels hold the present pose, without the skin.")


def _unweighted(prim: Any, when: float) -> tuple[Any, Any] | None:
    """The numbers of the points that no joint moves, and where they are; None if each has weights.

    The sum that USD prescribes puts them into the origin. Blender, Maya and others leave them in place.
    """
    weights = pxr().UsdSkel.BindingAPI(prim).GetJointWeightsPrimvar()
    points = pxr().UsdGeom.Mesh(prim).GetPointsAttr().Get(when)
    if not weights or points is None or str(weights.GetInterpolation()) != "vertex":
        return None
    values = np.array(weights.ComputeFlattened(when) or [], dtype=np.float32)
    if not len(points) or not len(values) or len(values) % len(points):
        return None
    numbers = np.flatnonzero((values.reshape(len(points), -1) == 0).all(axis=1))
    return (numbers, np.array(points, dtype=np.float32)[numbers]) if len(numbers) else None


def _put_back(job: Job, prim: Any, left: tuple[Any, Any] | None, when: float) -> None:
    attribute = pxr().UsdGeom.Mesh(prim).GetPointsAttr()
    if left is None:
        return
    numbers, places = left
    points = np.array(attribute.Get(when), dtype=np.float32)
    points[numbers] = places
    attribute.Set(pxr().Vt.Vec3fArray.FromNumpy(points), when)
    count = len(numbers)
    are = "1 point that no joint moves; it stays" if count == 1 else f"{count:,} points that no joint moves; they stay"
    job.warn(f"“{prim.GetName()}” has {are} in place.")


def _make_instances_real(stage: Any) -> None:
    """Each instance of something skinned may have a pose of its own, which the prototype cannot hold."""
    library = pxr()
    for _ in range(_DEPTH):
        with_skin = {
            prototype.GetPath()
            for prototype in stage.GetPrototypes()
            if any(prim.IsA(library.UsdSkel.Root) for prim in library.Usd.PrimRange(prototype))
        }
        instances = [
            prim for prim in stage.Traverse() if prim.IsInstance() and prim.GetPrototype().GetPath() in with_skin
        ]
        # An instance that is a skinned root itself, or below one, is meant too.
        instances += [
            prim
            for prim in stage.Traverse()
            if prim.IsInstance() and prim not in instances and library.UsdSkel.Root.Find(prim)
        ]
        if not instances:
            return
        for prim in instances:
            prim.SetInstanceable(False)


def _skinned(root: Any) -> list[Any]:
    library = pxr()
    return [
        prim
        for prim in library.Usd.PrimRange(root)
        if prim.IsA(library.UsdGeom.Mesh) and prim.HasAPI(library.UsdSkel.BindingAPI)
    ]
