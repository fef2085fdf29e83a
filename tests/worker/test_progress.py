"""The reporter on its own, with a clock that the test moves."""

from __future__ import annotations

import pytest

from sendoff_worker.errors import JobInterrupted, StopReason
from sendoff_worker.progress import Report, Reporter


class Clock:
    """Seconds that go by when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def woken() -> list[int]:
    return []


@pytest.fixture
def reporter(clock: Clock, woken: list[int]) -> Reporter:
    return Reporter(lambda: woken.append(1), lambda: None, clock=clock)


def take(reporter: Reporter) -> Report:
    (report,) = reporter.take()
    return report


def test_of_many_reports_the_newest_is_taken_and_the_sender_woken_once(reporter: Reporter, woken: list[int]) -> None:
    for done in range(100):
        reporter.progress(done / 100, f"Part {done}")
    assert len(woken) == 1
    assert (take(reporter).message, reporter.take()) == ("Part 99", [])


def test_of_stages_in_a_burst_each_is_told_with_its_last_report(clock: Clock) -> None:
    calls: list[str] = []
    reporter = Reporter(lambda: calls.append("wake"), lambda: calls.append("hurry"), clock=clock)
    reporter.stage("Preparing", "Getting the scene")
    reporter.begin_task()
    for name, fractions in {"Opening": [None], "Reducing": [0.1, 0.5, 0.9], "Writing": [0.98, 1.0]}.items():
        for fraction in fractions:
            reporter.name_stage(name)
            reporter.progress(fraction, name)
    assert calls.count("hurry") == 4
    reports = reporter.take()
    assert [(report.stage, report.message, report.fraction) for report in reports] == [
        ("Preparing", "Getting the scene", None),
        ("Opening", "Opening", None),
        ("Reducing", "Reducing", 0.9),
        ("Writing", "Writing", 1.0),
    ]
    reporter.name_stage("Writing")
    assert (calls.count("hurry"), reporter.take()) == (4, [])


def test_the_last_step_counts_though_the_task_ends_before_it_is_told(reporter: Reporter) -> None:
    reporter.stage("Parts")
    reporter.begin_task()
    reporter.progress(None, "Part 9", 9, 10)
    reporter.end_task()
    reporter.stage("Saving", "Keeping the result")
    assert [(report.stage, report.fraction) for report in reporter.take()] == [("Parts", 0.9), ("Saving", None)]


def test_a_task_that_changes_its_stage_in_a_loop_takes_no_memory(reporter: Reporter) -> None:
    for number in range(1000):
        reporter.stage(f"Stage {number}")
    assert [report.stage for report in reporter.take()] == [f"Stage {number}" for number in range(984, 1000)]


def test_the_time_left_is_of_the_whole_task_whichever_stage_it_is_in(reporter: Reporter, clock: Clock) -> None:
    reporter.begin_task()
    lefts = []
    for second in range(101):
        reporter.name_stage("Reducing" if second < 50 else "Writing")
        reporter.progress(second / 100)
        report = take(reporter)
        lefts.append(report.eta_seconds)
        assert report.stage == ("Reducing" if second < 50 else "Writing")
        clock.now += 1
    assert lefts[1] is None
    for second in range(2, 101):
        assert lefts[second] == pytest.approx(100 - second, abs=0.01)


def test_a_stage_of_the_tasks_own_does_not_begin_the_time_left_anew(reporter: Reporter, clock: Clock) -> None:
    reporter.begin_task()
    reporter.progress(0.0)
    take(reporter)
    clock.now += 50
    reporter.progress(0.5)
    assert take(reporter).eta_seconds == pytest.approx(50)
    reporter.stage("Baking", "Normals")
    begun = take(reporter)
    assert (begun.stage, begun.message, begun.fraction, begun.eta_seconds) == ("Baking", "Normals", None, None)
    clock.now += 1
    reporter.progress(0.51)
    assert take(reporter).eta_seconds == pytest.approx(49)


def test_a_message_alone_counts_the_time_left_down_but_not_in_a_stage_that_has_no_fraction(
    reporter: Reporter, clock: Clock
) -> None:
    reporter.begin_task()
    reporter.name_stage("Reducing")
    reporter.progress(None, "Looking")
    assert take(reporter).eta_seconds is None
    reporter.progress(0.0)
    take(reporter)
    clock.now += 50
    reporter.progress(0.5, "Body")
    take(reporter)
    clock.now += 10
    reporter.progress(None, "Wheel")
    report = take(reporter)
    assert (report.fraction, report.eta_seconds) == (None, pytest.approx(40))
    reporter.name_stage("Opening")
    reporter.progress(None, "The next file")
    assert take(reporter).eta_seconds is None


def test_counted_steps_make_a_fraction_only_while_the_task_runs(reporter: Reporter, clock: Clock) -> None:
    reporter.progress(None, "Getting the scene", 50, 100)
    assert take(reporter).fraction is None
    reporter.begin_task()
    clock.now += 10
    reporter.progress(None, "Part 50", 50, 100)
    report = take(reporter)
    assert (report.fraction, report.eta_seconds) == (0.5, pytest.approx(10))
    reporter.end_task()
    clock.now += 10
    reporter.progress(None, "Keeping the result", 1, 2)
    report = take(reporter)
    assert (report.fraction, report.eta_seconds) == (None, None)


def test_a_job_that_has_to_stop_is_told_by_the_next_report(reporter: Reporter) -> None:
    reporter.stop_reason = StopReason.CANCELLED
    for call in (reporter.progress, lambda: reporter.stage("Next"), reporter.check):
        with pytest.raises(JobInterrupted):
            call()
    assert reporter.is_told
