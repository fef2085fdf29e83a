from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path

import pytest
from tests.way import Way

LIMIT_SECONDS = 10


@pytest.fixture
def session_of(host):
    made = []

    def make(url, token="good"):
        made.append(host.session.Session(lambda: host.sendoff.Client(url, token), accepts=("blend",)))
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


def parcel(host, folder: Path):
    source = folder / "scene.bin"
    source.write_bytes(b"x" * 100_000)
    file = host.sendoff.SceneFile(source=source, path="scene.bin", role="scene")
    return host.outbox.Parcel(host.sendoff.Submission(task="mesh.lods", files=(file,), title="scene"), folder)


def test_a_submit_tells_progress_then_the_job_and_keeps_the_copy(host, server, session_of, tmp_path):
    session = session_of(server.url)
    session.submit("k", parcel(host, tmp_path))
    sending = wait_for(session, host.messages.Sending)
    while sending.done_bytes < sending.total_bytes:
        sending = wait_for(session, host.messages.Sending)
    assert (sending.key, sending.total_bytes) == ("k", 100_000)
    submitted = wait_for(session, host.messages.Submitted)
    assert (submitted.key, submitted.job.id, submitted.job.state.value) == ("k", "job1", "queued")
    assert (tmp_path / "scene.bin").exists(), "only the main thread knows when nobody needs it any more"


def test_a_file_that_changes_each_time_is_named_before_the_job(host, server, session_of, tmp_path, monkeypatch):
    monkeypatch.setattr(host.sendoff.transfer, "PAUSES_SECONDS", ())
    session, made = session_of(server.url), parcel(host, tmp_path)
    odd = host.sendoff.SceneFile(source=Path("/proc/self/environ"), path="odd.png")
    files = (*made.submission.files, odd)
    session.submit("k", dataclasses.replace(made, submission=dataclasses.replace(made.submission, files=files)))
    assert wait_for(session, host.messages.FilesFound).missing == ("/proc/self/environ (it changed while it was sent)",)
    assert wait_for(session, host.messages.Submitted).job.id == "job1"


def test_the_same_submission_again_makes_no_second_job(host, server, session_of, tmp_path):
    session, made = session_of(server.url), parcel(host, tmp_path)
    for _ in range(2):
        session.submit("k", made)
        assert wait_for(session, host.messages.Submitted).job.id == "job1"
    assert len(server.submitted) == 1


def test_what_is_being_sent_is_not_sent_twice_at_the_same_time(host, server, session_of, tmp_path):
    session, made = session_of(server.url), parcel(host, tmp_path)
    for _ in range(5):
        session.submit("k", made)
    wait_for(session, host.messages.Submitted)
    for thread in threading.enumerate():
        if thread.name == "sendoff-submit":
            thread.join(LIMIT_SECONDS)
    told = [session.messages.get() for _ in range(session.messages.qsize())]
    assert not [message for message in told if isinstance(message, host.messages.Submitted)]


def test_what_was_stopped_is_begun_again_at_once(host, tmp_path):
    goes_on = threading.Event()

    def no_client():
        goes_on.wait(LIMIT_SECONDS)
        raise ValueError("planted")

    session, made = host.session.Session(no_client, accepts=("blend",)), parcel(host, tmp_path)
    session.submit("k", made)
    session.submit("k", made)
    session.stop_submit("k")
    session.submit("k", made)
    goes_on.set()
    for _ in range(2):
        wait_for(session, host.messages.SubmitFailed)
    assert session.close()
    assert session.messages.empty()


def test_an_expired_sign_in_is_told_with_its_button(host, server, session_of, tmp_path):
    session = session_of(server.url, "expired")
    session.submit("k", parcel(host, tmp_path))
    problem = wait_for(session, host.messages.SubmitFailed).problem
    assert problem.text == "Your sign-in has expired. Sign in again."
    assert problem.remedies[0] is host.problems.Remedy.SIGN_IN


def test_a_server_that_is_not_there_is_a_sentence_and_a_retry(host, session_of, tmp_path):
    session = session_of("http://127.0.0.1:9")
    session.submit("k", parcel(host, tmp_path))
    problem = wait_for(session, host.messages.SubmitFailed).problem
    assert "cannot be reached" in problem.text
    assert problem.remedies == (host.problems.Remedy.RETRY,)
    assert not problem.is_stop


