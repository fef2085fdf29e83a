"""The pump: on the main thread, a few times a second, what the threads told becomes what the artist sees.

`pump` is a plain function. In a window a timer calls it (`tick`); without one (`blender -b`, the bpy module)
timers never fire and a script calls it.
"""

from __future__ import annotations

import contextlib
import queue
import time
import traceback
from typing import Any

import bpy

from . import current, results, status_bar
from .jobs import Job

#: Messages are taken from the queue for so long per call; what is left waits for the next one.
BUDGET_SECONDS = 0.005
#: Pauses between two calls while something goes on, and while only the last word about a job is shown.
ACTIVE_SECONDS, IDLE_SECONDS = 0.1, 0.5


def pump() -> float | None:
    """Take the messages, fetch and import what is due, show it; returns the pause until the next call, in seconds.

    None means that nothing goes on and nothing is shown. Importing a result is the one thing that may take
    longer than the budget; there is one import per call at most.
    """
    deadline = time.perf_counter() + BUDGET_SECONDS
    session = current.running_session()
    current.jobs.server_url = current.server_url()
    if any(job.id for job in current.jobs.active) and not current.why_offline():
        session = current.session()  # finds the jobs of an earlier run, or again after a new sign-in
    if session is not None:
        drain(session.messages, deadline)
        for job in current.jobs.active:
            if job.wants_result:
                job.is_asked_for = True
                session.ask(job.id)
            elif job.wants_fetch:
                job.is_fetching = True
                session.fetch(job.id, current.results_folder(job))
    due = next((job for job in current.jobs.jobs if is_import_due(job, bpy.context)), None)
    if due is not None:
        with _window():
            import_and_say(due, bpy.context)
            bpy.ops.ed.undo_push(message=f"Import {due.title} from Server")
    status_bar.append()
    bar = status_bar.model(current.jobs)
    status_bar.show(bar)
    if current.jobs.active or (session is not None and session.is_busy):
        return ACTIVE_SECONDS
    return IDLE_SECONDS if bar.text or bar != status_bar.shown else None


def drain(messages: queue.Queue[Any], deadline: float) -> int:
    """Apply messages until there are none or the deadline (of time.perf_counter) is over; returns how many."""
    count = 0
    while True:
        try:
            message = messages.get_nowait()
        except queue.Empty:
            return count
        count += 1
        known = current.jobs.find(getattr(message, "key", "") or getattr(message, "job_id", ""))
        before = None if known is None else _kept(known)
        job = current.jobs.apply(message)
        if job is not None and (job is not known or _kept(job) != before):
            current.remember(job)
        if time.perf_counter() >= deadline:
            return count


def is_import_due(job: Job, context: Any) -> bool:
    """Whether a result goes into the scene by itself: its file is open, and the artist is not in the middle of it."""
    return job.wants_import and current.came_from_open_file(job) and not results.why_not_now(job, context)


def import_and_say(job: Job, context: Any) -> bool:
    """Import a result and note what became of it; the caller makes the undo step. Returns whether it worked."""
    try:
        job.imported = results.import_result(job, context)
    except results.ImportFailed as error:
        job.problem = str(error)
    job.ended_at = time.time()
    current.remember(job)
    return bool(job.imported)


def tick() -> float | None:
    """The timer's function; an exception would end the timer, so it ends here, in Blender's log."""
    try:
        return pump()
    except Exception:
        traceback.print_exc()
        return IDLE_SECONDS


def start() -> None:
    """Have the pump called from now on, where there is a window."""
    if not bpy.app.background and not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=0.0, persistent=True)


def stop() -> None:
    """Have it called no more."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


@bpy.app.handlers.persistent
def before_load(*_: Any) -> None:
    """The windows' regions are about to go."""
    status_bar.forget_regions()


@bpy.app.handlers.persistent
def after_load(*_: Any) -> None:
    """Another file is open; a result may be waiting for it."""
    current.another_file_is_open()
    start()


def _kept(job: Job) -> tuple[Any, ...]:
    return (job.id, job.state, job.problem, job.files, job.imported)


def _window() -> Any:
    """A timer has no window, and an undo step needs one."""
    windows = bpy.context.window_manager.windows
    if bpy.context.window is not None or not windows:
        return contextlib.nullcontext()
    return bpy.context.temp_override(window=windows[0])
