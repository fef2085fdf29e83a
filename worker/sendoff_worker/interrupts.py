"""Stopping a task that does not look: an exception in the thread that runs it, and at last the end of its process."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

from .errors import JobInterrupted, StopReason
from .progress import Reporter

_SIGNAL = signal.SIGUSR2
_NUDGE_SECONDS = 0.3


class Interrupter:
    """Interrupts the one block that runs inside `allowed()`, where this process runs tasks in its main thread."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._is_allowed = False
        self._reason: StopReason | None = None
        self._ended = threading.Event()
        self._can_signal = threading.current_thread() is threading.main_thread() and not _is_green()

    @property
    def can_end_process(self) -> bool:
        """Whether this process runs nothing but this task."""
        return self._can_signal

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """The block that may be interrupted."""
        if not self._can_signal:
            yield
            return
        before = signal.signal(_SIGNAL, self._on_signal)
        self._is_allowed = True
        try:
            yield
        finally:
            self._is_allowed = False
            self._ended.set()
            signal.signal(_SIGNAL, before)

    def interrupt(self, reason: StopReason) -> None:
        """Have the block end: its own look at the flag comes first, then the exception; called from a thread."""
        self._reason = reason
        if not self._can_signal:
            return
        threading.Thread(target=self._nudge, name="sendoff-interrupt", daemon=True).start()

    def _nudge(self) -> None:
        while not self._ended.wait(_NUDGE_SECONDS):
            if not self._is_allowed or self._reporter.is_told:
                return
            signal.pthread_kill(threading.main_thread().ident or 0, _SIGNAL)

    def _on_signal(self, *_: object) -> None:
        if self._is_allowed and self._reason is not None and not self._reporter.is_told:
            self._reporter.is_told = True
            raise JobInterrupted(self._reason)


def end_process() -> None:
    """End this process at once; Celery starts another in its place."""
    os._exit(70)


def _is_green() -> bool:
    patcher = sys.modules.get("eventlet.patcher")
    return patcher is not None and bool(patcher.is_monkey_patched("thread"))
