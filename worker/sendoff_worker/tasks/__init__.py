"""The tasks that come with Sendoff."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

#: The kinds of scenes that every task of ours that runs in Blender takes.
SCENES = ("blend", "usd", "usda", "usdc", "usdz", "fbx")

#: The parameters that say what of the scene is taken stand together, closed.
TAKEN: dict[str, JsonValue] = {"group": "What is taken"}

Objects = Annotated[
    Literal["visible", "renderable", "all"],
    Field(
        title="Objects",
        description="Which objects are taken: visible in the scene on screen, renderable, or all",
        json_schema_extra=TAKEN,
    ),
]
AllScenes = Annotated[
    bool,
    Field(
        title="All scenes", description="Take the objects of the file's other scenes as well", json_schema_extra=TAKEN
    ),
]
