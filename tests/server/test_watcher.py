"""The queue of one socket: pure, so that each case can be written down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sendoff.events import Event, EventKind
from sendoff.states import JobState
from sendoff_server.watcher import MOST_WAITING, Overflow, Watcher


def event(seq: int, kind: EventKind = EventKind.PROGRESS, *, job: str = "a", epoch: int = 1, **more: Any) -> Event:
    return Event(job=job, kind=kind, state=JobState.RUNNING, seq=seq, epoch=epoch, **more)


def snapshot(seq: int, **more: Any) -> Event:
    return event(seq, EventKind.SNAPSHOT, **more)


def told(watcher: Watcher) -> list[dict[str, Any]]:
    found = []
    while (text := watcher.next_text()) is not None:
        found.append(json.loads(text))
    return found


def watching(seq: int = 5) -> Watcher:
    watcher = Watcher()
    watcher.open_feed("a")
    watcher.snapshot(snapshot(seq), [])
    told(watcher)
    return watcher


def live(watcher: Watcher, found: Event) -> None:
    watcher.live(found, found.to_json())


def test_live_events_wait_for_the_snapshot_and_old_ones_are_dropped() -> None:
    watcher = Watcher()
    watcher.open_feed("a")
    for seq in (4, 5, 6, 7):
        live(watcher, event(seq, EventKind.STATE))
    assert told(watcher) == []
    watcher.snapshot(snapshot(5), [])
    assert [item["seq"] for item in told(watcher)] == [5, 6, 7]


def test_progress_in_a_row_is_one_that_says_for_how_many_it_stands() -> None:
    watcher = watching(5)
    for seq in range(6, 106):
        live(watcher, event(seq))
    (only,) = told(watcher)
    assert (only["seq"], only["conflated"]) == (105, 99)


def test_progress_is_not_conflated_over_a_change_of_state() -> None:
    watcher = watching(5)
    for seq, kind in ((6, EventKind.PROGRESS), (7, EventKind.STATE), (8, EventKind.PROGRESS), (9, EventKind.PROGRESS)):
        live(watcher, event(seq, kind))
    found = told(watcher)
    assert [(item["seq"], item.get("conflated", 0)) for item in found] == [(6, 0), (7, 0), (9, 1)]


def test_progress_is_not_conflated_over_a_change_of_stage() -> None:
    watcher = watching(5)
    for seq, stage in enumerate(("Opening", "Reducing", "Reducing", "Reducing", "Writing"), start=6):
        live(watcher, event(seq, stage=stage))
    found = told(watcher)
    assert [(item["seq"], item["stage"], item.get("conflated", 0)) for item in found] == [
        (6, "Opening", 0),
        (9, "Reducing", 2),
        (10, "Writing", 0),
    ]


def test_a_socket_that_is_far_behind_is_not_told_of_stages_that_are_over() -> None:
    watcher = watching(5)
    for seq in range(6, 2006):
        live(watcher, event(seq, stage=f"Stage {seq}"))
    found = told(watcher)
    assert len(found) < MOST_WAITING / 2
    assert found[-1]["stage"] == "Stage 2005"
    assert sum(1 + item.get("conflated", 0) for item in found) == 2000


def test_the_progress_of_one_job_does_not_push_out_another_ones() -> None:
    watcher = watching(5)
    watcher.open_feed("b")
    watcher.snapshot(snapshot(1, job="b"), [])
    told(watcher)
    for seq in range(1, 50):
        live(watcher, event(5 + seq))
        live(watcher, event(1 + seq, job="b"))
    assert [(item["job"], item["seq"]) for item in told(watcher)] == [("a", 54), ("b", 50)]


def test_missed_events_are_marked_and_are_no_sign_of_falling_behind() -> None:
    watcher = Watcher()
    watcher.open_feed("a")
    missed = [event(seq, EventKind.STATE) for seq in range(2, 902)]
    watcher.snapshot(snapshot(901, after=1, recovered=True), missed)
    live(watcher, event(902, EventKind.STATE))
    found = told(watcher)
    assert [item["seq"] for item in found[1:]] == list(range(2, 903))
    assert all(item["recovered"] for item in found[:-1])
    assert "recovered" not in found[-1]


def test_more_than_may_wait_is_an_overflow() -> None:
    watcher = watching(0)
    for seq in range(1, MOST_WAITING + 1):
        live(watcher, event(seq, EventKind.STATE))
    with pytest.raises(Overflow):
        live(watcher, event(MOST_WAITING + 1, EventKind.STATE))


def test_a_second_snapshot_that_is_older_than_what_was_told_is_left_out() -> None:
    watcher = watching(5)
    live(watcher, event(6, EventKind.STATE))
    watcher.snapshot(snapshot(5), [])
    live(watcher, event(7, EventKind.STATE))
    assert [item["seq"] for item in told(watcher)] == [6, 7]


def test_a_snapshot_that_says_what_was_lost_is_told_though_it_is_older() -> None:
    watcher = watching(5)
    watcher.snapshot(snapshot(3, recovered=False, reason="lost"), [])
    live(watcher, event(4, EventKind.STATE))
    assert [item["seq"] for item in told(watcher)] == [3, 4]


def test_a_new_epoch_begins_from_anywhere() -> None:
    watcher = watching(5)
    live(watcher, event(1, EventKind.STATE, epoch=2))
    assert [item["epoch"] for item in told(watcher)] == [2]


def test_what_waits_is_sent_before_the_socket_is_closed() -> None:
    watcher = watching(5)
    live(watcher, event(6, EventKind.STATE))
    watcher.close(1012)
    assert len(told(watcher)) == 1
    assert watcher.closed == 1012
    assert watcher.wake.is_set()


def test_that_a_log_grows_is_said_once_until_it_is_told() -> None:
    watcher = watching(5)
    hint = event(5, EventKind.LOG).to_json()
    for _ in range(MOST_WAITING + 1):
        watcher.hint("a", hint)
    assert [item["kind"] for item in told(watcher)] == ["log"]
    watcher.hint("a", hint)
    live(watcher, event(6))
    assert [(item["kind"], item["seq"]) for item in told(watcher)] == [("log", 5), ("progress", 6)]


def test_that_a_log_grows_is_no_news_before_the_snapshot() -> None:
    watcher = Watcher()
    watcher.open_feed("a")
    watcher.hint("a", event(5, EventKind.LOG).to_json())
    watcher.snapshot(snapshot(5), [])
    assert [item["kind"] for item in told(watcher)] == ["snapshot"]
