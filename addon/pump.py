"""The pump: on the main thread, a few times a second, what the threads told becomes what the artist sees.

`pump` is a plain function. In a window a timer calls it (`tick`); without one (`blender -b`, the bpy module)
timers never fire and a script calls it.
"""

from __future__ import annotations

import time
import traceback
from pathlib import Path

import bpy

from . import form, notices, preferences, results, status_bar
from .current import desk, submitting
from .sendoff.host import pump as of_all_hosts
from .sendoff.host.jobs import Job
from .sendoff.host.known_tasks import KnownTask
from .sendoff.host.problems import Problem, Remedy
from .sendoff.host.pump import IDLE_SECONDS
from .sendoff.host.status import StatusBar
from .sendoff.names import readable
from .windows import some_window

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
    importing = next((job for job in desk.jobs.jobs if is_import_due(job, bpy.context)), None)
    if importing is not None:
        import_as_one_step(importing, bpy.context)
        return 0.0
    return pause


def _was_answered(job: Job) -> bool:
    """Whether the artist has seen that the click on a job arrived: timers are called before what they show is drawn."""
    is_long_ago = not 0.0 <= time.time() - job.created_at < DRAWN_WITHIN_SECONDS
    return bpy.app.background or status_bar.was_drawn(job.key) or is_long_ago


def work() -> float | None:
    """All of a call but saving and importing: it keeps within the budget."""
    status_bar.append()
    return of_all_hosts.work(desk, Shown())


class Shown:
    """Where Blender shows what goes on; see `View`."""

    def show(self, bar: StatusBar) -> None:
        """In the status bar."""
        status_bar.show(bar)

    def is_due(self, bar: StatusBar) -> bool:
        """Whether the status bar waits to be drawn."""
        return status_bar.is_due(bar)

    def ask_for_redraw(self) -> None:
        """The status bar, the panel and the preferences."""
        status_bar.ask_for_redraw()

    def tell(self, text: str) -> None:
        """At the mouse."""
        notices.tell(text)

    def show_log(self, job: Job, path: Path) -> None:
        """In a window of its own."""
        notices.show_log(job, path)

    def take_tasks(self, tasks: tuple[KnownTask, ...]) -> None:
        """As properties of the scene."""
        form.register_tasks(tasks)


def is_import_due(job: Job, context: bpy.types.Context) -> bool:
    """Whether a result goes into the scene by itself: its file is open, and the artist is not in the middle of it."""
    is_wanted = job.wants_import and (job.is_import_asked or preferences.imports_by_itself())
    if not is_wanted or not desk.came_from_open_file(job) or results.why_not_now(job, context):
        return False
    return job.is_import_asked or not _may_redo()


def _may_redo() -> bool:
    """Whether something is undone: a result that comes in now would be the end of what can be redone."""
    with some_window():
        return not bpy.app.background and bpy.ops.ed.redo.poll()  # type: ignore[call-arg]


def import_as_one_step(job: Job, context: bpy.types.Context) -> None:
    """Import a result as one undo step; one that brings nothing into the file, as a report, is none."""
    with some_window():
        imported = _import(job, context)
    if imported is None or imported.object_names or imported.image_names:
        # Not inside of `some_window`: an operator and an override go together badly, see any_mode.
        bpy.ops.ed.undo_push(message=f"Import {job.title} from Server")
    desk.remember(job)


def import_and_say(job: Job, context: bpy.types.Context) -> bool:
    """Import a result and note what became of it; the caller makes the undo step. Returns whether it worked."""
    is_imported = _import(job, context) is not None
    desk.remember(job)
    return is_imported


def _import(job: Job, context: bpy.types.Context) -> results.Imported | None:
    imported = None
    try:
        imported = results.import_result(job, context)
    except results.ImportFailed as error:
        job.problem = Problem(readable(str(error)), (Remedy.RETRY,))
    else:
        job.problem = None
        job.imported = readable(imported.text)
        job.import_notes = tuple(readable(note) for note in imported.notes)
    job.ended_at = time.time()
    return imported


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
    desk.another_file_is_open()
    start()
