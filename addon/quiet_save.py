"""What Blender does besides when it saves a file, switched off for as long as a copy is saved.

Left alone, a save packs all files if Automatically Pack Resources is on, has every add-on's handlers change the
scene, and draws a preview that goes into the folder of thumbnails.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import bpy

#: Handlers that a save calls, by their name; Blender 4.2 has all of them.
_HANDLERS = ("save_pre", "save_post", "save_post_fail")


@contextlib.contextmanager
def settings() -> Iterator[None]:
    """Have nothing but the save itself done inside a `with`; all is as it was after it."""
    with _no_packing(), _no_handlers(), _no_preview():
        yield


@contextlib.contextmanager
def _no_packing() -> Iterator[None]:
    before = bpy.data.use_autopack
    if before:
        bpy.data.use_autopack = False
    try:
        yield
    finally:
        if before:
            bpy.data.use_autopack = True


@contextlib.contextmanager
def _no_handlers() -> Iterator[None]:
    kept: list[tuple[list[Callable[..., Any]], list[Callable[..., Any]]]] = []
    for name in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name, None)
        if handlers:
            kept.append((handlers, list(handlers)))
            handlers.clear()
    try:
        yield
    finally:
        for handlers, before in kept:
            handlers[:] = before


@contextlib.contextmanager
def _no_preview() -> Iterator[None]:
    preferences = bpy.context.preferences
    before, was_dirty = preferences.filepaths.file_preview_type, preferences.is_dirty
    if before != "NONE":
        preferences.filepaths.file_preview_type = "NONE"
    try:
        yield
    finally:
        if before != "NONE":
            preferences.filepaths.file_preview_type = before
            preferences.is_dirty = was_dirty  # it is as the artist left it: nothing has to be saved
