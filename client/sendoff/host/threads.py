"""Threads that are started without waiting: a thread's own start waits until it runs, which takes turns of the others.

They come after the host's own in line for the processors: drawing a window goes before sending.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable

#: Enough to let the host draw first. With more, a thread that holds Python's lock while all processors are busy would
#: keep the host waiting for it.
_NICENESS = 10


class Threads:
    """Daemon threads with one end; one of them starts the others."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._due: queue.SimpleQueue[threading.Thread | None] = queue.SimpleQueue()
        self._going: set[threading.Thread] = set()
        self._known: list[threading.Thread] = []
        self._is_closed = False
        self._starter = threading.Thread(target=self._start_others, name=f"{prefix}-starter", daemon=True)
        self._starter.start()

    def start(self, name: str, work: Callable[[], None]) -> threading.Thread:
        """Have `work` done in a thread of its own; returns at once. After `close` nothing is begun any more."""

        def run() -> None:
            try:
                work()
            finally:
                self._going.discard(thread)

        thread = threading.Thread(target=run, name=f"{self._prefix}-{name}", daemon=True)
        if self._is_closed:
            return thread
        self._going.add(thread)
        self._known = [known for known in self._known if known in self._going or known.is_alive()] + [thread]
        self._due.put(thread)
        return thread

    @property
    def going(self) -> list[threading.Thread]:
        """Those whose work is not done, also such as are not begun yet."""
        return list(self._going)

    def close(self, timeout_seconds: float) -> bool:
        """Wait for all that were asked for; False where one takes longer (it is a daemon and holds nothing)."""
        deadline = time.monotonic() + timeout_seconds
        self._is_closed = True
        self._due.put(None)
        self._starter.join(timeout_seconds)
        for thread in self._known:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in (self._starter, *self._known))

    def _start_others(self) -> None:
        _step_back()
        while True:
            thread = self._due.get()
            if thread is None:
                return
            thread.start()


def _step_back() -> None:
    """Have this thread, and those that it starts, come later in line, where a system has that for single threads."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            os.nice(_NICENESS)
