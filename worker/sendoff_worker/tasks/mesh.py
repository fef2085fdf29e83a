"""Tasks for meshes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..blender.runtimes import INSIDE
from ..context import Context
from ..registry import task
from . import SCENES, TAKEN, AllScenes, Objects


@task("mesh.lods", title="Levels of detail", accepts=SCENES, blender=True, scoped=True)
def lods(  # noqa: PLR0917 - the parameters are the form
    ctx: Context,
    levels: Annotated[int, Field(ge=1, le=8, title="Levels", description="Levels besides the original")] = 3,
    ratio: Annotated[
        float,
        Field(
            ge=0.05,
            le=0.95,
            title="Ratio",
            description="Triangles of each level, relative to the one before",
            json_schema_extra={"unit": "factor"},
        ),
    ] = 0.5,
    keep_uvs: Annotated[bool, Field(title="Keep UVs", description="Keep UV islands in shape")] = True,
    keep_borders: Annotated[bool, Field(title="Keep borders", description="Keep the open edges of shapes")] = True,
    formats: Annotated[
        list[Literal["scene", "blend", "usd", "fbx", "glb"]],
        Field(
            min_length=1,
            title="Formats",
            description="What comes back; scene: the same kind of file as the scene",
        ),
    ] = ["scene"],  # noqa: B006 - read, never changed
    objects: Objects = "visible",
    all_scenes: AllScenes = False,
    modifiers: Annotated[
        Literal["viewport", "render"],
        Field(
            title="Modifiers",
            description="Which of the two levels of modifiers, curves and Simplify counts",
            json_schema_extra=TAKEN,
        ),
    ] = "viewport",
    instances: Annotated[
        Literal["keep", "realise"],
        Field(
            title="Instances",
            description="Keep: each instance gets its level, which share a mesh. Realise: one mesh of all instances",
            json_schema_extra=TAKEN,
        ),
    ] = "keep",
    original: Annotated[
        bool,
        Field(
            title="Original as LOD 0",
            description="In .fbx and .glb, as game engines expect it",
            json_schema_extra=TAKEN,
        ),
    ] = True,
) -> None:
    """Make a chain of simpler meshes (`<name>_LOD1`, ...) for each surface, with its modifiers applied."""
    ctx.blender(
        INSIDE / "mesh_lods.py",
        params={
            "levels": levels,
            "ratio": ratio,
            "keep_uvs": keep_uvs,
            "keep_borders": keep_borders,
            "formats": formats,
            "objects": objects,
            "all_scenes": all_scenes,
            "modifiers": modifiers,
            "instances": instances,
            "original": original,
        },
    )
