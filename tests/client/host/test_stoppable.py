from __future__ import annotations

import threading
import time

import pytest


def test_what_comes_of_the_work_is_returned_or_raised(host):
    stop = threading.Event()
    assert host.stoppable.Abandonable(lambda: 3).run(stop, grace_seconds=1) == 3

    def fail():
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        host.stoppable.Abandonable(fail).run(stop, grace_seconds=1)


def test_work_that_looks_at_the_stop_ends_by_itself(host):
    stop = threading.Event()
    stop.set()

    def work():
        assert stop.wait(5)
        raise host.sendoff.Stopped("Stopped by itself.")

    with pytest.raises(host.sendoff.Stopped, match="by itself"):
        host.stoppable.Abandonable(work).run(stop, grace_seconds=20)


def test_work_that_hangs_is_left_to_itself_and_what_comes_late_is_told(host):
    stop, answers, late = threading.Event(), threading.Event(), []
    told = threading.Event()

    def work():
        answers.wait(20)
        return "job"

    def note(result):
        late.append(result)
        told.set()

    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(host.sendoff.Stopped):
        host.stoppable.Abandonable(work, late=note).run(stop, grace_seconds=0.2)
    assert time.monotonic() - begun < 5
    assert late == []
    answers.set()
    assert told.wait(5)
    assert late == ["job"]
