"""The `sendoff` command and the Python API, as a TD's scripts use them."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from tests.stack import Stack, wait_for

from sendoff import Client, Event, JobCancelled


def test_tasks_are_listed_with_their_schema(stack: Stack) -> None:
    done = stack.run("tasks", "--json")
    assert done.returncode == 0, done.stderr
    tasks = {task["name"]: task for task in json.loads(done.stdout)["tasks"]}
    assert tasks["system.wait"]["params"]["properties"]["seconds"]["maximum"] == 3600
    assert "system.wait" in stack.run("tasks").stdout


def test_a_job_is_submitted_watched_listed_and_its_events_are_json_lines(stack: Stack, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("anything")
    done = stack.run("submit", note, "--task", "system.wait", "--set", "seconds=0.5", "--wait", "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["state"] == "succeeded"
    job = lines[-1]["id"]
    assert any(0 < (line.get("fraction") or 0) < 1 for line in lines)
    assert job in stack.run("jobs").stdout
    listed = json.loads(stack.run("jobs", "--json", "--limit", "1").stdout)["jobs"]
    assert listed[0]["id"] == job
    assert stack.run("watch", job).returncode == 0
    assert "Attempt 1" in stack.run("log", job).stdout


def test_exit_codes_tell_scripts_what_happened(stack: Stack, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("anything")
    job = stack.run("submit", note, "--task", "system.wait", "--set", "seconds=60").stdout.strip()
    assert stack.run("watch", job, "--timeout", "0.2").returncode == 8
    assert stack.run("cancel", job).returncode == 0
    assert stack.run("watch", job).returncode == 7
    cases = [
        (["submit", "nowhere.blend", "--task", "mesh.lods"], 2),
        (["submit", note, "--task", "system.wait", "--set", "seconds"], 2),
        (["submit", note, "--task", "no.such"], 5),
        (["submit", note, "--task", "system.wait", "--set", "seconds=-1"], 5),
        (["watch", "nothing"], 5),
        (["fetch", "nothing"], 5),
        (["tasks", "--url", "http://127.0.0.1:9"], 3),
        (["tasks", "--url", stack.url, "--token", "wrong"], 4),
        (["tasks", "--url", "nonsense"], 2),
        (["frobnicate"], 2),
    ]
    for arguments, status in cases:
        done = stack.run(*arguments)
        assert done.returncode == status, (arguments, done)
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr


def test_check_tries_every_hop_and_names_the_broken_one(stack: Stack) -> None:
    done = stack.run("check", "--json")
    report = json.loads(done.stdout)
    assert report["ok"], report
    assert {hop["name"] for hop in report["hops"]} >= {"network", "HTTP", "sign-in", "WebSocket", "upload", "job"}
    broken = json.loads(stack.run("check", "--json", "--url", "http://127.0.0.1:9", "--token", "x").stdout)
    assert not broken["ok"]
    assert next(hop["name"] for hop in broken["hops"] if not hop["ok"]) == "network"
    assert stack.run("check", "--token", "wrong").returncode == 4


def test_sign_in_keeps_a_token_that_works_and_refuses_one_that_does_not(stack: Stack, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    assert stack.run("sign-in", stack.url, "--token", "wrong", SENDOFF_HOME=home).returncode == 4
    assert stack.run("sign-in", stack.url, "--token", stack.token, SENDOFF_HOME=home).returncode == 0
    kept = tmp_path / "home" / "sign-ins.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert stack.run("jobs", SENDOFF_HOME=home).returncode == 0


def test_the_pages_address_signs_a_browser_in_once(stack: Stack, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("anything")
    job = stack.run("submit", note, "--task", "system.wait", "--set", "seconds=0").stdout.strip()
    for arguments, path in (([], "/"), ([job], f"/jobs/{job}")):
        address, _, code = stack.run("page", *arguments, "--print").stdout.strip().partition("#code=")
        assert address == stack.url + path
        for status in (200, 401):
            body = {"code": code}
            answer = httpx.post(f"{stack.url}/v1/page-codes/redeem", json=body, trust_env=False)
            assert answer.status_code == status
    assert json.loads(stack.run("page", "--json").stdout)["url"].startswith(f"{stack.url}/#code=")
    done = stack.run("page", "nothing", "--print")
    assert (done.returncode, done.stdout) == (5, "")
    assert "There is no job nothing of yours." in done.stderr


def test_a_folder_is_no_scene(stack: Stack, tmp_path: Path) -> None:
    done = stack.run("submit", tmp_path, "--task", "system.wait")
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr


def test_the_python_api_gives_events_as_an_iterator(client: Client, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("anything")
    job = client.submit(note, task="system.wait", params={"seconds": 0.3})
    states = [item.state.value for item in client.watch(job.id) if isinstance(item, Event)]
    assert states[-1] == "succeeded"
    assert client.wait(job.id).summary["waited_seconds"] >= 0.3


def test_a_cancelled_task_that_reports_nothing_ends_too(client: Client, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("anything")
    job = client.submit(note, task="system.wait", params={"seconds": 60})
    wait_for(lambda: client.job(job.id).state.value == "running", "the start")
    client.cancel(job.id)
    with pytest.raises(JobCancelled):
        client.wait(job.id, 5)


def test_two_jobs_run_side_by_side_and_a_third_waits_in_the_queue(client: Client, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("anything")
    jobs = [client.submit(note, task="system.wait", params={"seconds": 60}) for _ in range(3)]
    try:
        wait_for(lambda: sum(client.job(job.id).state.value == "running" for job in jobs) == 2, "two jobs to run")
        assert client.job(jobs[2].id).queue_position == 1
    finally:
        for job in jobs:
            client.cancel(job.id)
    for job in jobs:
        with pytest.raises(JobCancelled):
            client.wait(job.id, 10)
