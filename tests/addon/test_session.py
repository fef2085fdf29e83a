from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

LIMIT_SECONDS = 10


@pytest.fixture
def session_of(addon):
    made = []

    def make(url, token="good"):
        made.append(addon.session.Session(lambda: addon.sendoff.Client(url, token)))
        return made[-1]

    yield make
    for session in made:
        session.close()


def wait_for(session, kind):
    """The next message of a kind; others before it are dropped."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        message = session.messages.get(timeout=max(0.01, deadline - time.monotonic()))
        if isinstance(message, kind):
            return message


def submission(addon, folder: Path):
    source = folder / "scene.bin"
    source.write_bytes(b"x" * 100_000)
    file = addon.sendoff.SceneFile(source=source, path="scene.bin", role="scene")
    return addon.sendoff.Submission(task="mesh.lods", files=(file,), title="scene")


def test_a_submit_tells_progress_then_the_job_and_clears_the_copy_away(addon, server, session_of, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    session = session_of(server.url)
    session.submit("k", submission(addon, folder), discard=folder)
    sending = wait_for(session, addon.messages.Sending)
    while sending.done_bytes < sending.total_bytes:
        sending = wait_for(session, addon.messages.Sending)
    assert (sending.key, sending.total_bytes) == ("k", 100_000)
    submitted = wait_for(session, addon.messages.Submitted)
    assert (submitted.key, submitted.job.id, submitted.job.state.value) == ("k", "job1", "queued")
    assert session.close()
    assert not folder.exists()


def test_an_expired_sign_in_is_told_as_such(addon, server, session_of, tmp_path):
    session = session_of(server.url, "expired")
    session.submit("k", submission(addon, tmp_path))
    failed = wait_for(session, addon.messages.SubmitFailed)
    assert failed.sign_in_required
    assert failed.detail == "Your sign-in has expired. Sign in again."


def test_a_server_that_is_not_there_is_a_sentence(addon, session_of, tmp_path):
    session = session_of("http://127.0.0.1:9")
    session.submit("k", submission(addon, tmp_path))
    failed = wait_for(session, addon.messages.SubmitFailed)
    assert "cannot be reached" in failed.detail
    assert not failed.stopped


def test_close_ends_every_thread_within_two_seconds(addon, server, session_of, tmp_path):
    session = session_of(server.url)
    session.submit("k", submission(addon, tmp_path))
    wait_for(session, addon.messages.Submitted)
    begun = time.monotonic()
    assert session.close()
    assert time.monotonic() - begun < 2.5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sendoff-")]
    assert session.is_closed


def test_close_does_not_wait_for_a_silent_server(addon, silent_server, session_of, tmp_path):
    session = session_of(silent_server)
    session.submit("k", submission(addon, tmp_path))
    begun = time.monotonic()
    session.close()
    assert time.monotonic() - begun < 2.5
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("sendoff-"))


def test_a_stopped_submit_says_that_it_was_stopped(addon, silent_server, session_of, tmp_path):
    session = session_of(silent_server)
    session.submit("k", submission(addon, tmp_path))
    session.stop_submit("k")
    session.stop_submit("unknown")
    assert session._submits["k"].is_set()


def test_jobs_of_an_earlier_run_are_found_or_said_to_be_gone(addon, server, session_of):
    server.finish("old", "lods.blend", b"content")
    session = session_of(server.url)
    session.resume(["old", "never"])
    assert wait_for(session, addon.messages.Submitted).job.state.value == "succeeded"
    gone = wait_for(session, addon.messages.JobGone)
    assert (gone.job_id, gone.detail) == ("never", "There is no such job. It may have been deleted.")


def test_fetch_brings_the_files_with_their_roles(addon, server, session_of, tmp_path):
    server.finish("old", "lods.blend", b"content")
    session = session_of(server.url)
    session.fetch("old", tmp_path / "results")
    fetched = wait_for(session, addon.messages.Fetched)
    assert [(file.path.read_bytes(), file.role) for file in fetched.files] == [(b"content", "result")]


def test_a_fetch_of_an_unknown_job_fails_with_the_servers_words(addon, server, session_of, tmp_path):
    session = session_of(server.url)
    session.fetch("never", tmp_path)
    assert wait_for(session, addon.messages.FetchFailed).detail == "There is no such job. It may have been deleted."


def test_cancel_reaches_the_server(addon, server, session_of, tmp_path):
    session = session_of(server.url)
    session.submit("k", submission(addon, tmp_path))
    session.cancel(wait_for(session, addon.messages.Submitted).job.id)
    session.cancel("never")
    assert wait_for(session, addon.messages.CancelFailed).job_id == "never"
    deadline = time.monotonic() + LIMIT_SECONDS
    while session.is_busy and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.cancelled == ["job1"]


def test_look_tells_the_name_and_the_tasks(addon, server, session_of):
    session = session_of(server.url)
    session.look()
    found = wait_for(session, addon.messages.ServerFound)
    assert (found.name, found.tasks[0]["name"]) == ("tiny", "mesh.lods")


def test_session_and_what_it_uses_know_no_bpy(addon):
    for name in ("session", "messages", "jobs", "job_files", "server_choice", "file_patterns"):
        source = Path(getattr(addon, name).__file__).read_text(encoding="utf-8")
        assert "import bpy" not in source, name
