"""The status bar: what it says, as a value that tests can read, and the function that draws it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import bpy

from .jobs import Job, JobList
from .sendoff import Health, JobState

#: How long the last word about a job stays.
SHOWN_SECONDS = 12.0
#: The bar is drawn so often at most: each redraw costs the artist more than the upload does.
REDRAW_SECONDS = 0.2
#: Width of the bar itself, in Blender's units of a button's height; the text beside it takes what it needs.
BAR_UNITS = 6

_MEGA = 1e6
_PLAIN_WORDS = {
    JobState.QUEUED: "waiting for a worker",
    JobState.STARTING: "starting",
    JobState.RUNNING: "running",
}


@dataclass(frozen=True)
class StatusBar:
    """One moment of the status bar: the text ("" hides it) and how far it is, None where that is unknown."""

    text: str = ""
    fraction: float | None = None
    #: The key of the job that the button beside it cancels; "" where there is nothing to cancel.
    cancels: str = ""


#: What was drawn last, or is about to be.
shown = StatusBar()
_asked_at = 0.0
_regions: dict[int, Any] = {}


def model(jobs: JobList, now: float | None = None) -> StatusBar:
    """What the status bar says about the jobs at a time (Unix seconds)."""
    now = time.time() if now is None else now
    active = jobs.active
    if active:
        job = active[-1]
        text, fraction = _doing(job)
        text = f"{job.title}: {text}"
        if len(active) > 1:
            text += f" (and {len(active) - 1} more)"
        if jobs.connectivity.state != "online" and not job.is_sending:
            text += " (reconnecting)" if jobs.connectivity.state == "reconnecting" else f" ({jobs.connectivity.detail})"
        # A thousandth is what the bar can show; less would only cost redraws.
        fraction = None if fraction is None else round(min(1.0, max(0.0, fraction)), 3)
        may_cancel = not job.cancelling and (job.state is None or not job.state.is_final)
        return StatusBar(text, fraction, job.key if may_cancel else "")
    waiting = next((job for job in reversed(jobs.jobs) if job.wants_import), None)
    if waiting is not None:
        return StatusBar(f"{waiting.title}: the result is here. Import it in the sidebar (N), tab Sendoff")
    ended = max(jobs.jobs, key=lambda job: job.ended_at or 0.0, default=None)
    if ended is not None and now - (ended.ended_at or 0.0) < SHOWN_SECONDS:
        return StatusBar(f"{ended.title}: {_ended(ended)}")
    return StatusBar()


def describe(job: Job) -> tuple[str, float | None]:
    """What happens to a job, or has become of it, and how far it is."""
    return _doing(job) if job.is_active else (_ended(job), None)


def _doing(job: Job) -> tuple[str, float | None]:
    if job.state is None:
        return _sending(job)
    if job.state.is_final:
        done, total = job.fetching
        if not total:
            return "done, the result is on its way", None
        return f"bringing the result, {_sizes(done, total)}", done / total
    return _on_the_server(job), None if job.state is JobState.QUEUED else job.fraction


def _on_the_server(job: Job) -> str:
    if job.cancelling or job.state is JobState.CANCELLING:
        return "cancelling"
    if job.health is Health.WORKER_LOST:
        return "the worker was lost, another one takes over"
    text = job.message or job.stage or _PLAIN_WORDS[job.state]
    if job.state is JobState.QUEUED and job.queue_position and job.queue_position > 1:
        text += f", place {job.queue_position} in the queue"
    if job.health is Health.STALLED:
        text += " (no word from the worker for a while)"
    return text


def _sending(job: Job) -> tuple[str, float | None]:
    done, total = job.sending
    if job.cancelling:
        return "stopping", None
    if not total:
        return "preparing to send", None
    if done >= total:
        return "sent, waiting for the server's word", 1.0
    return f"sending, {_sizes(done, total)}", done / total


def _ended(job: Job) -> str:
    if job.problem:
        return job.problem
    if job.imported:
        return job.imported
    if job.wants_import:
        return "the result is here"
    return f"done. {job.warnings[0]}" if job.warnings else "done"


def _sizes(done: int, total: int) -> str:
    if total < _MEGA:
        return f"{done / 1e3:.0f} of {total / 1e3:.0f} kB"
    return f"{done / _MEGA:.1f} of {total / _MEGA:.1f} MB"


def show(bar: StatusBar) -> bool:
    """Have the status bar drawn anew where it changed; returns whether it did, False also where it is too early."""
    global shown, _asked_at
    now = time.monotonic()
    if bar == shown or now - _asked_at < REDRAW_SECONDS:
        return False
    shown, _asked_at = bar, now
    _redraw()
    return True


def draw(header: Any, context: Any) -> None:
    """Draw it, at the end of Blender's own status bar."""
    if context.window is not None:
        _regions[context.window.as_pointer()] = context.region
    if not shown.text:
        return
    row = header.layout.row(align=True)
    row.separator()
    row.label(text=shown.text, icon="SORTTIME" if shown.cancels else "INFO")
    if shown.fraction is not None:
        bar = row.row()
        bar.ui_units_x = BAR_UNITS
        bar.progress(factor=shown.fraction, text=f"{shown.fraction:.0%}", type="BAR")
    if shown.cancels:
        row.operator("sendoff.cancel", text="", icon="X").job = shown.cancels


def append() -> None:
    """Be part of the status bar; again where another add-on's text has thrown us out."""
    header = bpy.types.STATUSBAR_HT_header
    if draw not in getattr(header.draw, "_draw_funcs", ()):
        header.append(draw)


def remove() -> None:
    """Be part of it no more."""
    global shown  # noqa: PLW0603
    shown = StatusBar()
    bpy.types.STATUSBAR_HT_header.remove(draw)
    _redraw()
    forget_regions()


def forget_regions() -> None:
    """Forget the regions seen: the windows of the file that was open are about to go."""
    _regions.clear()


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        region = _regions.get(window.as_pointer())  # the status bar is not among the screen's areas
        if region is not None:
            region.tag_redraw()
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for part in area.regions:
                    if part.type == "UI":
                        part.tag_redraw()
