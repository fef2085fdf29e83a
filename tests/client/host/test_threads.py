from __future__ import annotations

import os
import sys
import threading
import time

import pytest

SECONDS = 10


@pytest.fixture
def threads(host):
    made = host.threads.Threads("test")
    yield made
    made.close(SECONDS)


def named(prefix):
    return [thread for thread in threading.enumerate() if thread.name.startswith(prefix)]


def test_work_is_done_in_a_daemon_thread_of_its_name(threads):
    seen, done = [], threading.Event()

    def work():
        seen.append(threading.current_thread())
        done.set()

    threads.start("work", work)
    assert done.wait(SECONDS)
    assert (seen[0].name, seen[0].daemon) == ("test-work", True)


def test_two_go_on_at_the_same_time(threads):
    meeting = threading.Barrier(2)
    met = []
    for _ in range(2):
        threads.start("work", lambda: met.append(meeting.wait(SECONDS)))
    threads.close(SECONDS)
    assert sorted(met) == [0, 1]


def test_what_was_asked_for_is_going_from_the_first_moment_to_its_end(threads):
    goes_on = threading.Event()
    thread = threads.start("work", lambda: goes_on.wait(SECONDS))
    assert threads.going == [thread]
    goes_on.set()
    assert threads.close(SECONDS)
    assert threads.going == []


def test_an_error_ends_its_thread_alone(threads, monkeypatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_value))
    after = threading.Event()

    def fail():
        raise ValueError("planted")

    threads.start("work", fail)
    threads.start("work", after.set)
    assert after.wait(SECONDS)
    assert threads.close(SECONDS)
    assert [str(error) for error in told] == ["planted"]
    assert threads.going == []


def test_closed_it_leaves_no_thread_and_begins_nothing(threads):
    for _ in range(20):
        threads.start("work", lambda: None)
    assert threads.close(SECONDS)
    assert not named("test-")
    begun = []
    threads.start("work", lambda: begun.append(1))
    assert threads.close(SECONDS)
    assert not begun


def test_close_does_not_wait_longer_than_it_may(threads):
    goes_on = threading.Event()
    threads.start("work", lambda: goes_on.wait(SECONDS))
    begun = time.monotonic()
    assert not threads.close(0.1)
    assert time.monotonic() - begun < 1
    goes_on.set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness of single threads")
def test_they_and_those_they_start_come_after_the_host_in_line_for_the_processors(threads):
    before = os.getpriority(os.PRIO_PROCESS, 0)
    found = []

    def note():
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    def work():
        note()
        inner = threading.Thread(target=note)
        inner.start()
        inner.join(SECONDS)

    threads.start("work", work)
    assert threads.close(SECONDS)
    assert found == [min(before + 10, 19)] * 2
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
