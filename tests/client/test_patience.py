"""How long something goes on while the server is away, by a clock that the test moves."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sendoff import patience
from sendoff.errors import ConnectionFailed, Rejected, ServerError, SignInRequired, StorageFull
from sendoff.patience import Patience


class Clock:
    """A clock whose pauses take no time; `sleeps` are added to a pause (by its number) or to a try."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []
        self.sleeps: dict[int, float] = {}

    def __call__(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        self.now += seconds + self.sleeps.get(len(self.waits), 0.0)
        self.waits.append(seconds)
        return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Callable[..., Patience]:
    def made(seconds: float, **options: Any) -> Patience:
        return Patience(seconds, clock, clock=clock, **options)  # type: ignore[arg-type]

    return made


def broken() -> None:
    raise ConnectionFailed("Gone.")


def test_a_server_when_it_stays_away_then_the_wait_is_what_was_asked_for(clock, make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConnectionFailed):
        make(60).run(broken)
    assert 60 <= clock.now - 1000 < 66
    assert max(clock.waits) <= 1.0
    assert clock.waits[0] < 0.25, "the first try follows soon"


def test_a_break_of_340_seconds_when_an_hour_is_given_then_the_call_comes_through(clock, make) -> None:  # type: ignore[no-untyped-def]
    def call() -> str:
        if clock.now < 1340:
            raise ConnectionFailed("Gone.")
        return "done"

    assert make(3600).run(call) == "done"
    assert clock.now < 1346, "it is noticed within some seconds that the network is back"


def test_for_ever_when_asked_then_a_day_is_no_end(clock, make) -> None:  # type: ignore[no-untyped-def]
    def call() -> None:
        if clock.now < 1000 + 86400:
            raise ConnectionFailed("Gone.")

    make(math.inf).run(call)


@pytest.mark.parametrize("at", [0, 3])
def test_a_machine_when_it_sleeps_in_a_pause_then_that_is_no_waiting(clock, make, at) -> None:  # type: ignore[no-untyped-def]
    clock.sleeps[at] = 7200.0
    tries: list[float] = []

    def call() -> None:
        tries.append(clock.now)
        if clock.now < 1000 + 7200 + 12:  # the network comes back some seconds after the machine
            raise ConnectionFailed("Gone.")

    make(30).run(call)
    woken = [one for one in tries if one > 8000]
    assert woken[0] - 8200 < 5, "it is tried at once after the machine is awake"


def test_a_machine_when_it_sleeps_in_a_call_then_some_tries_follow(clock, make) -> None:  # type: ignore[no-untyped-def]
    tries: list[float] = []

    def call() -> None:
        tries.append(clock.now)
        if len(tries) == 1:
            clock.now += 7200
        if len(tries) < 5:
            raise ConnectionFailed("Gone.")

    make(30, try_seconds=40).run(call)


def test_a_call_when_every_try_hangs_then_it_ends_all_the_same(clock, make) -> None:  # type: ignore[no-untyped-def]
    def call() -> None:
        clock.now += 500
        raise ConnectionFailed("Gone.")

    with pytest.raises(ConnectionFailed):
        make(300).run(call)
    assert clock.now - 1000 < 30 * 500


def test_progress_when_there_is_some_then_the_wait_begins_again(clock, make) -> None:  # type: ignore[no-untyped-def]
    one = make(60)

    def call() -> None:
        if clock.now < 2000:
            if int(clock.now) % 50 < 6:
                one.moved()
            raise ConnectionFailed("Gone.")

    one.run(call)


@pytest.mark.parametrize("error", [SignInRequired("No.", status=401), Rejected("No.", status=422),
                                   StorageFull("No.", status=507), ServerError("No.", status=500),
                                   ConnectionFailed("No.", is_lasting=True)])  # fmt: skip
def test_an_error_that_waiting_does_not_mend_when_raised_then_it_ends_at_once(clock, make, error) -> None:  # type: ignore[no-untyped-def]
    def call() -> None:
        raise error

    with pytest.raises(type(error)):
        make(math.inf).run(call)
    assert clock.waits == []


def busy(status: int, retry_after: float | None) -> ServerError:
    error = ServerError("Later.", status=status)
    error.retry_after_seconds = retry_after
    return error


@pytest.mark.parametrize(("asked", "waited"), [(7.0, 7.0), (0.0, 0.2), (100_000.0, 60.0)])
def test_retry_after_when_given_then_it_is_heeded_up_to_a_minute(clock, make, asked, waited) -> None:  # type: ignore[no-untyped-def]
    errors = [busy(429, asked)]

    def call() -> None:
        if errors:
            raise errors.pop()

    make(3600).run(call)
    assert sum(clock.waits) == pytest.approx(waited)


def test_retry_after_when_it_is_more_than_the_patience_then_nobody_waits_in_vain(clock, make) -> None:  # type: ignore[no-untyped-def]
    def call() -> None:
        raise busy(503, 45.0)

    with pytest.raises(ServerError):
        make(30).run(call)
    assert clock.waits == []


def test_a_wait_when_it_lasts_then_it_is_told_once_and_its_end_too(clock, make) -> None:  # type: ignore[no-untyped-def]
    told: list[str] = []

    def call() -> None:
        if clock.now < 1100:
            raise ConnectionFailed("Gone.")

    one = make(3600, on_wait=told.append)
    one.run(call)
    assert told == ["Gone.", ""]
    one.run(lambda: None)
    assert told == ["Gone.", ""]


def test_a_stop_when_it_is_set_then_the_pause_ends(make) -> None:  # type: ignore[no-untyped-def]
    stop = threading.Event()
    tries: list[int] = []

    def call() -> None:
        tries.append(1)
        if len(tries) == 2:
            return
        stop.set()
        raise ConnectionFailed("Gone.")

    Patience(3600, stop).run(call)
    assert patience.PAUSES_SECONDS[0] < 1
