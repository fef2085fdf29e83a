"""The pump as it is in every host application: what the threads told becomes what the artist sees."""

from __future__ import annotations

import queue
import time
from pathlib import Path
from typing import Any, Protocol

from .desk import Desk
from .jobs import Job
from .known_tasks import KnownTask
from .messages import AskFailed, CancelFailed, JobEvent, LogFetched, Message, SignedIn
from .status import StatusBar, model

#: Messages are taken from the queue for so long per call; what is left waits for the next one, which is soon.
BUDGET_SECONDS = 0.001
#: Pauses between two calls: while more is waiting, while something goes on, and while only what has ended is shown.
SOON_SECONDS, ACTIVE_SECONDS, IDLE_SECONDS = 0.02, 0.1, 1.0


class View(Protocol):
    """Where a host application shows what goes on."""

    def show(self, bar: StatusBar) -> None:
        """Have this drawn soon, where it is not what is shown."""

    def is_due(self, bar: StatusBar) -> bool:
        """Whether this, or something that was asked for, is still to be drawn."""

    def ask_for_redraw(self) -> None:
        """Have everything of ours drawn anew soon."""

    def tell(self, text: str) -> None:
        """Tell the artist a sentence."""

    def show_log(self, job: Job, path: Path) -> None:
        """Show the worker's log of a job, which lies in a file."""

    def take_tasks(self, tasks: tuple[KnownTask, ...]) -> None:
        """Offer these tasks from now on."""


def work(desk: Desk, view: View) -> float | None:
    """Take what the threads told and have it shown; returns the pause until the next call in seconds.

    None means that nothing goes on and nothing is shown. Neither saves nor imports anything: it keeps within the
    budget.
    """
    deadline = time.perf_counter() + BUDGET_SECONDS
    desk.jobs.server_url = desk.server_url()
    if desk.wants_look():
        desk.look()
    if any(not job.is_saving for job in desk.jobs.active) and not desk.why_offline():
        desk.session()  # finds the jobs of an earlier run, or again after a new sign-in
    session = desk.running_session
    if session is not None:
        drain(desk, view, session.messages, deadline)
        for job in desk.jobs.active:
            if job.wants_result:
                job.is_asked_for = True
                session.ask(job.id)
            elif job.wants_fetch:
                job.is_fetching = True
                session.fetch(job.id, desk.results_folder(job))
    if desk.refresh_tasks():
        view.take_tasks(desk.tasks)
        view.ask_for_redraw()
    bar = model(desk.jobs)
    view.show(bar)
    is_busy = session is not None and session.is_busy  # asked before the queue: a thread's last word is in there then
    if session is not None and not session.messages.empty():
        return SOON_SECONDS
    if desk.jobs.active or desk.jobs.is_checking or is_busy or view.is_due(bar):
        return ACTIVE_SECONDS
    return IDLE_SECONDS if bar.front is not None else None


def drain(desk: Desk, view: View, messages: queue.SimpleQueue[Message], deadline: float) -> int:
    """Apply messages until there are none or the deadline (of time.perf_counter) is over; returns how many."""
    count = 0
    while True:
        try:
            message = messages.get_nowait()
        except queue.Empty:
            return count
        count += 1
        known = desk.jobs.job_of(message)
        before = None if known is None else _kept(known)
        job = desk.jobs.apply(message)
        if job is not None and (job is not known or _kept(job) != before):
            desk.remember(job)
            if job.id:
                desk.has_arrived(job)
        if job is None and not isinstance(message, JobEvent):
            view.ask_for_redraw()
        if isinstance(message, SignedIn):
            desk.server_changed()
        if isinstance(message, LogFetched) and job is not None:
            view.show_log(job, message.path)
        elif isinstance(message, AskFailed):
            view.tell(message.detail)
        elif isinstance(message, CancelFailed) and job is not None:
            view.tell(f"{job.name} could not be cancelled: {message.detail}")
        if time.perf_counter() >= deadline:
            return count


def _kept(job: Job) -> tuple[Any, ...]:
    return (job.id, job.state, job.problem, job.files, job.imported, job.attempt, job.missing_files)
