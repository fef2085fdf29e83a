"""Sendoff for Blender: heavy scene processing on the studio's server, with live progress in the status bar."""

from __future__ import annotations

import bpy

from . import current, operators, panel, preferences, pump, scene_export, status_bar

_CLASSES = (preferences.SENDOFF_AddonPreferences, *operators.CLASSES, *panel.CLASSES)


def register() -> None:
    """Called by Blender when the add-on is enabled."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.app.handlers.load_pre.append(pump.before_load)
    bpy.app.handlers.load_post.append(pump.after_load)
    status_bar.append()
    current.begin()
    scene_export.clear_away()
    if current.jobs.jobs:
        pump.start()


def unregister() -> None:
    """Called by Blender when the add-on is disabled or Blender ends."""
    pump.stop()
    current.end()
    status_bar.remove()
    bpy.app.handlers.load_post.remove(pump.after_load)
    bpy.app.handlers.load_pre.remove(pump.before_load)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
