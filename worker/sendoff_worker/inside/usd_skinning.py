"""Skinned meshes of a USD scene in the pose that an application shows."""

from __future__ import annotations

from typing import Any

from .job import Job
from .pxr_library import pxr


def pose_skinned(job: Job, stage: Any, time: Any) -> None:
    """Put all skinned meshes into their pose at a time, in the session layer: the scene's own layers stay."""
    library = pxr()
    everything = list(library.Usd.PrimRange.Stage(stage, library.Usd.PrimDefaultPredicate))
    roots = [prim for prim in everything if prim.IsA(library.UsdSkel.Root)]
    if not roots:
        return
    stage.SetEditTarget(stage.GetSessionLayer())
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


def _skinned(root: Any) -> list[Any]:
    library = pxr()
    return [
        prim
        for prim in library.Usd.PrimRange(root)
        if prim.IsA(library.UsdGeom.Mesh) and prim.HasAPI(library.UsdSkel.BindingAPI)
    ]
