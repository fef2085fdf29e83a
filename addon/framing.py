"""The 3D view that an artist looks at, and what is selected brought into its middle."""

from __future__ import annotations

from typing import TypedDict

import bpy


class View(TypedDict):
    """A 3D view, as `temp_override` takes it."""

    window: bpy.types.Window
    area: bpy.types.Area
    region: bpy.types.Region


def view(context: bpy.types.Context) -> View | None:
    """Window, area and region of the 3D view to show something in; None where the window has none.

    The one that was clicked in, else the largest of the window; outside of any window that of the first.
    """
    windows = context.window_manager.windows
    window = context.window or (windows[0] if windows else None)
    if window is None:
        return None
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    if not areas:
        return None
    area = context.area if context.area in areas else max(areas, key=lambda one: one.width * one.height)
    region = next(one for one in area.regions if one.type == "WINDOW")
    return {"window": window, "area": area, "region": region}


def space(context: bpy.types.Context) -> bpy.types.SpaceView3D | None:
    """The settings of that view, for its Local View; None where there is none."""
    found = view(context)
    active = None if found is None else found["area"].spaces.active
    return active if isinstance(active, bpy.types.SpaceView3D) else None


def frame_selected(context: bpy.types.Context) -> bool:
    """Move that view to what is selected; False where there is no view."""
    found = view(context)
    if found is None:
        return False
    with bpy.context.temp_override(**found):
        return bool(bpy.ops.view3d.view_selected() == {"FINISHED"})
