"""Skinned meshes of a USD scene in the pose that an application shows."""

from __future__ import annotations

from typing import Any

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
            if skinned and library.UsdSkel.BakeSkinning(library.UsdSkel.Root(root), library.Gf.Interval(when, when)):
                posed += len(skinned)
        except Exception as error:
            print(f"{root.GetPath()}: {error}")
            job.warn(f"The pose of “{root.GetName()}” cannot be read; its meshes are taken in their bind pose.")
    stage.SetEditTarget(stage.GetRootLayer())
    if posed:
        are = "mesh is" if posed == 1 else "meshes are"
        job.warn(f"{posed:,} {are} posed by a skeleton: the levels hold the present pose, without the skin.")


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
