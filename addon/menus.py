"""The entry in the File menu, through which F3 finds it as well."""

from __future__ import annotations

import bpy

from . import scene_settings


def draw(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Draw the entry; the click is the same as the panel's."""
    task = scene_settings.chosen_task(context.scene)
    layout = menu.layout
    layout.separator()
    layout.operator_context = "INVOKE_DEFAULT"
    text = f"Process on Server ({task.title})" if task is not None else "Process on Server"
    layout.operator("sendoff.process", text=text, icon="EXPORT")


def register() -> None:
    """Be in the menu."""
    bpy.types.TOPBAR_MT_file.append(draw)


def unregister() -> None:
    """Be in it no more."""
    bpy.types.TOPBAR_MT_file.remove(draw)
