"""Every state of a job, in words."""

from __future__ import annotations

import pytest
from tests.told import NOW, event, submitted


@pytest.fixture
def jobs(host):
    return host.jobs.JobList()


@pytest.fixture
def job(host, jobs):
    made = host.jobs.Job(key="k", task="mesh.lods", title="car", server_url="http://127.0.0.1:9")
    jobs.add(made)
    return made


def said(host, jobs, now=NOW):
    found = host.words.line(jobs.jobs[0], jobs.connectivity, now)
    return found.text, found.fraction


def test_the_first_sign_of_life_comes_before_the_copy_is_saved(host, jobs, job):
    job.is_saving = True
    assert said(host, jobs) == ("saving a copy to send", 0.0)
    job.is_saving = False
    assert said(host, jobs) == ("preparing to send", 0.0)


def test_sending_shows_megabytes_share_and_time_left(host, jobs, job):
    for second in range(3):
        jobs.apply(host.messages.Sending("k", 6_150_000 * second, 49_200_000, 1_000), NOW + second)
    found = host.words.line(job, jobs.connectivity, NOW)
    assert (found.text, found.fraction) == ("sending, 12.3 of 49.2 MB", 0.062)
    assert found.bar_text == "6 %, 5 s left"
    jobs.apply(host.messages.Sending("k", 49_200_000, 49_200_000, 2_000))
    assert said(host, jobs) == ("sent, waiting for the server's word", 0.25)
    assert job.sent_bytes == 2_000


def test_a_transfer_that_waits_for_the_network_says_that_it_goes_on_by_itself(host, jobs, job):
    jobs.apply(host.messages.Sending("k", 1_000_000, 9_000_000, 1_000))
    jobs.apply(host.messages.Waits("k", "http://x cannot be reached."))
    text = said(host, jobs)[0]
    assert text == "reconnecting to the server, it goes on by itself: sending, 1.0 of 9.0 MB"
    jobs.apply(host.messages.Waits("k", ""))
    assert said(host, jobs)[0] == "sending, 1.0 of 9.0 MB"


def test_a_download_can_be_cancelled_while_it_waits_for_the_network(host, jobs, job):
    submitted(host, jobs, state="succeeded", result={"files": [{"path": "a"}], "error": None})
    job.is_fetching = True
    assert not job.may_cancel
    jobs.apply(host.messages.Waits(job.id, "http://x cannot be reached."))
    assert job.may_cancel
    job.cancelling = True
    jobs.apply(host.messages.FetchFailed(job.id, host.problems.Problem("Stopped.", is_stop=True)))
    assert said(host, jobs)[0] == "The download was stopped."
    assert job.problem.remedies == (host.problems.Remedy.RETRY,)
    assert not job.cancelling


def test_small_scenes_are_told_in_kilobytes(host, jobs, job):
    jobs.apply(host.messages.Sending("k", 100_000, 400_000, 1_000))
    assert said(host, jobs)[0] == "sending, 100 of 400 kB"


def test_the_queue_shows_the_place_and_the_servers_reason(host, jobs, job):
    submitted(host, jobs, queue_position=3)
    assert said(host, jobs) == ("waiting for a worker, place 3 in the queue", 0.25)
    event(host, jobs, kind="state", state="queued", message="waiting for a worker that offers mesh.lods")
    assert said(host, jobs) == ("waiting for a worker that offers mesh.lods", 0.25)


def test_progress_shows_the_workers_words_and_its_time_left(host, jobs, job):
    submitted(host, jobs)
    event(host, jobs, message="Body: LOD 2 of 3", fraction=0.5, eta_seconds=62)
    found = host.words.line(job, jobs.connectivity, NOW)
    assert (found.text, found.fraction, found.time_left) == ("Body: LOD 2 of 3", 0.575, "1 min left")
    assert host.words.line(job, jobs.connectivity, NOW + 40).time_left == "20 s left"


def test_a_stalled_worker_is_said_without_a_time(host, jobs, job):
    submitted(host, jobs)
    event(host, jobs, message="Baking", fraction=0.5, health="stalled", eta_seconds=10)
    found = host.words.line(job, jobs.connectivity, NOW)
    assert found.text == "Baking (no word from the worker for a while; it may still be well)"
    assert found.time_left == ""


def test_a_lost_worker_and_the_attempt_after_it_are_said_in_plain_words(host, jobs, job):
    submitted(host, jobs, max_attempts=3)
    event(host, jobs, message="Baking", fraction=0.5, attempt=1)
    assert said(host, jobs) == ("Baking", 0.575)
    event(host, jobs, kind="state", state="queued", attempt=1, health="worker_lost")
    assert said(host, jobs) == ("worker lost, attempt 2 of 3: another worker takes over", 0.575)
    event(host, jobs, kind="state", state="starting", message="Starting", attempt=2)
    assert said(host, jobs) == ("Starting (attempt 2 of 3)", 0.25)
    event(host, jobs, message="Baking", fraction=0.1, attempt=2)
    assert said(host, jobs) == ("Baking (attempt 2 of 3)", 0.315)


def test_a_broken_connection_is_said_and_keeps_the_bar(host, jobs, job):
    submitted(host, jobs)
    event(host, jobs, message="Baking", fraction=0.5)
    jobs.apply(host.messages.Connectivity("reconnecting", "why"))
    assert said(host, jobs) == ("reconnecting to the server, the job goes on: Baking", 0.575)
    jobs.apply(host.messages.Connectivity("refused", "Your sign-in has expired. Sign in again."))
    assert said(host, jobs) == ("Your sign-in has expired. Sign in again. (the job goes on: Baking)", 0.575)
    jobs.apply(host.messages.Connectivity("online"))
    assert said(host, jobs) == ("Baking", 0.575)


def test_cancelling_is_said_while_sending_and_while_running(host, jobs, job):
    job.cancelling = True
    assert said(host, jobs)[0] == "stopping"
    submitted(host, jobs)
    assert said(host, jobs)[0] == "cancelling"


def test_a_failure_is_its_sentence(host, jobs, job):
    submitted(host, jobs)
    event(host, jobs, kind="state", state="failed", result={"error": {"kind": "task", "detail": "The disk is full."}})
    assert said(host, jobs) == ("The disk is full.", None)


def test_the_result_is_fetched_then_waits_then_is_imported(host, jobs, job, tmp_path):
    submitted(host, jobs)
    event(host, jobs, kind="state", state="succeeded", result={"files": [{"path": "lods.blend"}], "warnings": ["note"]})
    assert said(host, jobs) == ("done, the result is on its way", 0.9)
    job.is_fetching = True
    jobs.apply(host.messages.Fetching("j1", 3_000_000, 12_000_000), NOW)
    assert said(host, jobs) == ("bringing the result, 3.0 of 12.0 MB", 0.925)
    jobs.apply(host.messages.Fetched("j1", (host.messages.FetchedFile(tmp_path / "lods.blend", "result", "x"),)))
    assert said(host, jobs) == ("the result is here", None)
    assert job.bar.value == 1.0
    job.imported = "6 levels of detail"
    assert said(host, jobs) == ("6 levels of detail", None)
    assert job.warnings == ("note",)


def test_a_job_that_ended_with_a_warning_says_it(host, jobs, job):
    submitted(host, jobs, state="succeeded", result={"warnings": ["The scene has no mesh objects."]})
    assert said(host, jobs) == ("done. The scene has no mesh objects.", None)
