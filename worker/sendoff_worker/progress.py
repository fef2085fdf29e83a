"""Progress as a task reports it: any number of times, at hardly any cost; sent at most ten times a second.

A new stage is sent at once, and the last report of the stage before it is not lost: however short a stage was, who
watches reads of it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from .errors import JobInterrupted, StopReason
from .pace import Pace

INTERVAL_SECONDS = 0.1
#: A new stage waits no longer than this.
STAGE_INTERVAL_SECONDS = 0.02
#: Of so many stages begun between two sends each is told; a task that changes them in a loop loses the oldest.
_MOST_STAGES = 16
_Newest = tuple[float | None, str | None, int | None, int | None]


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
    """The newest progress of a job; written by the task's thread, taken by the one that sends it.

    `wake` is called when there is something to send, `hurry` when it is a new stage.
    """

    def __init__(
        self,
        wake: Callable[[], None],
        hurry: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wake = wake
        self._hurry = hurry
        self._clock = clock
        self._newest: _Newest | None = None
        self._stage: str | None = None
        #: The last report of each stage that has ended since the last send.
        self._ended: deque[Report] = deque(maxlen=_MOST_STAGES)
        #: For the change of a stage and the taking; `progress` goes without.
        self._lock = threading.Lock()
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
        with self._lock:
            self._end_stage()
            self._stage = name
            self._newest = (None, message if message is not None else "", None, None)
        self._wake()
        self._hurry()

    def name_stage(self, name: str) -> None:
        """Say to which stage the reports from now on belong; the next one is told at once where it is another."""
        if name == self._stage:
            return
        with self._lock:
            self._end_stage()
            self._stage = name
        self._hurry()

    def begin_task(self) -> None:
        """The task itself runs: only then do counted steps make the fraction, and is the time left told."""
        self._pace = Pace(self._clock())

    def end_task(self) -> None:
        """What comes now has no part in the fraction."""
        with self._lock:
            self._end_stage()
            self._pace = None

    def check(self) -> None:
        """Raise JobInterrupted where the job has to stop."""
        if self.stop_reason is not None:
            self.is_told = True
            raise JobInterrupted(self.stop_reason)

    def take(self) -> list[Report]:
        """What is new since the last call, in its order: at most one report of each stage."""
        with self._lock:
            self._end_stage()
            reports = list(self._ended)
            self._ended.clear()
        return reports

    def _end_stage(self) -> None:
        """Put the newest report behind those of the stages before."""
        newest, self._newest = self._newest, None
        if newest is not None:
            self._ended.append(self._report(*newest))

    def _report(self, fraction: float | None, message: str | None, done: int | None, total: int | None) -> Report:
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
