"""What an artist can do with a job, and the sentence where it cannot be done."""

from __future__ import annotations

import pytest


@pytest.fixture
def job(host, desk, submitting, until):
    made = submitting.begin(host.submitting.Order(task="mesh.lods", params={}), title="car")
    submitting.save_and_send(made)
    until(lambda: bool(made.id))
    return made


def test_a_job_on_the_server_is_cancelled_once(host, desk, job, server, until):
    assert host.actions.why_not_cancel(desk, job) == ""
    host.actions.cancel(desk, job)
    until(lambda: server.cancelled == [job.id])
    assert "already" in host.actions.why_not_cancel(desk, job)


def test_a_download_that_waits_for_the_network_is_stopped_here_and_not_on_the_server(
    host, desk, job, server, monkeypatch
):
    stopped = []
    monkeypatch.setattr(desk.session(), "stop_fetch", stopped.append)
    job.state, job.is_fetching = host.jobs.JobState.SUCCEEDED, True
    assert "ended already" in host.actions.why_not_cancel(desk, job)
    job.waits_for = "http://x cannot be reached."
    assert host.actions.why_not_cancel(desk, job) == ""
    host.actions.cancel(desk, job)
    assert (stopped, server.cancelled) == ([job.id], [])


def test_a_job_that_goes_on_is_neither_retried_nor_dismissed(host, desk, job):
    desk.jobs.connectivity = host.messages.Connectivity("online")
    assert "cancel it first" in host.actions.why_not_retry(desk, job)
    assert "cannot be dismissed" in host.actions.why_not_dismiss(desk, job)


def test_a_failed_job_is_run_again_as_a_new_one_that_remembers_what_was_sent(host, desk, job):
    job.state = host.jobs.JobState.FAILED
    job.problem = host.problems.problem_of_job("Why.", "task", misses_files=False)
    assert host.actions.why_not_retry(desk, job) == ""
    host.actions.retry(desk, job)
    again = desk.jobs.jobs[-1]
    assert again is not job
    assert (again.sends, again.title, dict(again.fingerprints)) == (False, "car", {"Body": "1"})
    assert job.is_seen


def test_a_result_that_did_not_come_is_fetched_again(host, desk, job):
    job.state, job.problem = host.jobs.JobState.SUCCEEDED, host.problems.Problem("Broken off.")
    host.actions.retry(desk, job)
    assert job.wants_fetch
    assert desk.jobs.jobs == [job]


def test_a_copy_that_is_gone_cannot_be_sent_again(host, desk, submitting):
    job = submitting.begin(host.submitting.Order(task="mesh.lods", params={}), title="car")
    submitting.forget()
    submitting.save_and_send(job)
    host.actions.retry(desk, job)
    assert "The copy that was to be sent is gone" in job.problem.text


def test_a_job_of_another_server_says_which_one_to_set(host, desk, job):
    job.server_url = "http://elsewhere:1"
    assert host.actions.why_not_cancel(desk, job).startswith("This job belongs to http://elsewhere:1")
    assert "see its log" in host.actions.why_not_asked(desk, job, "see its log")


def test_what_the_test_of_the_connection_found_is_told_in_a_few_words(host, desk):
    from sendoff.check import HopResult

    assert host.actions.verdict(desk) == ""
    desk.jobs.is_checking = True
    assert host.actions.verdict(desk) == "Testing ..."
    desk.jobs.is_checking = False
    desk.jobs.hops[:] = [HopResult("server", ok=True, detail="")]
    assert host.actions.verdict(desk) == host.actions.ALL_WELL
    desk.jobs.hops.append(HopResult("worker", ok=False, detail="none"))
    assert host.actions.verdict(desk) == "Broken: worker"
