"""Calls the pump on the main thread when Maya is idle: never twice at once, and never when there is nothing to do.

Nothing here knows maya: what puts a call on the main thread is given.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

#: At the end, the thread is given so long.
_JOIN_SECONDS = 1.0
#: A call that Maya has not come to for so long (a long render) is not asked for again, only waited for.
_LOOK_SECONDS = 5.0


class Ticker:
    """One daemon thread that asks for one call at a time.

    Args:
        tick: Called on the main thread; returns the pause until the next call in seconds, None for none until `wake`.
        defer: Has a function called on the main thread once the host application is idle; from any thread.
    """

    def __init__(self, tick: Callable[[], float | None], defer: Callable[[Callable[[], None]], None]) -> None:
        self._tick = tick
        self._defer = defer
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._ticked = threading.Event()
        self._pause: float | None = 0.0
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Have the pump called soon, whatever the pause is; starts the thread where it does not run."""
        if self._stop.is_set():
            return
        self._woken.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sendoff-ticker", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread; what was asked for and not called yet does nothing."""
        self._stop.set()
        self._woken.set()
        self._ticked.set()
        if self._thread is not None:
            self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._woken.wait(self._pause)
            if self._stop.is_set():
                return
            self._woken.clear()
            self._ticked.clear()
            with contextlib.suppress(RuntimeError):  # Maya is about to end
                self._defer(self._call)
            while not self._ticked.wait(_LOOK_SECONDS) and not self._stop.is_set():
                pass

    def _call(self) -> None:
        """On the main thread."""
        if self._stop.is_set():
            return
        pause: float | None = 1.0
        try:
            pause = self._tick()
        finally:
            self._pause = pause
            self._ticked.set()
