"""Progress as a task reports it: any number of times, at hardly any cost; sent at most ten times a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import JobInterrupted, StopReason
from .pace import Pace

INTERVAL_SECONDS = 0.1


@dataclass(frozen=True)
class Report:
    """What is to be told of a job; None means: as before."""

    fraction: float | None
    message: str | None
    done: int | None
    total: int | None
    stage: str | None
    eta_seconds: float | None


class Reporter:
    """The newest progress of a job; written by the task's thread, taken by the one that sends it."""

    def __init__(self, wake: Callable[[], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._wake = wake
        self._clock = clock
        self._newest: tuple[float | None, str | None, int | None, int | None] | None = None
        self._stage: str | None = None
        self._pace: Pace | None = None
        #: The stage in which a fraction was reported last.
        self._measured_stage: str | None = None
        #: Set when the job has to stop: the next report raises it.
        self.stop_reason: StopReason | None = None
        #: Whether the task was told: from then on it ends what it has begun, and must not be interrupted in that.
        self.is_told = False

    def progress(
        self,
        fraction: float | None = None,
        message: str | None = None,
        done: int | None = None,
        total: int | None = None,
    ) -> None:
        """Report progress; raises JobInterrupted where the job has to stop.

        A plain assignment, so that it may stand in the innermost loop; only the first report after one was sent
        wakes the sender.
        """
        if self.stop_reason is not None:
            self.check()
        is_first = self._newest is None
        self._newest = (fraction, message, done, total)
        if is_first:
            self._wake()

    def stage(self, name: str, message: str | None = None) -> None:
        """Begin a stage of the job; told at once. The fraction is of the whole task, and goes on from where it was."""
        self.check()
        self._stage = name
        self._newest = (None, message if message is not None else "", None, None)
        self._wake()

    def name_stage(self, name: str) -> None:
        """Say to which stage the reports from now on belong."""
        self._stage = name

    def begin_task(self) -> None:
        """The task itself runs: only then do counted steps make the fraction, and is the time left told."""
        self._pace = Pace(self._clock())

    def end_task(self) -> None:
        """What comes now has no part in the fraction."""
        self._pace = None

    def check(self) -> None:
        """Raise JobInterrupted where the job has to stop."""
        if self.stop_reason is not None:
            self.is_told = True
            raise JobInterrupted(self.stop_reason)

    def take(self) -> Report | None:
        """What is new since the last call, or None."""
        newest, self._newest = self._newest, None
        if newest is None:
            return None
        fraction, message, done, total = newest
        pace, stage = self._pace, self._stage
        if fraction is None and pace is not None and done is not None and total:
            fraction = done / total
        eta = None
        if pace is not None and fraction is not None:
            eta = pace.eta_seconds(fraction, self._clock())
            self._measured_stage = stage
        elif pace is not None and stage == self._measured_stage:  # only the message is new
            eta = pace.left_seconds(self._clock())
        return Report(fraction, message, done, total, stage, eta)
