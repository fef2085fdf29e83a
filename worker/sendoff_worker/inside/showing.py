"""Showing more than the artist's screen, if a parameter asks for it; in the worker's memory only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import Any

import bpy

#: Properties that have a counterpart for a render.
_VIEWPORT_LEVELS = frozenset({
    "show_viewport", "levels", "resolution_u", "resolution_v", "display_percentage", "simplify_subdivision",
    "simplify_child_particles",
})  # fmt: skip


def unhide(layer: Any, *, renderable: bool) -> None:
    """Have a view layer show what renders, or all."""
    _mute({"hide_viewport"}, [*bpy.data.objects, *bpy.data.collections])
    for collection in bpy.data.collections:
        collection.hide_viewport = collection.hide_render if renderable else False
    for one in bpy.data.objects:
        one.hide_viewport = one.hide_render if renderable else False
    waiting = [layer.layer_collection]
    while waiting:
        inner = waiting.pop()
        if not renderable:
            inner.exclude = False
        inner.hide_viewport = False
        waiting += inner.children
    layer.update()
    for one in layer.objects:
        one.hide_set(False, view_layer=layer)
    layer.update()


def use_render_levels() -> None:
    """Have modifiers, curves and metaballs evaluate as for a render."""
    _mute(_VIEWPORT_LEVELS, [*bpy.data.objects, *bpy.data.curves, *bpy.data.particles, *bpy.data.scenes])
    for one in bpy.data.objects:
        for modifier in getattr(one, "modifiers", ()):
            modifier.show_viewport = modifier.show_render
            if modifier.type in {"SUBSURF", "MULTIRES"}:
                modifier.levels = modifier.render_levels
    for curve in bpy.data.curves:
        curve.resolution_u = getattr(curve, "render_resolution_u", 0) or curve.resolution_u
        curve.resolution_v = getattr(curve, "render_resolution_v", 0) or curve.resolution_v
    for ball in bpy.data.metaballs:
        ball.resolution = ball.render_resolution
    for particles in bpy.data.particles:
        particles.display_percentage = 100
    for scene in bpy.data.scenes:
        scene.render.simplify_subdivision = scene.render.simplify_subdivision_render
        scene.render.simplify_child_particles = scene.render.simplify_child_particles_render


def _mute(properties: Set[str], blocks: Iterable[Any]) -> None:
    """Keep keys and drivers from setting properties back."""
    curves = [curve for action in bpy.data.actions for curve in _curves(action)]
    for block in blocks:
        animation = getattr(block, "animation_data", None)  # collections have none in older series
        curves += animation.drivers if animation is not None else ()
    for curve in curves:
        if curve.data_path.rpartition(".")[2] in properties:
            curve.mute = True


def _curves(action: Any) -> Iterator[Any]:
    if bpy.app.version < (4, 4):
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                yield from bag.fcurves
