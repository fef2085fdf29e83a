"""One continuous bar for a job: sending, queue, work and download share it, and it never goes back in an attempt.

What each part of the way takes of the bar is fixed, since nobody can know beforehand how
long each will last; that the parts follow each other without a step back is what an artist goes by.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

#: The parts of the bar: sending, the work on the server, the way back. A job that sends nothing gives its part away.
SENDING, WORK, FETCHING = 0.25, 0.65, 0.10
#: A rate is measured over so many seconds, and told once it was measured for so long.
_WINDOW_SECONDS, _TOLD_AFTER_SECONDS = 6.0, 1.0


@dataclass(frozen=True)
class Way:
    """How far a job is on each part of its way, each from 0 to 1; None where a part has not begun."""

    #: Whether it has a scene to send; a retry has none.
    sends: bool = True
    sent: float | None = None
    worked: float | None = None
    fetched: float | None = None
    is_done: bool = False


def fraction(way: Way) -> float:
    """The place on the whole bar, 0 to 1."""
    if way.is_done:
        return 1.0
    scale = 1.0 if way.sends else 1.0 / (WORK + FETCHING)
    sending = SENDING if way.sends else 0.0
    if way.fetched is not None:
        return sending + (WORK + FETCHING * _unit(way.fetched)) * scale
    if way.worked is not None:
        return sending + WORK * _unit(way.worked) * scale
    return sending * _unit(way.sent or 0.0)


@dataclass
class Bar:
    """The bar as it is shown: within an attempt it only grows."""

    value: float = 0.0
    attempt: int = 0

    def follow(self, way: Way, attempt: int) -> float:
        """Take over how far the job is; a new attempt may begin further back."""
        now = fraction(way)
        if attempt > self.attempt > 0:
            self.value = now
        self.attempt = max(attempt, self.attempt)
        self.value = max(self.value, now)
        return self.value


@dataclass
class Rate:
    """How quickly bytes go: over the last seconds, so that a network that slows down is noticed."""

    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, done_bytes: int, now: float) -> None:
        """So many bytes are done at a time (seconds of any clock)."""
        if self._seen and done_bytes < self._seen[-1][1]:
            self._seen.clear()  # begun anew
        self._seen.append((now, done_bytes))
        while now - self._seen[0][0] > _WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()

    def seconds_left(self, total_bytes: int) -> float | None:
        """How long the rest will take; None while that cannot be told."""
        if len(self._seen) < 2:
            return None
        (begun, first), (now, done) = self._seen[0], self._seen[-1]
        if now - begun < _TOLD_AFTER_SECONDS or done <= first:
            return None
        return max(0, total_bytes - done) * (now - begun) / (done - first)


def time_left(seconds: float | None) -> str:
    """The time left in words, coarse enough not to flicker: "40 s left", "3 min left"; "" where it is unknown."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return ""
    if seconds < 5:
        return "a few seconds left"
    if seconds < 57.5:
        return f"{round(seconds / 5) * 5:.0f} s left"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min left"
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return "more than a day left"
    return f"{hours} h {minutes} min left" if minutes else f"{hours} h left"


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