def test_close_ends_every_thread_within_two_seconds(host, server, session_of, tmp_path):
    before = set(threading.enumerate())
    session = session_of(server.url)
    session.submit("k", parcel(host, tmp_path))
    wait_for(session, host.messages.Submitted)
    begun = time.monotonic()
    assert session.close()
    assert time.monotonic() - begun < 2.5
    assert not [one for one in set(threading.enumerate()) - before if one.name.startswith("sendoff-")]
    assert session.is_closed


def test_close_does_not_wait_for_a_silent_server(host, silent_server, session_of, tmp_path):
    session = session_of(silent_server)
    session.submit("k", parcel(host, tmp_path))
    begun = time.monotonic()
    session.close()
    assert time.monotonic() - begun < 2.5
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("sendoff-"))


def test_a_stopped_submit_says_that_it_was_stopped(host, silent_server, session_of, tmp_path):
    session = session_of(silent_server)
    session.submit("k", parcel(host, tmp_path))
    session.stop_submit("k")
    session.stop_submit("unknown")
    assert session._submits["k"].is_set()


def test_jobs_of_an_earlier_run_are_found_or_said_to_be_gone(host, server, session_of):
    server.finish("old", "lods.blend", b"content")
    session = session_of(server.url)
    session.resume(["old", "never"])
    assert wait_for(session, host.messages.Submitted).job.state.value == "succeeded"
    gone = wait_for(session, host.messages.JobGone)
    assert (gone.job_id, gone.detail) == ("never", "There is no such job. It may have been deleted.")


def test_fetch_brings_the_files_with_their_roles(host, server, session_of, tmp_path):
    server.finish("old", "lods.blend", b"content")
    session = session_of(server.url)
    session.fetch("old", tmp_path / "results")
    fetched = wait_for(session, host.messages.Fetched)
    assert [(file.path.read_bytes(), file.role) for file in fetched.files] == [(b"content", "result")]


def test_a_fetch_of_an_unknown_job_fails_with_the_servers_words(host, server, session_of, tmp_path):
    session = session_of(server.url)
    session.fetch("never", tmp_path)
    assert (
        wait_for(session, host.messages.FetchFailed).problem.text == "There is no such job. It may have been deleted."
    )


def test_cancel_reaches_the_server(host, server, session_of, tmp_path):
    session = session_of(server.url)
    session.submit("k", parcel(host, tmp_path))
    session.cancel(wait_for(session, host.messages.Submitted).job.id)
    session.cancel("never")
    assert wait_for(session, host.messages.CancelFailed).job_id == "never"
    deadline = time.monotonic() + LIMIT_SECONDS
    while session.is_busy and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.cancelled == ["job1"]


def test_look_tells_the_name_who_we_are_and_the_tasks(host, server, session_of):
    session = session_of(server.url)
    session.look()
    found = wait_for(session, host.messages.ServerFound)
    assert (found.name, found.person, found.tasks[0].name) == ("tiny", "ada", "mesh.lods")
    assert found.offers == tuple(server.tasks)


def test_a_retry_is_a_new_job_of_the_server_under_our_own_key(host, server, session_of):
    server.finish("old", "lods.blend", b"content")
    session = session_of(server.url)
    session.retry("again", "old")
    submitted = wait_for(session, host.messages.Submitted)
    assert (submitted.key, submitted.job.state.value) == ("again", "queued")
    assert submitted.job.id != "old"
    session.retry("k", "never")
    assert wait_for(session, host.messages.SubmitFailed).key == "k"


def test_a_log_comes_into_a_file_and_a_missing_one_is_a_sentence(host, server, session_of, tmp_path):
    server.finish("old", "lods.blend", b"content")
    server.files["/v1/jobs/old/log"] = "Blender says: à bientôt\n".encode()
    session = session_of(server.url)
    session.fetch_log("old", tmp_path / "deep" / "log.txt")
    fetched = wait_for(session, host.messages.LogFetched)
    assert fetched.path.read_text(encoding="utf-8") == "Blender says: à bientôt\n"
    session.fetch_log("never", tmp_path / "log.txt")
    assert "no such job" in wait_for(session, host.messages.AskFailed).detail


def test_a_log_that_cannot_be_written_is_a_sentence(host, server, session_of, tmp_path):
    server.files["/v1/jobs/old/log"] = b"words"
    (tmp_path / "file").write_text("in the way")
    session = session_of(server.url)
    session.fetch_log("old", tmp_path / "file" / "log.txt")
    assert "cannot be written" in wait_for(session, host.messages.AskFailed).detail


