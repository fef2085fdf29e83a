"""The tab Sendoff in the 3D view's sidebar: the tasks, and the jobs with what can be done about each."""

from __future__ import annotations

from typing import Any

import bpy

from . import current, results, status_bar
from .jobs import Job

#: Offered until the server has told what its workers do.
_DEFAULT_TASKS = ({"name": "mesh.lods", "title": "Levels of detail"}, {"name": "scene.check", "title": "Check scene"})
_LISTED_JOBS = 8


class SENDOFF_PT_jobs(bpy.types.Panel):
    """Send this scene to the server, and see what became of it"""

    bl_idname = "SENDOFF_PT_jobs"
    bl_label = "Process on Server"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Sendoff"

    def draw(self, _context: Any) -> None:
        """Draw tasks and jobs."""
        layout = self.layout
        server = current.jobs.server
        reason = current.why_offline()
        if reason:
            _wrapped(layout, reason, icon="ERROR")
        connectivity = current.jobs.connectivity
        refused = getattr(server, "detail", "") or (connectivity.detail if connectivity.state == "refused" else "")
        if refused:
            _wrapped(layout, refused, icon="ERROR")
        if reason or refused:
            layout.operator("preferences.addon_show", text="Open Preferences").module = __package__
        column = layout.column(align=True)
        for task in tasks():
            column.operator("sendoff.process", text=task["title"], icon="EXPORT").task = task["name"]
        layout.operator("sendoff.look", icon="FILE_REFRESH")
        for job in reversed(current.jobs.jobs[-_LISTED_JOBS:]):
            self._draw_job(layout.box(), job)

    def _draw_job(self, box: Any, job: Job) -> None:
        row = box.row()
        text, fraction = status_bar.describe(job)
        if job.is_active and current.jobs.is_elsewhere(job):
            text, fraction = f"On {job.server_url}, which is not the server that is set now", None
        row.label(text=job.title, icon=_icon(job))
        if job in current.jobs.active:
            row.operator("sendoff.cancel", text="", icon="X").job = job.key
        else:
            row.operator("sendoff.dismiss", text="", icon="TRASH").job = job.key
        if fraction is not None:
            box.progress(factor=fraction, text=f"{fraction:.0%}", type="BAR")
        _wrapped(box, text)
        for warning in job.warnings[:3]:
            _wrapped(box, warning, icon="INFO")
        if job.sign_in_required:
            box.operator("preferences.addon_show", text="Sign In").module = __package__
        if job.wants_import or (job.files and job.problem):
            box.operator("sendoff.import_result", icon="IMPORT").job = job.key
        if job.files and results.scene_file(job) is None:
            folder = str(job.files[0].path.parent)
            box.operator("wm.path_open", text="Open Folder", icon="FILE_FOLDER").filepath = folder


CLASSES = (SENDOFF_PT_jobs,)


def tasks() -> list[dict[str, str]]:
    """Name and title of the tasks to offer: the server's that take a .blend, else those it always has."""
    offered = getattr(current.jobs.server, "tasks", ()) or _DEFAULT_TASKS
    return [
        {"name": str(task["name"]), "title": str(task.get("title") or task["name"])}
        for task in offered
        if "blend" in task.get("accepts", ("blend",))
    ]


def _icon(job: Job) -> str:
    if job.problem:
        return "ERROR"
    return "SORTTIME" if job in current.jobs.active else "CHECKMARK"


def _wrapped(layout: Any, text: str, *, icon: str = "NONE", width: int = 42) -> None:
    """A sentence over several lines, since a label has one."""
    column = layout.column(align=True)
    line = ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            column.label(text=line, icon=icon)
            line, icon = "", "BLANK1" if icon != "NONE" else "NONE"
        line = f"{line} {word}".strip()
    column.label(text=line, icon=icon)
