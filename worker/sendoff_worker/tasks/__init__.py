"""The tasks that come with Sendoff."""

from typing import Annotated, Literal

from pydantic import Field

#: The kinds of scenes that every task of ours that runs in Blender takes.
SCENES = ("blend", "usd", "usda", "usdc", "usdz", "fbx")

Objects = Annotated[
    Literal["visible", "renderable", "all"],
    Field(title="Objects", description="Which objects are taken: visible in the scene on screen, renderable, or all"),
]
AllScenes = Annotated[
    bool, Field(title="All scenes", description="Take the objects of the file's other scenes as well")
]
