"""For scripts: what needs Object Mode is done in it, and everything is as before after that."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy

from .name_of import shown_name
from .operator_errors import reason


class CannotLeaveMode(Exception):
    """The mode cannot be left, or gone back to; the text is a sentence."""


@contextlib.contextmanager
def object_mode(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> Iterator[None]:
    """Be in Object Mode inside a `with`; mode, selection and active object are as before after it.

    In Object Mode nothing is done, and what the block selects stays selected. Raises CannotLeaveMode.
    """
    active = view_layer.objects.active
    if active is None or active.mode == "OBJECT":
        yield
        return
    mode, selected = active.mode, list(view_layer.objects.selected)
    in_mode = [thing for thing in view_layer.objects if thing.mode == mode]
    _set_mode(scene, view_layer, active, "OBJECT")
    try:
        yield
    finally:
        _select(view_layer, in_mode, active)
        _set_mode(scene, view_layer, active, mode)
        _select(view_layer, selected, active)


def _set_mode(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, active: bpy.types.Object, mode: str) -> None:
    why = ""
    with _shown(scene, view_layer):
        try:
            bpy.ops.object.mode_set(mode=mode)  # type: ignore[arg-type] # one that the object was in
        except RuntimeError as error:
            why = f" ({reason(error)})"
    if active.mode != mode:
        raise CannotLeaveMode(f"“{shown_name(active)}” cannot be taken from {active.mode} to {mode} mode{why}")


def _shown(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> contextlib.AbstractContextManager[object]:
    """The scene and view layer as those of the context, in which the active object is the view layer's.

    An override is avoided: until Blender 5.0 an operator looks into it without Python's lock, so that another thread
    can crash it (`PyC_IsInterpreterActive` says of Python 3.11 that any thread runs, not that this one does).
    """
    context, active = bpy.context, view_layer.objects.active
    if (context.scene, context.view_layer, getattr(context, "active_object", None)) == (scene, view_layer, active):
        return contextlib.nullcontext()
    return context.temp_override(scene=scene, view_layer=view_layer, active_object=active, object=active)


def _select(view_layer: bpy.types.ViewLayer, things: list[bpy.types.Object], active: bpy.types.Object) -> None:
    wanted = set(things)
    for thing in view_layer.objects:
        is_selected = thing.select_get(view_layer=view_layer)
        if is_selected != (thing in wanted):
            thing.select_set(thing in wanted, view_layer=view_layer)
    view_layer.objects.active = active
