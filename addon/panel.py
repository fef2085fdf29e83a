"""The tab Sendoff in the 3D view's sidebar: what to do with the scene, the jobs, and the report of a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from . import current, findings_list, form, job_card, pump, scene_settings, scopes
from .current import desk
from .sendoff import __version__
from .sendoff.host import versions
from .sendoff.host.known_tasks import KnownTask
from .sendoff.host.server_choice import is_expired
from .wrapped import wrapped

if TYPE_CHECKING:
    _Panel = bpy.types.Panel
else:  # a mixin: Blender registers what is a panel by itself
    _Panel = object

_LISTED_JOBS = 8


class _InTab(_Panel):
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Sendoff"


class SENDOFF_PT_process(_InTab, bpy.types.Panel):
    """Send this scene to the server"""

    bl_idname = "SENDOFF_PT_process"
    bl_label = "Process"
    bl_order = 0

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        """The way to the preferences, and to what the server offers now."""
        row = self.layout.row(align=True)
        row.operator("sendoff.look", text="", icon="FILE_REFRESH", emboss=False)
        row.operator("sendoff.preferences", text="", icon="PREFERENCES", emboss=False)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw task, parameters, scope and the button."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        if desk.wants_look():
            pump.start()
        if not _draw_trouble(layout):
            _draw_who(layout)
        task = scene_settings.chosen_task(context.scene)
        settings = scene_settings.of(context.scene)
        no_task = scene_settings.why_no_task(context.scene)
        if desk.tasks:
            layout.prop(settings, "task")
        if task is not None:
            if task.description:
                wrapped(layout, task.description.replace("`", ""), context)
            form.draw(layout, context.scene, task)
            if task.name == "mesh.lods":
                layout.row().prop(settings, "lod_placement", expand=True)
            _draw_scope(layout, settings, task)
        column = layout.column()
        column.scale_y = 1.5
        column.enabled = not no_task
        column.operator_context = "INVOKE_DEFAULT"
        column.operator("sendoff.process", icon="EXPORT")
        if no_task:
            wrapped(layout, no_task, context, icon="INFO")


class SENDOFF_PT_jobs(_InTab, bpy.types.Panel):
    """What became of what was sent"""

    bl_idname = "SENDOFF_PT_jobs"
    bl_label = "Jobs"
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the newest jobs."""
        jobs = desk.jobs.jobs
        if not jobs:
            self.layout.label(text="Nothing was sent yet", icon="INFO")
        for job in reversed(jobs[-_LISTED_JOBS:]):
            job_card.draw(self.layout, context, job)
        if len(jobs) > _LISTED_JOBS:
            self.layout.label(text=f"and {len(jobs) - _LISTED_JOBS} older ones")


class SENDOFF_PT_report(_InTab, bpy.types.Panel):
    """What a check of the scene has found"""

    bl_idname = "SENDOFF_PT_report"
    bl_label = "Check Report"
    bl_order = 2

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only where there is a report."""
        return findings_list.shown_job() is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the findings; a click on one shows it."""
        job = findings_list.shown_job()
        if job is not None:
            findings_list.draw(self.layout, context, job)


CLASSES = (SENDOFF_PT_process, SENDOFF_PT_jobs, SENDOFF_PT_report)


def _draw_who(layout: bpy.types.UILayout) -> None:
    """Who is signed in where, in one small line."""
    choice = desk.host.server_choice()
    server = desk.jobs.server
    name = getattr(server, "name", "") or choice.url
    person = getattr(server, "person", "") or choice.person
    row = layout.row()
    row.active = False
    row.label(text=f"{person} on {name}" if person else name, icon="URL" if server is None else "LINKED")
    offered = getattr(server, "addon_version", "")
    if versions.is_newer(offered, __version__):
        row = layout.row()
        row.label(text=f"Sendoff {offered} is there", icon="INFO")
        row.operator("sendoff.update", text="Update")


def _draw_trouble(layout: bpy.types.UILayout) -> bool:
    """What keeps the server from being used, with the button that helps; returns whether there is anything."""
    reason = desk.why_offline()
    connectivity = desk.jobs.connectivity
    refused = connectivity.detail if connectivity.state == "refused" else ""
    text = reason or getattr(desk.jobs.server, "detail", "") or refused
    choice = desk.host.server_choice()
    if not text and choice.url and not choice.token:
        text = f"You are not signed in to {choice.url}"
    if not text and is_expired(choice):
        text = f"Your sign-in to {choice.url} has expired"
    if not text:
        return False
    box = layout.box()
    wrapped(box, text, bpy.context, icon="ERROR")
    if reason.startswith(current.ONLINE_SENTENCE):
        box.operator("sendoff.online_access", icon="INTERNET_OFFLINE")
    else:
        box.operator("sendoff.preferences", text="Open Preferences", icon="PREFERENCES")
    return True


def _draw_scope(layout: bpy.types.UILayout, settings: scene_settings.SENDOFF_PG_scene, task: KnownTask) -> None:
    column = layout.column()
    column.enabled = task.is_scoped
    column.prop(settings, "scope")
    if not task.is_scoped and settings.scope != "SCENE":
        wrapped(layout, f"“{task.title}” always takes the whole scene", bpy.context, icon="INFO")
    elif settings.scope == "COLLECTION":
        column.prop(settings, "collection", text="")
    if task.is_scoped:
        reason = scopes.why_not(settings.scope, settings.collection, bpy.context)
        if reason:
            wrapped(layout, reason, bpy.context, icon="INFO")
