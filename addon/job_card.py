"""One job in the sidebar: how it is, how far, and what can be done about it."""

from __future__ import annotations

import time

import bpy

from . import buttons, results, status_bar
from .current import desk
from .sendoff.host.buttons import of
from .sendoff.host.jobs import Job
from .sendoff.host.status import mood
from .sendoff.host.words import line
from .wrapped import wrapped

_NOTES_SHOWN = 4


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, job: Job) -> None:
    """Draw a job's card."""
    box = layout.box()
    row = box.row(align=True)
    row.label(text=job.title, icon=status_bar.ICONS[mood(job)])
    _draw_tools(row, job)
    what = job.task_title or job.task
    if job.scope_title:
        what += f", {job.scope_title}"
    small = box.row()
    small.active = False
    small.label(text=what)
    if job.is_active and desk.jobs.is_elsewhere(job):
        wrapped(box, f"On {job.server_url}, which is not the server that is set now", context, icon="INFO")
        return
    said = line(job, desk.jobs.connectivity, time.time())
    if said.fraction is not None:
        box.progress(factor=said.fraction, text=said.bar_text, type="BAR")
    if job.is_active and job.stage and job.stage not in said.text:
        box.label(text=job.stage)
    wrapped(box, said.text, context, icon="ERROR" if job.problem is not None and not job.problem.is_stop else "NONE")
    _draw_notes(box, context, job)
    asked = of(job, desk.jobs, is_here=results.is_here(job))
    names = tuple(name for name in asked if name not in ("cancel", "seen"))
    if names:
        buttons.draw(box.row(align=True), job.key, names)


def _draw_tools(row: bpy.types.UILayout, job: Job) -> None:
    """The small buttons in the corner."""
    if job.id:
        row.operator("sendoff.open_log", text="", icon="TEXT", emboss=False).job = job.key
        row.operator("sendoff.open_page", text="", icon="URL", emboss=False).job = job.key
    if job.files:
        row.operator("sendoff.open_folder", text="", icon="FILE_FOLDER", emboss=False).job = job.key
    if job in desk.jobs.active:
        cancel = row.row(align=True)
        cancel.enabled = job.may_cancel
        cancel.operator("sendoff.cancel", text="", icon="X", emboss=False).job = job.key
        if desk.jobs.connectivity.state != "online":
            row.operator("sendoff.dismiss", text="", icon="TRASH", emboss=False).job = job.key
        return
    row.operator("sendoff.retry", text="", icon="FILE_REFRESH", emboss=False).job = job.key
    row.operator("sendoff.dismiss", text="", icon="TRASH", emboss=False).job = job.key


def _draw_notes(box: bpy.types.UILayout, context: bpy.types.Context, job: Job) -> None:
    """What there is to know besides: of what was sent, of the result, of what changed meanwhile."""
    notes = [*job.notes, *job.warnings, *job.import_notes]
    for note in notes[:_NOTES_SHOWN]:
        wrapped(box, note, context, icon="INFO")
    if len(notes) > _NOTES_SHOWN:
        box.label(text=f"and {len(notes) - _NOTES_SHOWN} more notes: see the log", icon="INFO")
    if job.missing_files and job.problem is None:
        box.operator("sendoff.relink", icon="FILE_FOLDER").job = job.key
