"""A restart loses nothing: jobs, results, uploads and places in the queue are there again."""

from __future__ import annotations

import json
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.stack import BIN, Stack, wait_for

from sendoff import Client

WAIT = {"seconds": 1.0}


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_bytes(b"anything" * 200_000)
    return path


def test_jobs_results_and_uploads_survive_and_queued_jobs_run(tmp_path: Path, note: Path) -> None:
    stack = Stack(tmp_path / "stack", SENDOFF_CONCURRENCY="1")
    with stack:
        with Client(stack.url, stack.token) as client:
            ended = client.submit(note, task="system.wait", params={"seconds": 0.1})
            client.wait(ended.id, 30)
            running = client.submit(note, task="system.wait", params={"seconds": 4})
            queued = client.submit(note, task="system.wait", params=WAIT)
            wait_for(lambda: client.job(running.id).state.value == "running", "the start")
        assert stack.stop() == 0
        stack.start()
        with Client(stack.url, stack.token) as client:
            assert client.job(ended.id).state.value == "succeeded"
            assert client.wait(running.id, 60).state.value == "succeeded"
            assert client.job(running.id).fields["attempt"] == 1, "a shutdown counted as a failed attempt"
            assert client.wait(queued.id, 60).state.value == "succeeded"
            sent: list[int] = []
            client.submit(note, task="system.noop", on_progress=lambda done, total, wire: sent.append(wire))
            assert max(sent) < 10_000, "the upload was not there any more"


def test_calls_and_transfers_that_are_made_meanwhile_wait_for_the_restart(tmp_path: Path, note: Path) -> None:
    stack = Stack(tmp_path / "stack", SENDOFF_CONCURRENCY="1")
    with stack, Client(stack.url, stack.token) as client, ThreadPoolExecutor() as threads:
        ended = client.submit(note, task="system.noop")
        client.wait(ended.id, 30)
        port = int(stack.url.rpartition(":")[2])
        assert stack.stop() == 0
        asked = [
            threads.submit(call, *arguments)
            for call, *arguments in (
                (client.server,), (client.tasks,), (client.jobs,), (client.job, ended.id), (client.log, ended.id),
                (client.cancel, ended.id), (client.retry, ended.id), (client.fetch, ended.id, tmp_path / "result"),
            )
        ]  # fmt: skip
        sent = threads.submit(client.submit, note, task="system.noop")
        stack.start(port=port)
        for one in asked:
            one.result(60)
        assert client.wait(sent.result(60).id, 60).state.value == "succeeded"
        assert len(client.jobs()) == 3, "a call that was repeated made a second job"


def test_a_second_one_on_the_same_data_says_who_has_it(tmp_path: Path) -> None:
    with Stack(tmp_path / "stack") as stack:
        done = subprocess.run(
            [BIN / "sendoff-server", "up", "--port", "0", "--data-dir", stack.data_dir], env=stack.environment,
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert str(stack.ready["pid"]) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with Stack(tmp_path / "one") as stack:
        port = stack.url.rpartition(":")[2]
        done = subprocess.run(
            [BIN / "sendoff-server", "up", "--port", port, "--data-dir", tmp_path / "two"], env=stack.environment,
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        redis_url = json.loads((stack.data_dir / "up.json").read_text())["redis_url"]
        served = subprocess.run(
            [BIN / "sendoff-server", "serve", "--port", port, "--data-dir", tmp_path / "three"],
            env=stack.environment | {"SENDOFF_REDIS_URL": redis_url}, capture_output=True, text=True, timeout=30,
            check=False,
        )  # fmt: skip
    for ended in (done, served):
        assert ended.returncode == 1
        assert port in ended.stderr
        assert "--port" in ended.stderr
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_end_leaves_no_process_behind(tmp_path: Path, ending: signal.Signals) -> None:
    stack = Stack(tmp_path / "stack")
    stack.start()
    marks = str(stack.data_dir)
    process = stack._process
    assert process is not None
    process.send_signal(ending)
    assert process.wait(40) == 0
    found = subprocess.run(["pgrep", "-af", marks], capture_output=True, text=True, check=False).stdout
    assert not found, found


def test_a_job_no_worker_offers_waits_says_so_and_runs_when_one_comes(tmp_path: Path, note: Path) -> None:
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    (tasks / "studio.py").write_text(
        "from sendoff_worker import Context, task\n\n"
        '@task("studio.hello")\n'
        "def hello(ctx: Context, times: int = 2) -> None:\n"
        '    """Say hello."""\n'
        '    for _ in ctx.steps(range(times), "Hello {}"):\n'
        "        pass\n"
        "    ctx.summarize(said=times)\n"
    )
    stack = Stack(tmp_path / "stack", SENDOFF_TASK_PATH=str(tasks))
    with stack:
        with Client(stack.url, stack.token) as client:
            assert client.wait(client.submit(note, task="studio.hello").id, 30).summary == {"said": 2}
        stack.stop()
        stack.settings["SENDOFF_TASK_PATH"] = ""
        stack.start()
        with Client(stack.url, stack.token) as client:
            job = client.submit(note, task="studio.hello", params={"times": 3})
            assert "Waiting for a worker that offers studio.hello" in client.job(job.id).message
        stack.stop()
        stack.settings["SENDOFF_TASK_PATH"] = str(tasks)
        stack.start()
        with Client(stack.url, stack.token) as client:
            assert client.wait(job.id, 30).summary == {"said": 3}
