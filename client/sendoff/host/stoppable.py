"""Work that may hang in the system, on a share that never answers, and that a stop ends for the thread that waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import Stopped

Result = TypeVar("Result")

_LOOK_SECONDS = 0.05


class Abandonable(Generic[Result]):
    """Some work, done in a daemon thread of its own, which is left to itself if it does not end after a stop.

    Args:
        work: What is done; it should look at the stop itself.
        late: Called in its thread with what came of it, if nobody waits for that any more.
    """

    def __init__(self, work: Callable[[], Result], *, late: Callable[[Result], None] = lambda _result: None) -> None:
        self._work = work
        self._late = late
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._is_abandoned = False

    def run(self, stop: threading.Event, *, grace_seconds: float) -> Result:
        """Do it; returns what came of it, or raises what it raised.

        Raises Stopped if it has not ended so long after `stop` was set.
        """
        threading.Thread(target=self._run, name="sendoff-files", daemon=True).start()
        until: float | None = None
        while not self._ended.wait(_LOOK_SECONDS):
            if stop.is_set():
                until = time.monotonic() + grace_seconds if until is None else until
                if time.monotonic() >= until and self._abandon():
                    raise Stopped("It was stopped.")
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _abandon(self) -> bool:
        with self._lock:
            self._is_abandoned = not self._ended.is_set()
            return self._is_abandoned

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:
            self._error = error
        with self._lock:
            self._ended.set()
            is_late = self._is_abandoned
        if is_late and self._results:
            self._late(self._results[0])