def test_a_page_is_opened_with_a_way_in_and_without_a_browser_its_address_is_told(
    host, server, session_of, monkeypatch
):
    opened = []
    monkeypatch.setattr(host.session.webbrowser, "open", lambda url: opened.append(url) or len(opened) == 1)
    session = session_of(server.url)
    session.open_page("old")
    session.open_page("old")
    told = wait_for(session, host.messages.AskFailed)
    assert opened[0] == f"{server.url}/jobs/old#code=once"
    assert told.detail == f"No browser was found on this machine. The job's page is {server.url}/jobs/old"


def test_the_check_tells_each_hop_and_names_the_broken_one(host, server, session_of):
    session = session_of(server.url)
    session.check()
    hops = []
    while True:
        message = session.messages.get(timeout=LIMIT_SECONDS)
        if isinstance(message, host.messages.CheckEnded):
            break
        hops.append(message.hop)
    assert [hop.name for hop in hops][:4] == ["network", "TLS", "HTTP", "sign-in"]
    broken = next(hop for hop in hops if not hop.ok and not hop.skipped)
    assert broken.name == "WebSocket", "the tiny server has none"
    assert all(hop.skipped for hop in hops[hops.index(broken) + 1 :])


def test_a_client_that_cannot_be_made_ends_the_check_with_a_sentence(host):
    def broken():
        raise host.sendoff.InputError("The server's URL is none.")

    session = host.session.Session(broken, accepts=("blend",))
    session.check()
    hop = wait_for(session, host.messages.HopTried).hop
    assert (hop.ok, hop.detail) == (False, "The server's URL is none.")
    assert wait_for(session, host.messages.CheckEnded)
    session.close()


def test_a_script_waits_for_a_message_and_no_longer_than_it_said(host, server, session_of):
    session = session_of(server.url)
    assert not session.wait(0.01)
    session.look()
    assert session.wait(LIMIT_SECONDS)


def test_session_and_what_it_uses_know_no_bpy(host):
    pure = (
        "session", "messages", "jobs", "job_files", "server_choice", "file_patterns", "progress", "words", "problems",
        "outbox", "instance", "known_tasks", "buttons", "findings", "versions",
    )  # fmt: skip
    for name in pure:
        source = Path(getattr(host, name).__file__).read_text(encoding="utf-8")
        assert "import bpy" not in source, name


def way_of(server):
    return Way(int(server.url.rpartition(":")[2]))


def test_a_submit_waits_for_the_network_as_long_as_it_takes_and_says_so(host, server, session_of, tmp_path):
    with way_of(server) as way:
        session = session_of(way.url)
        session.look()
        wait_for(session, host.messages.ServerFound)
        way.refuse()
        session.submit("k", parcel(host, tmp_path))
        waits = wait_for(session, host.messages.Waits)
        assert (waits.key, "cannot be reached" in waits.reason) == ("k", True)
        way.come_back()
        assert wait_for(session, host.messages.Submitted).job.id == "job1"


def test_a_submit_that_waits_ends_at_once_when_it_is_stopped(host, server, session_of, tmp_path):
    with way_of(server) as way:
        session = session_of(way.url)
        way.refuse()
        session.submit("k", parcel(host, tmp_path), is_resumed=True)
        wait_for(session, host.messages.Waits)
        begun = time.monotonic()
        session.stop_submit("k")
        assert wait_for(session, host.messages.SubmitFailed).problem.is_stop
        assert time.monotonic() - begun < 2


def test_a_download_waits_for_the_network_until_it_is_stopped(host, server, session_of, tmp_path):
    server.finish("job1", "lods.blend", b"x" * 1000)
    with way_of(server) as way:
        session = session_of(way.url)
        session.look()
        wait_for(session, host.messages.ServerFound)
        way.refuse()
        session.fetch("job1", tmp_path)
        assert wait_for(session, host.messages.Waits).key == "job1"
        session.stop_fetch("job1")
        assert wait_for(session, host.messages.FetchFailed).problem.is_stop
        session.fetch("job1", tmp_path)
        way.come_back()
        (file,) = wait_for(session, host.messages.Fetched).files
        assert file.path.read_bytes() == b"x" * 1000


def test_a_look_at_a_server_that_is_away_is_answered_soon(host, session_of):
    begun = time.monotonic()
    session = session_of("http://127.0.0.1:9")
    session.look()
    wait_for(session, host.messages.ServerNotFound)
    assert time.monotonic() - begun < 5
