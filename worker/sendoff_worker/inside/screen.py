"""Which scene and which of its view layers was on the artist's screen when the file was saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from sendoff_sdk.blend_dna import BlendFile


class Screen:
    """The scene and view layer on screen, and the way back to them after another scene was looked at."""

    def __init__(self, layer: str = "") -> None:
        """Take what the window shows now, with a view layer of this name if the scene has it."""
        window = bpy.context.window
        self.scene: Any = window.scene
        self._layer = layer if layer in self.scene.view_layers else window.view_layer.name
        self.show(self.scene)

    def show(self, scene: Any) -> Any:
        """Have the window show a scene; returns its view layer: for the artist's the one on screen, else the first."""
        window = bpy.context.window
        window.scene = scene
        if scene == self.scene and window.view_layer.name != self._layer:
            window.view_layer = scene.view_layers[self._layer]
        return window.view_layer

    def graph(self, scene: Any) -> Any:
        """The evaluated dependency graph of a scene's view layer."""
        self.show(scene)
        return bpy.context.evaluated_depsgraph_get()


def stored_view_layer(file: Path) -> str:
    """The name of the view layer that an uncompressed .blend has as the current one; "" if it does not say.

    Blender itself takes the first one if a file is opened without its windows. Raises BlendFileError, OSError.
    """
    with BlendFile(file) as blend:
        start, layer = blend.dna.find("FileGlobal"), blend.dna.find("ViewLayer")
        if start is None or layer is None or "cur_view_layer" not in start.fields or "name" not in layer.fields:
            return ""
        index, address, name = blend.dna.index["ViewLayer"], 0, layer.fields["name"]
        names: dict[int, str] = {}
        for block in blend.blocks():
            if block.code == b"GLOB":
                address = blend.dna.value(blend.body(block), 0, start.fields["cur_view_layer"])
            elif block.struct == index:
                body = blend.body(block)[name.offset : name.offset + name.size]
                names[block.address] = body.partition(b"\0")[0].decode("utf-8", "replace")
        return names.get(address, "")
