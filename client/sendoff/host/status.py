"""What the host application's status bar says, as a value: which jobs, in which words, with which bars and buttons."""

from __future__ import annotations

import time
from dataclasses import dataclass

from . import buttons
from .jobs import Job, JobList
from .words import line

#: So many jobs besides the newest are shown; the others are counted.
_SMALL_BARS = 2


@dataclass(frozen=True)
class Entry:
    """One job in the status bar: its key, what is said of it, its bar, and the buttons beside it (see buttons.py)."""

    key: str
    text: str
    fraction: float | None = None
    bar_text: str = ""
    #: See `mood`.
    mood: str = ""
    buttons: tuple[str, ...] = ()
    #: Those of the buttons that do nothing now.
    greyed: tuple[str, ...] = ()


@dataclass(frozen=True)
class StatusBar:
    """One moment of the status bar: the job in front, others as small bars, and how many more there are."""

    front: Entry | None = None
    small: tuple[Entry, ...] = ()
    more: int = 0


def model(jobs: JobList, now: float | None = None) -> StatusBar:
    """What the status bar says about the jobs at a time (Unix seconds).

    In front stands the job that was started last, behind it the others that go on, then what has ended and was
    not seen: it stays until the artist has clicked on it.
    """
    now = time.time() if now is None else now
    waiting = [*reversed(jobs.active), *reversed(jobs.unseen)]
    if not waiting:
        return StatusBar()
    small = waiting[1 : 1 + _SMALL_BARS]
    return StatusBar(
        front=_entry(waiting[0], jobs, now),
        small=tuple(_small(job, jobs, now) for job in small),
        more=len(waiting) - 1 - len(small),
    )


def mood(job: Job) -> str:
    """How a job is, for the choice of an icon: "working", "arrived", "done", "stopped" or "error"."""
    if job.problem is not None:
        return "stopped" if job.problem.is_stop else "error"
    if job.is_active:
        return "working"
    return "arrived" if job.wants_import else "done"


def shortened(text: str, letters: int) -> str:
    """A sentence with at most so many letters, cut at its end."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def _entry(job: Job, jobs: JobList, now: float) -> Entry:
    said = line(job, jobs.connectivity, now)
    return Entry(
        key=job.key,
        text=f"{job.name}: {said.text}",
        fraction=said.fraction,
        bar_text=said.bar_text if said.fraction is not None else "",
        mood=mood(job),
        buttons=buttons.of(job, jobs),
        greyed=buttons.greyed(job),
    )


def _small(job: Job, jobs: JobList, now: float) -> Entry:
    said = line(job, jobs.connectivity, now)
    if said.fraction is None:
        words = "failed" if job.problem is not None and not job.problem.is_stop else "ended"
        return Entry(key=job.key, text=f"{job.name}: {words}", mood=mood(job), buttons=buttons.of_small(job))
    percent = f"{int(said.fraction * 100)} %"
    return Entry(
        key=job.key,
        text="",
        fraction=said.fraction,
        bar_text=f"{job.name}: {percent}",
        mood=mood(job),
        buttons=buttons.of_small(job),
        greyed=buttons.greyed(job),
    )
