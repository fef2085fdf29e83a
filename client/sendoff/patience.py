"""How long to go on while the server is away: by the time that was really waited, and never by one look at the clock.

The clocks of macOS and Windows go on while the machine sleeps, those of Linux do not, and a process may be stopped. So
a try and a pause count for no more than they can last, and after a gap a few tries are always made: the network comes
back some seconds after the machine.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from .errors import ConnectionFailed, ServerError

#: Pauses between tries; the last one repeats, so that a network that is back is used soon.
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
#: A server that asks for a longer pause than this is asked again after this one.
LONGEST_RETRY_AFTER_SECONDS = 60.0

#: A try or a pause that took so much longer than it can was interrupted: the machine slept.
_GAP_SECONDS = 5.0
#: A try has limits of its own; if nobody says which, it counts for no more than this.
_LONGEST_TRY_SECONDS = 90.0
#: So many tries are made however long they took: in any case, and after a gap.
_FEWEST_TRIES, _TRIES_AFTER_GAP = 2, 5
#: So many gaps have tries of their own until something moves.
_GAPS = 3
_SLICE_SECONDS = 1.0
#: A break that is over sooner is not worth a word.
_TOLD_AFTER_SECONDS = 2.0
_PASSING = (408, 429, 502, 503, 504)

#: A transfer that was cut so often without progress, by a server that answers meanwhile, is cut by a limit in between.
MOST_CUTS = 30

#: Called with a sentence while the server is away, and with "" once it is back.
OnWait = Callable[[str], None]
Result = TypeVar("Result")


def is_passing(error: Exception) -> bool:
    """Whether the same call may succeed later: a broken connection, or a server that says so."""
    if isinstance(error, ServerError):
        return error.status in _PASSING
    return isinstance(error, ConnectionFailed) and not error.is_lasting


def cut_for_good(what: str) -> ConnectionFailed:
    """The error for a transfer that something in between cuts each time."""
    return ConnectionFailed(
        f"{what} breaks off again and again, though the server answers. Ask your administrator whether a proxy limits "
        f"the size of a body or the time of a call.",
        is_lasting=True,
    )


class Patience:
    """Repeats calls until `seconds` were waited without anything moving; may be shared by the threads of a transfer.

    Args:
        seconds: How long; 0 or less gives up at the first error, `math.inf` never does.
        stop: Ends each pause.
        on_wait: Told once per outage that lasts, and once when it is over.
        try_seconds: What one call can last at most.
        clock: Seconds of a clock that does not go back.
    """

    def __init__(
        self,
        seconds: float,
        stop: threading.Event,
        on_wait: OnWait | None = None,
        *,
        try_seconds: float = _LONGEST_TRY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self._try_seconds = try_seconds
        self._stop = stop
        self._on_wait = on_wait
        self._clock = clock
        self._lock = threading.Lock()
        self._moves = 0
        self._is_away = False

    def moved(self) -> None:
        """Something arrived: all waits begin again."""
        with self._lock:
            self._moves += 1
            was_away, self._is_away = self._is_away, False
            if was_away and self._on_wait:
                self._on_wait("")

    def run(self, call: Callable[[], Result], *, has_moved: bool = True) -> Result:
        """The call's result, tried again while its error may pass; raises the last error.

        `has_moved` False: an answer alone is no progress, the call says itself what moved.
        """
        outage = _Outage(self._moves)
        while True:
            began = self._clock()
            try:
                found = call()
            except (ConnectionFailed, ServerError) as error:
                if not is_passing(error):
                    raise
                if outage.moves != self._moves:
                    outage = _Outage(self._moves)
                outage.take_try(self._clock() - began, self._try_seconds)
                pause = self._pause_after(error, outage)
                if pause is None:
                    raise
                if outage.waited + pause > _TOLD_AFTER_SECONDS:
                    self._tell(str(error))
                self._wait(pause, outage)
            else:
                if has_moved:
                    self.moved()
                return found

    def _pause_after(self, error: ConnectionFailed | ServerError, outage: _Outage) -> float | None:
        if self.seconds <= 0 or (outage.waited >= self.seconds and outage.owed_tries <= 0):
            return None
        asked = error.retry_after_seconds if isinstance(error, ServerError) else None
        if asked is None:
            return next(outage.pauses) * random.uniform(0.8, 1.0)
        asked = min(asked, LONGEST_RETRY_AFTER_SECONDS)
        return None if outage.waited + asked > self.seconds else max(asked, PAUSES_SECONDS[0])

    def _wait(self, pause: float, outage: _Outage) -> None:
        """A pause in slices, which ends early where the machine slept: it is awake now, and so may be the network."""
        while pause > 0 and not self._stop.is_set():
            part = min(pause, _SLICE_SECONDS)
            began = self._clock()
            self._stop.wait(part)
            pause -= part
            outage.waited += part
            if self._clock() - began > part + _GAP_SECONDS:
                outage.take_gap()
                return

    def _tell(self, reason: str) -> None:
        with self._lock:
            was_away, self._is_away = self._is_away, True
            if not was_away and self._on_wait:
                self._on_wait(reason)


class _Outage:
    """What one thread has waited since something moved."""

    def __init__(self, moves: int) -> None:
        self.moves = moves
        self.waited = 0.0
        #: Tries that are still to be made however long it took.
        self.owed_tries = _FEWEST_TRIES
        self.pauses = _pauses()
        self._gaps_left = _GAPS

    def take_try(self, seconds: float, longest: float) -> None:
        self.owed_tries -= 1
        self.waited += min(max(seconds, 0.0), longest)
        if seconds > longest + _GAP_SECONDS:
            self.take_gap()

    def take_gap(self) -> None:
        self.pauses = _pauses()
        if self._gaps_left > 0:
            self._gaps_left -= 1
            self.owed_tries = _TRIES_AFTER_GAP


def _pauses() -> Iterator[float]:
    yield from PAUSES_SECONDS
    while True:
        yield PAUSES_SECONDS[-1]
