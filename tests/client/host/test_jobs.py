"""How messages change the list of jobs."""

from __future__ import annotations

import pytest
from tests.told import event, submitted


@pytest.fixture
def jobs(host):
    return host.jobs.JobList()


@pytest.fixture
def job(host, jobs):
    made = host.jobs.Job(key="k", task="mesh.lods", title="car", server_url="http://127.0.0.1:9")
    jobs.add(made)
    return made


def test_final_is_final(host, jobs, job):
    submitted(host, jobs)
    event(host, jobs, kind="state", state="cancelled")
    event(host, jobs, message="late", fraction=0.9)
    assert job.state.value == "cancelled"
    assert job.problem.is_stop


def test_an_event_that_overtakes_the_answer_to_its_submit_is_kept(host, jobs, job):
    event(host, jobs, kind="state", state="failed", result={"error": {"detail": "Quick end."}})
    submitted(host, jobs)
    assert job.problem.text == "Quick end."


def test_events_of_jobs_that_are_not_ours_do_not_pile_up(host, jobs, job):
    for number in range(2000):
        data = {"job": f"x{number}", "kind": "progress", "state": "running"}
        jobs.apply(host.messages.JobEvent(host.sendoff.Event.from_dict(data)))
    assert len(jobs._early) == 256


def test_a_result_that_its_event_leaves_out_is_asked_for(host, jobs, job):
    submitted(host, jobs)
    event(host, jobs, kind="state", state="succeeded", result={"error": None, "truncated": True})
    assert (job.wants_result, job.wants_fetch, job.is_active) == (True, False, True)
    job.is_asked_for = True
    assert (job.wants_result, job.is_active) == (False, True)
    submitted(host, jobs, state="succeeded", result={"files": [{"path": "lods.blend"}]})
    assert (job.wants_result, job.wants_fetch, job.is_active) == (False, True, True)


def test_a_job_that_the_server_knows_nothing_more_of_is_over(host, jobs, job):
    submitted(host, jobs, state="succeeded")
    assert not job.is_active


def test_a_stop_of_the_artists_is_no_error_and_can_be_tried_again(host, jobs, job):
    jobs.apply(host.messages.SubmitFailed("k", host.problems.Problem("Stopped.", is_stop=True)))
    assert job.problem.is_stop
    assert [remedy.value for remedy in job.problem.remedies] == ["retry"]
    assert job in jobs.unseen


def test_a_job_of_a_server_that_is_not_set_now_is_not_waited_for(host, jobs, job):
    jobs.server_url = "http://127.0.0.1:10"
    assert job.is_active
    assert jobs.active == []
    jobs.server_url = job.server_url
    assert jobs.active == [job]


def test_what_has_ended_is_unseen_until_it_was_seen(host, jobs, job):
    submitted(host, jobs)
    assert jobs.unseen == []
    event(host, jobs, kind="state", state="failed", result={"error": {"detail": "Why."}})
    assert jobs.unseen == [job]
    job.is_seen = True
    assert jobs.unseen == []


def test_hops_are_kept_in_their_order(host, jobs):
    check = host.sendoff.check
    jobs.is_checking = True
    for name in ("network", "TLS"):
        jobs.apply(host.messages.HopTried(check.HopResult(name, ok=True, detail="Well.")))
    jobs.apply(host.messages.CheckEnded())
    assert [hop.name for hop in jobs.hops] == ["network", "TLS"]
    assert not jobs.is_checking


def test_a_new_attempt_begins_without_the_old_ones_stage(host, jobs, job):
    submitted(host, jobs, max_attempts=3)
    event(host, jobs, stage="Writing", attempt=1)
    event(host, jobs, kind="state", state="starting", attempt=2)
    assert (job.stage, job.attempt, job.max_attempts) == ("", 2, 3)
