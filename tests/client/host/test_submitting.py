"""From the click to the copy, in a host application of any kind."""

from __future__ import annotations

import pytest


@pytest.fixture
def job(host, submitting):
    return submitting.begin(host.submitting.Order(task="mesh.lods", params={}), title="car")


def test_a_click_makes_the_job_and_nothing_else(desk, submitting, job):
    assert desk.jobs.jobs == [job]
    assert submitting.due() is job
    assert desk.parcels() == {}


def test_the_copy_tells_what_was_sent(desk, submitting, job):
    submitting.save_and_send(job)
    assert (job.scene_bytes, dict(job.fingerprints), job.notes) == (1000, {"Body": "1"}, ("a note",))
    assert submitting.due() is None
    assert list(desk.parcels()) == [job.key]


def test_a_copy_that_fails_is_the_jobs_problem(host, submitting, job):
    def full(_order):
        raise host.submitting.ExportFailed("No copy could be saved. Is the disk full?")

    submitting.export = full
    submitting.save_and_send(job)
    assert job.problem.text == "No copy could be saved. Is the disk full?"
    assert not job.problem.is_stop


def test_a_stop_while_it_is_saved_is_no_error(host, submitting, job):
    def stopped(_order):
        raise host.submitting.ExportStopped("It was stopped before anything was sent.")

    submitting.export = stopped
    submitting.save_and_send(job)
    assert job.problem.is_stop


def test_a_mistake_of_ours_is_told_as_one(submitting, job, capsys):
    submitting.export = lambda _order: {}["image"]
    submitting.save_and_send(job)
    assert "Please tell your TD" in job.problem.text
    assert "KeyError" in capsys.readouterr().err


def test_what_was_stopped_or_whose_file_is_gone_is_not_saved(host, desk, submitting, job):
    submitting.export = None  # nobody calls it
    job.cancelling = True
    submitting.save_and_send(job)
    assert job.problem.is_stop
    other = submitting.begin(host.submitting.Order(task="mesh.lods", params={}), title="car")
    desk.another_file_is_open()
    submitting.save_and_send(other)
    assert "Another file was opened" in other.problem.text
