"""What can be done with a job, from the buttons' side."""

from __future__ import annotations

import bpy
import pytest
from test_pump import pump_until


@pytest.fixture
def job(addon, signed_in):
    """A job of this server that has failed."""
    made = addon.host.jobs.Job(key="k", id="old", task="mesh.lods", title="car", server_url=signed_in.url)
    made.state = addon.sendoff.JobState.FAILED
    made.has_result = True
    made.problem = addon.host.problems.problem_of_job("Why.", "task", misses_files=False)
    addon.desk.jobs.add(made)
    signed_in.finish("old", "notes.txt", b"x")
    return made


def test_retry_runs_the_same_upload_again_as_a_new_job(addon, signed_in, job):
    assert bpy.ops.sendoff.retry(job="k") == {"FINISHED"}
    again = addon.desk.jobs.jobs[-1]
    assert again is not job
    assert job.is_seen
    pump_until(addon, lambda: again.id)
    assert signed_in.submitted == [], "nothing was sent"
    assert (again.title, again.task, again.sends) == ("car", "mesh.lods", False)


def test_retry_of_a_result_that_could_not_be_fetched_fetches_it(addon, signed_in, job, tmp_path):
    job.state, job.has_files = addon.sendoff.JobState.SUCCEEDED, True
    job.problem = addon.host.problems.Problem("Broken off.", (addon.host.problems.Remedy.RETRY,))
    assert bpy.ops.sendoff.retry(job="k") == {"FINISHED"}
    pump_until(addon, lambda: job.files)
    assert len(addon.desk.jobs.jobs) == 1


def test_seen_takes_it_off_the_status_bar_and_keeps_it_in_the_list(addon, job):
    addon.desk.jobs.server_url = job.server_url
    assert addon.host.status.model(addon.desk.jobs).front.key == "k"
    assert bpy.ops.sendoff.seen(job="k") == {"FINISHED"}
    assert addon.host.status.model(addon.desk.jobs).front is None
    assert addon.desk.jobs.jobs == [job]


def test_the_log_is_fetched_and_told(addon, signed_in, job, capfd):
    signed_in.files["/v1/jobs/old/log"] = b"worker's words\n"
    assert bpy.ops.sendoff.open_log(job="k") == {"FINISHED"}
    pump_until(addon, lambda: addon.desk.log_path(job).is_file())
    addon.pump.pump()
    assert "worker's words" in capfd.readouterr().out


def test_a_log_that_cannot_be_had_is_a_sentence(addon, signed_in, job, capfd):
    signed_in.jobs.clear()
    bpy.ops.sendoff.open_log(job="k")
    seen = []
    pump_until(addon, lambda: seen.append(capfd.readouterr().out) or "no such job" in "".join(seen))


def test_a_job_of_another_server_says_which(addon, signed_in, job):
    job.server_url = "http://127.0.0.1:1"
    for name in ("retry", "open_log", "open_page"):
        with pytest.raises(RuntimeError, match=r"belongs to http://127\.0\.0\.1:1"):
            getattr(bpy.ops.sendoff, name)(job="k")
    assert bpy.ops.sendoff.dismiss(job="k") == {"FINISHED"}


def test_a_job_that_has_ended_cannot_be_cancelled_and_one_that_goes_on_not_dismissed(addon, signed_in, job):
    with pytest.raises(RuntimeError, match="No job is under way"):
        bpy.ops.sendoff.cancel(job="k")
    job.problem, job.state = None, addon.sendoff.JobState.RUNNING
    addon.desk.jobs.server_url = job.server_url
    with pytest.raises(RuntimeError, match=r"No job has ended|cancel it first"):
        bpy.ops.sendoff.dismiss(job="k")
    assert bpy.ops.sendoff.cancel(job="k") == {"FINISHED"}
    with pytest.raises(RuntimeError, match=r"No job is under way|being cancelled"):
        bpy.ops.sendoff.cancel(job="k")


def test_an_unknown_job_is_a_sentence(addon, signed_in, job):
    with pytest.raises(RuntimeError, match="No job has ended"):
        bpy.ops.sendoff.retry(job="never")


def test_a_folder_that_was_removed_is_said(addon, signed_in, job, tmp_path):
    job.files = (addon.host.messages.FetchedFile(tmp_path / "gone" / "a.txt", "result", "text/plain"),)
    with pytest.raises(RuntimeError, match="is gone"):
        bpy.ops.sendoff.open_folder(job="k")


def test_retry_after_a_failed_second_import_fetches_the_files_again(addon, signed_in, job, tmp_path):
    job.state, job.has_files = addon.sendoff.JobState.SUCCEEDED, True
    job.imported = "6 levels of detail"
    job.files = (addon.host.messages.FetchedFile(tmp_path / "gone.blend", "result", "x"),)
    job.problem = addon.host.problems.Problem("The files are gone.", (addon.host.problems.Remedy.RETRY,))
    assert bpy.ops.sendoff.retry(job="k") == {"FINISHED"}
    pump_until(addon, lambda: job.files and job.files[0].path.is_file())


def test_a_result_that_was_undone_can_be_imported_again(addon, job, tmp_path):
    job.state, job.problem, job.imported = addon.sendoff.JobState.SUCCEEDED, None, "6 levels of detail"
    job.files = (addon.host.messages.FetchedFile(tmp_path / "lods.blend", "result", "x"),)
    of = addon.host.buttons.of
    assert of(job, addon.desk.jobs, is_here=addon.results.is_here(job)) == ("import", "seen")
    bpy.data.collections.new("Sendoff LODs")["sendoff_job"] = job.id
    assert of(job, addon.desk.jobs, is_here=addon.results.is_here(job)) == ("show", "seen")


def test_a_cancel_that_does_not_reach_the_server_is_told_and_the_workers_words_stay(addon, signed_in, job, capfd):
    job.problem, job.state, job.message = None, addon.sendoff.JobState.RUNNING, "Baking"
    job.cancelling = True
    addon.desk.jobs.apply(addon.host.messages.CancelFailed("old", "x"))
    assert (job.cancelling, job.message) == (False, "Baking")
    signed_in.jobs.clear()
    addon.desk.session().cancel("old")
    seen = []
    pump_until(addon, lambda: seen.append(capfd.readouterr().out) or "could not be cancelled: " in "".join(seen))


def test_a_job_whose_server_is_gone_for_good_can_be_taken_off_the_list(addon, signed_in, job):
    job.problem, job.state = None, addon.sendoff.JobState.RUNNING
    addon.desk.jobs.server_url = job.server_url
    addon.desk.jobs.connectivity = addon.host.messages.Connectivity("online")
    with pytest.raises(RuntimeError, match="No job has ended"):
        bpy.ops.sendoff.dismiss(job="k")
    addon.desk.jobs.connectivity = addon.host.messages.Connectivity("reconnecting", "why")
    assert bpy.ops.sendoff.dismiss(job="k") == {"FINISHED"}
    assert addon.desk.jobs.jobs == []
