"""How long a task still takes, told from how its fraction has grown. Pure: the caller brings the clock."""

from __future__ import annotations

import math

_TOLD_AFTER_SECONDS = 2.0
_TOLD_AFTER_FRACTION = 0.02
#: The pace is remembered over this part of the time that the task has taken, but over so many seconds at least: a
#: short job is judged as a whole, a long one follows its newest part.
_MEMORY_PART = 0.3
_LEAST_MEMORY_SECONDS = 5.0
#: While the fraction stands still, the time left counts down, to this part of what was told last.
_LEAST_COUNTDOWN = 0.5


class Pace:
    """The pace of one task; its fraction is of the whole task, whichever stages it goes through.

    `now` is the time in seconds at which the task begins; where it says later that it is at 0, it begins there.
    """

    def __init__(self, now: float) -> None:
        self._begun_at = self._grew_at = now
        self._fraction = 0.0
        self._has_begun = False
        #: Fraction per second, the newest weighing most; and the weight that all of it has, from 0 to 1.
        self._sum = self._weight = 0.0

    def eta_seconds(self, fraction: float, now: float) -> float | None:
        """Note a fraction (0 to 1) at a time in seconds; returns the seconds left, None while it is too early to say.

        Once told, it is told with every fraction.
        """
        fraction = min(fraction, 1.0)
        if fraction > self._fraction:
            self._grow(fraction, now)
        elif not self._has_begun:
            self._begun_at = self._grew_at = now
        self._has_begun = True
        return self.left_seconds(now)

    def left_seconds(self, now: float) -> float | None:
        """The seconds left where nothing new is known."""
        if self._grew_at - self._begun_at < _TOLD_AFTER_SECONDS or self._fraction < _TOLD_AFTER_FRACTION:
            return None
        left = (1.0 - self._fraction) * self._weight / self._sum
        return max(left - (now - self._grew_at), left * _LEAST_COUNTDOWN)

    def _grow(self, fraction: float, now: float) -> None:
        """Take the mean pace since it grew last: steps of any size give the same."""
        seconds = max(now - self._grew_at, 1e-3)
        newest = (fraction - self._fraction) / seconds
        memory = max((now - self._begun_at) * _MEMORY_PART, _LEAST_MEMORY_SECONDS)
        weight = 1.0 - math.exp(-seconds / memory)
        self._sum += weight * (newest - self._sum)
        self._weight += weight * (1.0 - self._weight)
        self._fraction, self._grew_at = fraction, now
