"""The pump: on the main thread, a few times a second, what the threads told becomes what the artist sees.

`pump` is a plain function. In a window a timer calls it (`tick`); without one (`blender -b`, the bpy module)
timers never fire and a script calls it.
"""

from __future__ import annotations

import queue
import time
import traceback
from typing import Any

import bpy

from . import current, form, notices, preferences, results, status_bar, submitting
from .jobs import Job
from .messages import AskFailed, CancelFailed, JobEvent, LogFetched, Message
from .problems import Problem, Remedy
from .windows import some_window

#: Messages are taken from the queue for so long per call; what is left waits for the next one, which is soon.
BUDGET_SECONDS = 0.001
#: Pauses between two calls: while more is waiting, while something goes on, and while only what has ended is shown.
SOON_SECONDS, ACTIVE_SECONDS, IDLE_SECONDS = 0.02, 0.1, 1.0
#: A copy is saved once the status bar was drawn with its job, or after so long where none is drawn.
DRAWN_WITHIN_SECONDS = 0.3


def pump() -> float | None:
    """Take the messages, show them, save and import what is due; returns the pause until the next call, in seconds.

    None means that nothing goes on and nothing is shown. Saving a copy and importing a result are the two things
    that may take longer than the budget; there is one of them per call at most.
    """
    pause = work()
    saving = submitting.due()
    if saving is not None:
        if not _was_answered(saving):
            return 0.0
        submitting.save_and_send(saving)
        return 0.0
    importing = next((job for job in current.jobs.jobs if is_import_due(job, bpy.context)), None)
    if importing is not None:
        with some_window():
            import_and_say(importing, bpy.context)
            bpy.ops.ed.undo_push(message=f"Import {importing.title} from Server")
        return 0.0
    return pause


def _was_answered(job: Job) -> bool:
    """Whether the artist has seen that the click on a job arrived: timers are called before what they show is drawn."""
    is_long_ago = not 0.0 <= time.time() - job.created_at < DRAWN_WITHIN_SECONDS
    return bpy.app.background or status_bar.was_drawn(job.key) or is_long_ago


def work() -> float | None:
    """All of a call but saving and importing: it keeps within the budget."""
    deadline = time.perf_counter() + BUDGET_SECONDS
    current.jobs.server_url = current.server_url()
    if current.wants_look():
        current.look()
    if any(not job.is_saving for job in current.jobs.active) and not current.why_offline():
        current.session()  # finds the jobs of an earlier run, or again after a new sign-in
    session = current.running_session()
    if session is not None:
        drain(session.messages, deadline)
        for job in current.jobs.active:
            if job.wants_result:
                job.is_asked_for = True
                session.ask(job.id)
            elif job.wants_fetch:
                job.is_fetching = True
                session.fetch(job.id, current.results_folder(job))
    if current.refresh_tasks():
        form.register_tasks(current.tasks)
        status_bar.ask_for_redraw()
    status_bar.append()
    bar = status_bar.model(current.jobs)
    status_bar.show(bar)
    is_busy = session is not None and session.is_busy  # asked before the queue: a thread's last word is in there then
    if session is not None and not session.messages.empty():
        return SOON_SECONDS
    if current.jobs.active or current.jobs.is_checking or is_busy or status_bar.is_due(bar):
        return ACTIVE_SECONDS
    return IDLE_SECONDS if bar.front is not None else None


def drain(messages: queue.SimpleQueue[Message], deadline: float) -> int:
    """Apply messages until there are none or the deadline (of time.perf_counter) is over; returns how many."""
    count = 0
    while True:
        try:
            message = messages.get_nowait()
        except queue.Empty:
            return count
        count += 1
        known = current.jobs.job_of(message)
        before = None if known is None else _kept(known)
        job = current.jobs.apply(message)
        if job is not None and (job is not known or _kept(job) != before):
            current.remember(job)
            if job.id:
                current.has_arrived(job)
        if job is None and not isinstance(message, JobEvent):
            status_bar.ask_for_redraw()
        if isinstance(message, LogFetched) and job is not None:
            notices.show_log(job, message.path)
        elif isinstance(message, AskFailed):
            notices.tell(message.detail)
        elif isinstance(message, CancelFailed) and job is not None:
            notices.tell(f"{job.name} could not be cancelled: {message.detail}")
        if time.perf_counter() >= deadline:
            return count


def is_import_due(job: Job, context: bpy.types.Context) -> bool:
    """Whether a result goes into the scene by itself: its file is open, and the artist is not in the middle of it."""
    is_wanted = job.wants_import and (job.is_import_asked or preferences.imports_by_itself())
    if not is_wanted or not current.came_from_open_file(job) or results.why_not_now(job, context):
        return False
    return job.is_import_asked or not _may_redo()


def _may_redo() -> bool:
    """Whether something is undone: a result that comes in now would be the end of what can be redone."""
    with some_window():
        return not bpy.app.background and bpy.ops.ed.redo.poll()  # type: ignore[call-arg]


def import_and_say(job: Job, context: bpy.types.Context) -> bool:
    """Import a result and note what became of it; the caller makes the undo step. Returns whether it worked."""
    try:
        imported = results.import_result(job, context)
    except results.ImportFailed as error:
        job.problem = Problem(str(error), (Remedy.RETRY,))
    else:
        job.problem = None
        job.imported, job.import_notes = imported.text, imported.notes
    job.ended_at = time.time()
    current.remember(job)
    return job.problem is None


def tick() -> float | None:
    """The timer's function; an exception would end the timer, so it ends here, in Blender's log."""
    try:
        return pump()
    except Exception:
        traceback.print_exc()
        return IDLE_SECONDS


def start() -> None:
    """Have the pump called from now on, at once, where there is a window."""
    if bpy.app.background:
        return
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)  # it may be in the middle of a long pause
    bpy.app.timers.register(tick, first_interval=0.0, persistent=True)


def stop() -> None:
    """Have it called no more."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


@bpy.app.handlers.persistent
def before_load(*_: object) -> None:
    """The windows' regions are about to go."""
    status_bar.forget_regions()


@bpy.app.handlers.persistent
def after_load(*_: object) -> None:
    """Another file is open; a result may be waiting for it."""
    current.another_file_is_open()
    start()


def _kept(job: Job) -> tuple[Any, ...]:
    return (job.id, job.state, job.problem, job.files, job.imported, job.attempt)
