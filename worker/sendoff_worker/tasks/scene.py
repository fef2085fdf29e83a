"""Tasks for whole scenes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..blender.runtimes import INSIDE
from ..context import Context
from ..registry import task
from . import SCENES, AllScenes, Objects


@task("scene.check", title="Check the scene", accepts=SCENES, blender=True, scoped=True)
def check(
    ctx: Context,
    face_budget: Annotated[
        int, Field(ge=1, le=1_000_000_000, title="Face budget", description="Most triangles an object may have")
    ] = 100_000,
    max_findings_listed: Annotated[
        int, Field(ge=1, le=100_000, title="Listed indices", description="Most indices that a finding lists")
    ] = 200,
    objects: Objects = "visible",
    all_scenes: AllScenes = False,
) -> None:
    """Report what a game studio would refuse: n-gons, open or doubled edges, UVs, scale, missing textures, names."""
    ctx.blender(
        INSIDE / "scene_check.py",
        params={
            "face_budget": face_budget,
            "max_findings_listed": max_findings_listed,
            "objects": objects,
            "all_scenes": all_scenes,
        },
    )
