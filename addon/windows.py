"""A window for what is asked for outside of one: timers and messages have none of their own."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import bpy


def some_window() -> AbstractContextManager[object]:
    """The window of the context, or else the first one, for the length of a `with` block."""
    windows = bpy.context.window_manager.windows
    if bpy.context.window is not None or not windows:
        return contextlib.nullcontext()
    return bpy.context.temp_override(window=windows[0])
