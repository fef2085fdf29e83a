"""The time left that is told, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from sendoff_worker.pace import Pace


def told(steps: Iterable[tuple[float, float]], begun: float = 0.0) -> list[tuple[float, float | None]]:
    """What is told of steps (time, fraction): time and seconds left."""
    pace = Pace(begun)
    return [(now, pace.eta_seconds(fraction, now)) for now, fraction in steps]


def ticks(seconds: float, fraction_at: Callable[[float], float], every: float = 0.1) -> list[tuple[float, float]]:
    return [(number * every, fraction_at(number * every)) for number in range(int(seconds / every) + 1)]


def test_an_even_task_is_told_right_from_two_seconds_on() -> None:
    for now, left in told(ticks(60, lambda now: now / 60)):
        if now < 1.95:
            assert left is None
        else:
            assert left == pytest.approx(60 - now, abs=0.2)


def test_large_steps_are_told_as_evenly_as_small_ones() -> None:
    steps = ticks(80, lambda now: int(now / 20) / 4)
    lefts = [(now, left) for now, left in told(steps) if left is not None]
    assert lefts[0] == (pytest.approx(20), pytest.approx(60))
    for (_, before), (now, left) in pairwise(lefts):
        assert left <= before + 0.01, "it goes up although the pace is even"
        assert left >= 60 - (now - 20) - 0.01


def test_a_pace_that_jitters_makes_no_jumps() -> None:
    def fraction(now: float) -> float:  # every other second does five times as much as the one between
        whole, part = divmod(now, 2)
        return (whole * 2 + min(part, 1) * 10 / 6 + max(part - 1, 0) * 2 / 6) / 100

    lefts = [(now, left) for now, left in told(ticks(99, fraction)) if left is not None and now > 10]
    for (_, before), (now, left) in pairwise(lefts):
        assert abs(left - before) < 0.05 * (100 - now) + 1
        assert left == pytest.approx(100 - now, rel=0.25, abs=2)


def test_a_slower_second_half_is_noticed_and_within_its_time() -> None:
    """Half of it in 30 s, the other half in 120 s."""
    lefts = dict(told(ticks(150, lambda now: now / 60 if now <= 30 else 0.5 + (now - 30) / 240, every=0.5)))
    assert lefts[30.0] == pytest.approx(30, abs=1)
    assert lefts[60.0] == pytest.approx(90, rel=0.3), "the mean over all would say 36"
    assert lefts[110.0] == pytest.approx(40, rel=0.1)


def test_once_told_it_is_told_with_every_fraction_and_never_negative() -> None:
    steps = [*ticks(10, lambda now: now / 20), (10.5, 0.2), (40.0, 0.5), (41.0, 0.5), (42.0, 0.51), (43.0, 1.0),
             (44.0, 1.0), (45.0, 1.7), (46.0, 0.0)]  # fmt: skip
    lefts = [left for now, left in told(steps) if now > 2]
    assert all(left is not None and left >= 0 for left in lefts)
    assert lefts[-4:] == [0, 0, 0, 0]


def test_while_it_stands_still_the_time_left_counts_down_to_half() -> None:
    pace = Pace(0)
    for now in (0, 5, 10):
        pace.eta_seconds(now / 100, now)
    assert pace.eta_seconds(0.1, 20) == pytest.approx(80)
    assert pace.eta_seconds(0.1, 1000) == pytest.approx(45)


def test_what_a_task_does_before_it_says_that_it_is_at_nothing_does_not_count() -> None:
    assert told([(30, 0.0), (40, 0.25)])[-1][1] == pytest.approx(30)
    assert told([(30, 0.25)])[-1][1] == pytest.approx(90), "it never said 0: it began at its beginning"
    assert told([(30, 0.0), (35, 0.0), (40, 0.25)])[-1][1] == pytest.approx(30), "only the first 0 is a beginning"
