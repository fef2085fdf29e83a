"""Which scene and view layer a saved copy has in front: those that were on screen in the window of the click.

A .blend names the scene of the first window as its current one, in whatever context it is saved, and to change the
window's scene would end the modes of the artist's objects. So the copy is changed, not the open file.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from .name_of import name_of
from .sendoff import blend_screen


def put_in_front(copy: Path, scene_name: str, view_layer_name: str) -> None:
    """Have a saved copy open with this scene and view layer; "" for those of the first window.

    Raises OSError or BlendFileError if the copy cannot be changed.
    """
    windows = bpy.context.window_manager.windows if bpy.context.window_manager else None
    if not scene_name or not windows:
        return
    first = windows[0]
    # With several windows it is not for us to know which one the file names.
    if len(windows) == 1 and (name_of(first.scene), name_of(first.view_layer)) == (scene_name, view_layer_name):
        return
    blend_screen.put_in_front(copy, scene_name, view_layer_name)
