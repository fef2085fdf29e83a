"""The pump: on the main thread, when Maya is idle, what the threads told becomes what the artist sees.

`pump` is a plain function. With a window a `Ticker` has it called when Maya is idle; without one (`mayapy`) Maya is
never idle, and a script calls it.
"""

from __future__ import annotations

import time
import traceback
from pathlib import Path

from maya import cmds, utils

from . import notices, preferences, results, status_bar
from .current import desk, submitting
from .interactive import is_interactive
from .sendoff.host import pump as of_all_hosts
from .sendoff.host.jobs import Job
from .sendoff.host.known_tasks import KnownTask
from .sendoff.host.problems import Problem, Remedy
from .sendoff.host.pump import IDLE_SECONDS
from .sendoff.host.status import StatusBar
from .ticker import Ticker

#: A copy is saved once a click's job was shown for so long: an edited control is drawn when Maya is idle next.
DRAWN_WITHIN_SECONDS = 0.15
_ticker: Ticker | None = None
#: Jobs whose end was told in the view, by their keys.
_told: dict[str, str] = {}


def pump() -> float | None:
    """Take the messages, show them, save and import what is due; returns the pause until the next call, in seconds.

    None means that nothing goes on and nothing is shown. Saving a copy and importing a result are the two things
    that may take long; there is one of them per call at most.
    """
    pause = work()
    saving = submitting.due()
    if saving is not None:
        waited = time.time() - saving.created_at
        if is_interactive() and 0.0 <= waited < DRAWN_WITHIN_SECONDS:
            return DRAWN_WITHIN_SECONDS - waited
        submitting.save_and_send(saving)
        return 0.0
    importing = next((job for job in desk.jobs.jobs if is_import_due(job)), None)
    if importing is not None:
        import_and_say(importing)
        return 0.0
    return pause


def work() -> float | None:
    """All of a call but saving and importing: it keeps within the budget."""
    pause = of_all_hosts.work(desk, Shown())
    _tell_ends()
    return pause


class Shown:
    """Where Maya shows what goes on; see `View`."""

    def show(self, bar: StatusBar) -> None:
        """At the bottom of the main window, and in our own."""
        status_bar.show(bar)

    def is_due(self, bar: StatusBar) -> bool:
        """Whether they wait to be drawn."""
        return status_bar.is_due(bar)

    def ask_for_redraw(self) -> None:
        """Have both drawn anew."""
        status_bar.ask_for_redraw()

    def tell(self, text: str) -> None:
        """In the view, and in the Script Editor."""
        notices.tell(text)

    def show_log(self, job: Job, path: Path) -> None:
        """In a window of its own."""
        notices.show_log(job, path)

    def take_tasks(self, _tasks: tuple[KnownTask, ...]) -> None:
        """The window reads them when it is drawn."""


def is_import_due(job: Job) -> bool:
    """Whether a result goes into the scene by itself: its scene is open, and the artist is not in the middle of it."""
    is_wanted = job.wants_import and (job.is_import_asked or preferences.is_on(preferences.IMPORTS))
    if not is_wanted or not desk.came_from_open_file(job) or results.why_not_now(job):
        return False
    return job.is_import_asked or not _may_redo()


def import_and_say(job: Job, placement: str = "") -> bool:
    """Import a result as one undo step and note what became of it. Returns whether it worked."""
    try:
        imported = results.import_result(job, placement)
    except results.ImportFailed as error:
        job.problem = Problem(str(error), (Remedy.RETRY,))
    else:
        job.problem = None
        job.imported, job.import_notes = imported.text, imported.notes
    job.ended_at = time.time()
    desk.remember(job)
    status_bar.ask_for_redraw()
    return job.problem is None


def tick() -> float | None:
    """What the ticker has called; an exception ends here, in the Script Editor."""
    try:
        return pump()
    except Exception:
        traceback.print_exc()
        return IDLE_SECONDS


def start() -> None:
    """Have the pump called from now on, soon, where there is a window."""
    global _ticker  # noqa: PLW0603
    if not is_interactive():
        return
    if _ticker is None:
        _ticker = Ticker(tick, utils.executeDeferred)
    _ticker.wake()


def stop() -> None:
    """Have it called no more."""
    global _ticker  # noqa: PLW0603
    if _ticker is not None:
        _ticker.close()
        _ticker = None
    _told.clear()


def _tell_ends() -> None:
    """Tell in the view how a job ended, once: the artist may look anywhere."""
    for job in desk.jobs.unseen:
        what = "problem" if job.problem is not None else "imported" if job.imported else "here"
        if _told.get(job.key) == what:
            continue
        is_new = job.key in _told
        _told[job.key] = what
        if is_new and not (job.problem is not None and job.problem.is_stop):
            said = job.problem.text if job.problem is not None else job.imported or "the result is here"
            notices.in_view(f"{job.name}: {said}")
    for job in desk.jobs.active:
        if job.key not in _told and job.is_saving:
            notices.in_view(f"{job.name}: sending; go on working")
        _told.setdefault(job.key, "active")


def _may_redo() -> bool:
    """Whether something is undone: a result that comes in now would be the end of what can be redone."""
    return is_interactive() and bool(cmds.undoInfo(query=True, redoName=True))
