"""Sendoff for Blender: heavy scene processing on the studio's server, with live progress in the status bar."""

from __future__ import annotations

import contextlib
import functools

import bpy

from . import (
    connection_test,
    earlier_jobs,
    findings_list,
    form,
    job_operators,
    menus,
    notices,
    panel,
    preferences,
    process,
    pump,
    scene_export,
    scene_settings,
    server_operators,
    status_bar,
)
from .current import desk, submitting

_CLASSES = (
    preferences.SENDOFF_AddonPreferences,
    *scene_settings.CLASSES,
    *process.CLASSES,
    *job_operators.CLASSES,
    *server_operators.CLASSES,
    *connection_test.CLASSES,
    *notices.CLASSES,
    *findings_list.CLASSES,
    *panel.CLASSES,
)


def register() -> None:
    """Called by Blender when the add-on is enabled."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    scene_settings.register()
    findings_list.register()
    menus.register()
    bpy.app.handlers.load_pre.append(pump.before_load)
    bpy.app.handlers.load_post.append(pump.after_load)
    status_bar.append()
    with contextlib.suppress(OSError):
        earlier_jobs.take_up(desk.host.folder("jobs"))
    desk.begin()
    kept = [parcel.folder for parcel in desk.parcels().values()]
    desk.writing().do(functools.partial(scene_export.clear_away, scene_export.temporary_folders(), kept=kept))
    pump.start()


def unregister() -> None:
    """Called by Blender when the add-on is disabled or Blender ends."""
    pump.stop()
    desk.end()
    submitting.forget()
    status_bar.remove()
    bpy.app.handlers.load_post.remove(pump.after_load)
    bpy.app.handlers.load_pre.remove(pump.before_load)
    menus.unregister()
    form.unregister_tasks()
    findings_list.unregister()
    scene_settings.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
