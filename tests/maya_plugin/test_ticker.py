"""The pump is called when Maya is idle: once at a time, soon after somebody asks, and else not at all."""

from __future__ import annotations

import queue
import time

import pytest

LIMIT_SECONDS = 10


@pytest.fixture
def made(plugin):
    """A ticker on a queue of calls that a test runs by hand; `pauses` says what each tick returns."""
    from sendoff_maya.ticker import Ticker

    asked, pauses, ticks = queue.Queue(), [], []

    def tick():
        ticks.append(time.monotonic())
        return pauses.pop(0) if pauses else None

    ticker = Ticker(tick, asked.put)
    yield ticker, asked, pauses, ticks
    ticker.close()


def test_it_asks_for_one_call_and_waits_until_maya_came_to_it(made):
    ticker, asked, pauses, ticks = made
    pauses += [0.0, 0.0]
    for _ in range(50):
        ticker.wake()
    call = asked.get(timeout=LIMIT_SECONDS)
    ticker.wake()
    with pytest.raises(queue.Empty):
        asked.get(timeout=0.2)
    call()
    asked.get(timeout=LIMIT_SECONDS)()
    assert len(ticks) == 2


def test_it_rests_until_it_is_woken(made):
    ticker, asked, _, _ = made
    ticker.wake()
    asked.get(timeout=LIMIT_SECONDS)()
    with pytest.raises(queue.Empty):
        asked.get(timeout=0.3)
    ticker.wake()
    asked.get(timeout=LIMIT_SECONDS)()


def test_a_tick_that_fails_does_not_end_it(made):
    ticker, asked, pauses, _ = made
    pauses.append(0.0)
    ticker._tick = lambda: 1 / 0
    ticker.wake()
    call = asked.get(timeout=LIMIT_SECONDS)
    with pytest.raises(ZeroDivisionError):
        call()
    ticker._tick = lambda: None
    ticker.wake()
    asked.get(timeout=LIMIT_SECONDS)()


def test_closed_it_ends_within_a_second_and_what_was_asked_for_does_nothing(made):
    ticker, asked, _, ticks = made
    ticker.wake()
    call = asked.get(timeout=LIMIT_SECONDS)
    begun = time.monotonic()
    ticker.close()
    assert time.monotonic() - begun < 1.5
    call()
    ticker.wake()
    assert ticks == []
