"""Tasks as studios write them, the careful and the careless, run by the real runner on a real Valkey."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.stack import wait_for
from tests.worker.conftest import Bench

from sendoff.events import Event
from sendoff.states import JobState
from sendoff_store import jobs
from sendoff_worker import Context, TaskFailed
from sendoff_worker.control import forget_shutdown, tell_shutdown

Declare = Callable[..., Any]


def cancel_when(bench: Bench, job: str, state: JobState = JobState.RUNNING) -> threading.Thread:
    def wait_and_cancel() -> None:
        wait_for(lambda: bench.record(job).state is state, "the start")
        bench.cancel(job)

    thread = threading.Thread(target=wait_and_cancel)
    thread.start()
    return thread


def events_of(bench: Bench, job: str) -> list[Event]:
    caught = bench.store.run(jobs.catch_up(job, after=0, epoch=None))
    assert caught is not None
    return list(caught.events)


def test_a_task_gets_its_files_and_hands_in_results(bench: Bench, declare: Declare, tmp_path: Path) -> None:
    source = tmp_path / "scene.txt"
    source.write_bytes(b"hello" * 100_000)

    @declare("test.copy")
    def copy(ctx: Context, times: int = 1) -> None:
        assert ctx.scene is not None
        (ctx.output / "copy.txt").write_bytes(ctx.scene.read_bytes() * times)
        ctx.add_file("copy.txt")
        ctx.warn("only a copy")
        ctx.summarize(times=times)

    record = bench.run("test.copy", {"times": 2}, {"folder/scene.txt": source})
    assert record.state is JobState.SUCCEEDED
    assert record.result is not None
    assert record.result["summary"] == {"times": 2}
    assert record.result["warnings"] == ["only a copy"]
    (entry,) = record.result["files"]
    assert (entry["path"], entry["size"], entry["media_type"]) == ("copy.txt", 1_000_000, "text/plain")
    assert b"".join(bench.blobs.get(chunk[0]) for chunk in entry["chunks"]) == source.read_bytes() * 2
    assert not list(bench.settings.work_dir.iterdir()), "the job's folder is left"


def test_progress_is_coalesced_and_ends_in_order(bench: Bench, declare: Declare) -> None:
    @declare("test.steps")
    def steps(ctx: Context) -> None:
        for _ in ctx.steps(range(200_000), "Step {}"):
            pass

    job = bench.job("test.steps")
    begun = time.monotonic()
    bench.runner.run(job)
    seconds = time.monotonic() - begun
    events = events_of(bench, job)
    assert len(events) < 10 + 12 * seconds, "more than ten a second"
    fractions = [event.fraction for event in events if event.fraction is not None]
    assert fractions == sorted(fractions)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


def test_stages_in_a_burst_are_all_told_in_order(bench: Bench, declare: Declare) -> None:
    names = [f"Part {number}" for number in range(6)]

    @declare("test.burst")
    def burst(ctx: Context) -> None:
        for number, name in enumerate(names):
            ctx.stage(name)
            ctx.progress(number / 10, "half of it")

    job = bench.job("test.burst")
    bench.runner.run(job)
    events = [event for event in events_of(bench, job) if event.stage]
    assert list(dict.fromkeys(event.stage for event in events)) == ["Burst", *names]
    assert next(event for event in events if event.stage == names[3]).fraction == 0.3


def test_a_new_stage_does_not_wait_for_its_turn(bench: Bench, declare: Declare) -> None:
    rounds = range(8)

    @declare("test.hurry")
    def hurry(ctx: Context) -> None:
        for number in rounds:
            ctx.progress(None, f"Step {number}")
            time.sleep(0.03)
            ctx.stage(f"Stage {number}")
            time.sleep(0.15)

    job = bench.job("test.hurry")
    bench.runner.run(job)
    events = events_of(bench, job)
    waits = []
    for number in rounds:
        step = next(event for event in events if event.message == f"Step {number}")
        begun = next(event for event in events if event.stage == f"Stage {number}")
        waits.append(begun.at - step.at)
    assert 0.02 < min(waits) < 0.08, "like any other report, it waited for a tenth of a second"


def test_a_progress_call_costs_about_a_microsecond(bench: Bench, declare: Declare) -> None:
    took: list[float] = []

    @declare("test.hot")
    def hot(ctx: Context) -> None:
        progress, number = ctx.progress, 300_000
        begun = time.perf_counter()
        for done in range(number):
            progress(done / number, "Working")
        took.append((time.perf_counter() - begun) / number)

    assert bench.run("test.hot").state is JobState.SUCCEEDED
    assert took[0] < 4e-6, f"{took[0] * 1e6:.2f} us"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TaskFailed("The scene has no camera; add one."), "The scene has no camera; add one."),
        (ZeroDivisionError("x"), "made a mistake (ZeroDivisionError)"),
        (OSError(28, "No space left"), "disk is full"),
        (MemoryError(), "made a mistake (MemoryError)"),
    ],
)
def test_a_failure_is_a_sentence_and_the_rest_is_in_the_log(
    bench: Bench, declare: Declare, error: Exception, words: str
) -> None:
    @declare("test.fails")
    def fails(ctx: Context) -> None:
        logging.getLogger("studio").warning("about to fail")
        raise error

    job = bench.job("test.fails")
    bench.runner.run(job)
    record = bench.record(job)
    assert record.state is JobState.FAILED
    assert words in record.message
    assert "Traceback" not in record.message
    assert "about to fail" in bench.log(job)
    if not isinstance(error, TaskFailed | OSError):
        assert "Traceback" in bench.log(job)


def test_a_task_that_never_looks_is_interrupted(bench: Bench, declare: Declare) -> None:
    @declare("test.deaf")
    def deaf(ctx: Context) -> None:
        ctx.progress(0.1, "Deaf")
        try:
            while True:
                sum(range(1000))
        except Exception:
            pytest.fail("a cancel is no Exception that a task may swallow")

    job = bench.job("test.deaf")
    thread = cancel_when(bench, job)
    begun = time.monotonic()
    bench.runner.run(job)
    thread.join()
    assert bench.record(job).state is JobState.CANCELLED
    assert time.monotonic() - begun < 5


def test_a_program_is_ended_with_all_it_started(bench: Bench, declare: Declare) -> None:
    child = "import time; time.sleep(77)"
    program = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); {child}"

    @declare("test.program")
    def runs(ctx: Context) -> None:
        ctx.run([sys.executable, "-c", program])

    job = bench.job("test.program")
    thread = cancel_when(bench, job, JobState.RUNNING)
    bench.runner.run(job)
    thread.join()
    assert bench.record(job).state is JobState.CANCELLED
    import subprocess

    left = subprocess.run(["pgrep", "-f", "time.sleep[(]77"], capture_output=True, text=True, check=False).stdout
    assert not left


def test_a_program_that_ignores_the_request_is_killed_and_nothing_cuts_that_short(
    bench: Bench, declare: Declare
) -> None:
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('on', flush=True); time.sleep(78)"

    @declare("test.stubborn")
    def stubborn(ctx: Context) -> None:
        ctx.run([sys.executable, "-c", program])

    job = bench.job("test.stubborn")

    def cancel_when_on() -> None:
        wait_for(lambda: " on\n" in bench.log(job), "the program's word")
        bench.cancel(job)

    thread = threading.Thread(target=cancel_when_on)
    thread.start()
    bench.settings.__dict__["kill_grace_seconds"] = 1.0  # longer than it takes to interrupt a task
    bench.runner.run(job)
    thread.join()
    assert bench.record(job).state is JobState.CANCELLED
    import subprocess

    left = subprocess.run(["pgrep", "-f", "time.sleep[(]78"], capture_output=True, text=True, check=False).stdout
    assert not left


def test_openjd_lines_of_a_program_are_understood(bench: Bench, declare: Declare) -> None:
    lines = "openjd_status: Baking normals|openjd_progress: 42.5|other|openjd_fail: The cage is too small."

    @declare("test.openjd")
    def openjd(ctx: Context) -> None:
        ctx.run(
            [sys.executable, "-c", f"import time\nfor l in {lines!r}.split('|'): print(l, flush=True); time.sleep(.2)"]
        )

    job = bench.job("test.openjd")
    bench.runner.run(job)
    events = events_of(bench, job)
    assert any(event.message == "Baking normals" for event in events)
    assert any(event.fraction == 0.425 for event in events)
    assert bench.record(job).message == "The cage is too small."
    assert "other" in bench.log(job)


def test_what_a_task_prints_is_in_its_log_and_its_openjd_lines_count(bench: Bench, declare: Declare) -> None:
    @declare("test.prints")
    def prints(ctx: Context) -> None:
        print("begun", end=" ")
        print("and ended")
        print("openjd_progress: 25", flush=True)
        wait_for(lambda: bench.record(ctx.job).fraction == 0.25, "the progress that was printed")
        print("no end of line", end="")

    job = bench.job("test.prints")
    bench.runner.run(job)
    assert bench.record(job).state is JobState.SUCCEEDED
    assert "begun and ended\n" in bench.log(job)
    assert "no end of line" in bench.log(job)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/no/such/program"], "cannot be started"),
        ([sys.executable, "-c", "import sys; sys.exit(3)"], "status 3"),
    ],
)
def test_a_program_that_fails_is_said(bench: Bench, declare: Declare, command: list[str], words: str) -> None:
    @declare("test.broken")
    def broken(ctx: Context) -> None:
        ctx.run(command)

    assert words in bench.run("test.broken").message


def test_a_program_that_takes_too_long_is_ended(bench: Bench, declare: Declare) -> None:
    @declare("test.slow")
    def slow(ctx: Context) -> None:
        ctx.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout_seconds=0.5)

    assert "within 0.5 s" in bench.run("test.slow").message


@pytest.mark.parametrize("name", ["../escape.txt", "a\\b", "con"])
def test_a_result_with_a_name_that_cannot_be_is_refused(bench: Bench, declare: Declare, name: str) -> None:
    @declare("test.names")
    def names(ctx: Context) -> None:
        (ctx.output / "x.txt").write_text("x")
        ctx.add_file("x.txt", name=name)

    record = bench.run("test.names")
    assert record.state is JobState.FAILED
    assert "cannot be used" in record.message


def test_an_attempt_that_lost_its_lease_writes_nothing(bench: Bench, declare: Declare) -> None:
    @declare("test.lost")
    def lost(ctx: Context) -> None:
        bench.store.redis.set(f"job:{ctx.job}:lease", "another attempt")
        for _ in range(100):
            ctx.progress(0.5, "Still here")
            time.sleep(0.05)

    job = bench.job("test.lost")
    bench.runner.run(job)
    assert not bench.record(job).state.is_final


def test_a_shutdown_gives_the_job_back_and_does_not_count(bench: Bench, declare: Declare) -> None:
    bench.settings.__dict__["shutdown_grace_seconds"] = 0.1

    @declare("test.long")
    def long(ctx: Context) -> None:
        for _ in ctx.steps(range(1000)):
            time.sleep(0.02)

    job = bench.job("test.long")

    def shut_down() -> None:
        wait_for(lambda: bench.record(job).state is JobState.RUNNING, "the start")
        tell_shutdown(bench.store.redis, "w")

    thread = threading.Thread(target=shut_down)
    thread.start()
    bench.runner.run(job)
    thread.join()
    record = bench.record(job)
    forget_shutdown(bench.store.redis, "w")
    assert (record.state, record.attempt) == (JobState.QUEUED, 0)


def test_a_job_that_takes_too_long_fails_with_the_limit(bench: Bench, declare: Declare) -> None:
    bench.settings.__dict__["job_timeout_seconds"] = 1.0

    @declare("test.endless")
    def endless(ctx: Context) -> None:
        while True:
            time.sleep(0.01)

    assert "longer than the 1 s" in bench.run("test.endless").message


def test_a_second_message_for_the_same_job_does_nothing(bench: Bench, declare: Declare) -> None:
    runs: list[int] = []

    @declare("test.once")
    def once(ctx: Context) -> None:
        runs.append(1)

    job = bench.job("test.once")
    for _ in range(3):
        bench.runner.run(job)
    assert runs == [1]


def test_wrong_parameters_and_unknown_tasks_are_said(bench: Bench, declare: Declare) -> None:
    @declare("test.params")
    def params(ctx: Context, levels: int) -> None:
        pass

    assert "levels" in bench.run("test.params", {"levels": "x"}).message
    assert "no task test.gone" in bench.run("test.gone").message


def test_missing_chunks_are_said(bench: Bench, declare: Declare, tmp_path: Path) -> None:
    source = tmp_path / "scene.txt"
    source.write_bytes(b"soon gone")

    @declare("test.files")
    def files(ctx: Context) -> None:
        pass

    job = bench.job("test.files", files={"scene.txt": source})
    for name, _, _ in list(bench.blobs.ages()):
        bench.blobs.delete(name)
    bench.runner.run(job)
    assert "Submit it again" in bench.record(job).message


def test_a_huge_log_is_cut_and_says_so(bench: Bench, declare: Declare) -> None:
    @declare("test.chatty")
    def chatty(ctx: Context) -> None:
        for _ in range(3000):
            ctx.log("x" * 1000)

    job = bench.job("test.chatty")
    bench.runner.run(job)
    text = bench.log(job)
    assert len(text) < 1_100_000
    assert "the log is cut here" in text
