"""Which scene and which of its view layers was on the artist's screen when the file was saved."""

from __future__ import annotations

from typing import Any

import bpy


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
