"""A script's way: it waits for the server's tasks and for a job's end, and runs the pump meanwhile."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from .desk import Desk
from .jobs import Job
from .words import line

#: A script that does not say how long it waits, waits so long.
WAIT_SECONDS = 24 * 3600.0
#: While it waits it looks so often at what takes no message: rendering, a mode of the host application.
_LOOK_SECONDS = 0.25
#: The server is given so long to tell its tasks, where a script comes before its first answer.
_TASKS_SECONDS = 10.0


def learn_task(desk: Desk, name: str, work: Callable[[], object]) -> None:
    """Have a task known before its parameters are read: in a host application that has just started, none is.

    A server that does not tell in time, or has no such task, is left to the submit, which says so.
    """
    deadline = time.monotonic() + _TASKS_SECONDS
    work()
    while desk.find_task(name) is None and desk.jobs.server is None and time.monotonic() < deadline:
        session = desk.running_session
        if session is None:
            return
        session.wait(_LOOK_SECONDS)
        work()


def wait_for(
    desk: Desk,
    job: Job,
    timeout_seconds: float,
    *,
    pump: Callable[[], object],
    is_over: Callable[[], bool],
    prints: bool,
) -> None:
    """Run the pump until a job is over, or the time is. Ctrl-C ends the wait and not the job.

    (Blender itself takes the first one in `blender -b`; a second ends it.)

    Args:
        desk: Whose job it is.
        job: The job.
        timeout_seconds: How long to wait.
        pump: One round of the host's pump.
        is_over: Whether nothing more comes of the job by itself.
        prints: Whether each step is told on the console; the end is left to the caller.
    """
    deadline, told = time.monotonic() + timeout_seconds, ""
    with contextlib.suppress(KeyboardInterrupt):
        while not is_over() and time.monotonic() < deadline:
            pump()
            if prints and not is_over():
                told = _tell(desk, job, told)
            session = desk.running_session
            if session is not None:
                session.wait(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))


def _tell(desk: Desk, job: Job, before: str) -> str:
    """Tell on the console how far a job is, where that is news."""
    said = line(job, desk.jobs.connectivity, time.time())
    text = f"Sendoff: {job.name}: {said.text}"
    if text != before:
        percent = f" [{int(said.fraction * 100)} %]" if said.fraction is not None else ""
        print(text + percent, flush=True)
    return text
