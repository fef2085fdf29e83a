from __future__ import annotations

import random

import pytest


@pytest.fixture
def progress(host):
    return host.progress


def test_the_parts_of_the_way_follow_each_other_on_one_bar(progress):
    way = progress.Way
    points = [
        way(), way(sent=0.5), way(sent=1.0), way(sent=1.0, worked=0.0), way(sent=1.0, worked=0.5),
        way(sent=1.0, worked=1.0), way(sent=1.0, worked=1.0, fetched=0.0), way(sent=1.0, worked=1.0, fetched=0.5),
        way(sent=1.0, worked=1.0, fetched=1.0), way(is_done=True),
    ]  # fmt: skip
    found = [progress.fraction(point) for point in points]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0.0, 1.0)
    assert found[2] == found[3] == pytest.approx(0.25)
    assert found[4] == pytest.approx(0.575)


def test_a_job_that_sends_nothing_has_the_whole_bar_for_its_work(progress):
    way = progress.Way
    assert progress.fraction(way(sends=False, sent=1.0, worked=0.0)) == 0.0
    assert progress.fraction(way(sends=False, sent=1.0, worked=1.0, fetched=1.0)) == pytest.approx(1.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -3.0, 7.0])
def test_what_is_no_part_of_a_way_stays_within_the_bar(progress, value):
    assert 0.0 <= progress.fraction(progress.Way(sent=value)) <= 1.0
    assert 0.0 <= progress.fraction(progress.Way(sent=1.0, worked=value)) <= 1.0


def test_within_an_attempt_the_bar_never_goes_back(progress):
    bar, shown = progress.Bar(), []
    chance = random.Random(3)
    for _ in range(200):
        shown.append(bar.follow(progress.Way(sent=1.0, worked=chance.random()), 1))
    assert shown == sorted(shown)


def test_a_new_attempt_begins_where_the_work_begins(progress):
    bar = progress.Bar()
    bar.follow(progress.Way(sent=1.0, worked=0.9), 1)
    assert bar.follow(progress.Way(sent=1.0, worked=0.0), 1) == pytest.approx(0.835)  # queued again, not begun
    assert bar.follow(progress.Way(sent=1.0, worked=0.0), 2) == pytest.approx(0.25)
    assert bar.follow(progress.Way(sent=1.0, worked=0.1), 2) == pytest.approx(0.315)


def test_a_rate_is_told_once_it_was_measured_and_follows_the_network(progress):
    rate = progress.Rate()
    assert rate.seconds_left(100) is None
    rate.note(0, 100.0)
    rate.note(5_000_000, 100.5)
    assert rate.seconds_left(50_000_000) is None
    rate.note(10_000_000, 101.0)
    assert rate.seconds_left(50_000_000) == pytest.approx(4.0)
    for second in range(1, 11):
        rate.note(10_000_000 + second * 1_000_000, 101.0 + second)
    assert rate.seconds_left(50_000_000) == pytest.approx(30.0, rel=0.1)


def test_a_rate_that_begins_anew_forgets_what_was(progress):
    rate = progress.Rate()
    rate.note(0, 0.0)
    rate.note(1_000_000, 2.0)
    rate.note(0, 3.0)
    assert rate.seconds_left(1_000_000) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""), (float("nan"), ""), (-1, ""), (0, "a few seconds left"), (4.9, "a few seconds left"),
        (12, "10 s left"), (57, "55 s left"), (58, "1 min left"), (200, "3 min left"), (3599, "1 h left"),
        (4800, "1 h 20 min left"), (90_000, "more than a day left"),
    ],
)  # fmt: skip
def test_the_time_left_is_said_coarsely(progress, seconds, text):
    assert progress.time_left(seconds) == text
