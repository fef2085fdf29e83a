"""The 3D view that an artist looks at, and what is selected brought into its middle."""

from __future__ import annotations

from typing import Any

import bpy


def view(context: Any) -> dict[str, Any] | None:
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


def space(context: Any) -> Any:
    """The settings of that view, for its Local View; None where there is none."""
    found = view(context)
    return None if found is None else found["area"].spaces.active


def frame_selected(context: Any) -> bool:
    """Move that view to what is selected; False where there is no view."""
    found = view(context)
    if found is None:
        return False
    with bpy.context.temp_override(**found):
        return bool(bpy.ops.view3d.view_selected() == {"FINISHED"})
