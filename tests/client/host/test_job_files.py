from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest


@pytest.fixture
def job(host):
    made = host.jobs.Job(
        key="k", id="j1", task="mesh.lods", task_title="Levels of detail", title="car", server_url="http://127.0.0.1:9"
    )
    made.state = host.sendoff.JobState.RUNNING
    made.fingerprints = {"Body": "abc"}
    made.notes = ("one texture is missing",)
    made.bar.follow(host.progress.Way(sent=1.0, worked=0.5), 2)
    return made


def parcel(host, folder: Path):
    source = folder / "car.blend"
    source.write_bytes(b"BLENDER")
    submission = host.sendoff.Submission(
        task="mesh.lods",
        params={"levels": 2},
        files=(host.sendoff.SceneFile(source, "car.blend", "scene"),),
        title="car",
        host=host.sendoff.HostInfo("blender", "4.5.0"),
        missing_files=("a.png",),
    )
    return host.outbox.Parcel(submission, folder)


def save(host, job, folder, keeper=""):
    host.job_files.write(host.job_files.file_of(job, folder), host.job_files.to_dict(job, keeper=keeper))


def save_sent(host, job, folder, sent):
    host.job_files.write(host.job_files.sent_file_of(job, folder), host.job_files.sent_to_dict(job, sent))


def test_a_job_comes_back_as_it_was(host, job, tmp_path):
    (tmp_path / "copy").mkdir()
    job.problem = host.problems.Problem("Why.", (host.problems.Remedy.RETRY,))
    save(host, job, tmp_path)
    save_sent(host, job, tmp_path, parcel(host, tmp_path / "copy"))
    (again,) = host.job_files.load_all(tmp_path)
    for name in ("key", "id", "task_title", "state", "notes", "problem", "fingerprints", "created_at"):
        assert getattr(again, name) == getattr(job, name), name
    assert (again.bar.value, again.bar.attempt) == (job.bar.value, 2)


def test_what_was_not_sent_comes_back_with_its_key_so_that_it_makes_one_job(host, job, tmp_path):
    (tmp_path / "copy").mkdir()
    job.id, job.state = "", None
    sent = parcel(host, tmp_path / "copy")
    save(host, job, tmp_path)
    save_sent(host, job, tmp_path, sent)
    (again,) = host.job_files.load_all(tmp_path)
    assert host.job_files.load_parcel(again, tmp_path) == sent
    sent.submission.files[0].source.unlink()
    assert host.job_files.load_parcel(again, tmp_path) is None


def test_a_parcel_whose_files_are_still_to_be_found_comes_back_as_it_was(host, job, tmp_path):
    (tmp_path / "copy").mkdir()
    job.id, job.state = "", None
    plain = parcel(host, tmp_path / "copy")
    sent = host.outbox.Parcel(plain.submission, plain.folder, needs_files=True, artist_file=Path("/p/sc\udce8ne.blend"))
    save(host, job, tmp_path)
    save_sent(host, job, tmp_path, sent)
    assert host.job_files.load_parcel(job, tmp_path) == sent


def test_only_the_copy_itself_is_looked_for_by_the_main_thread(host, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    sent = parcel(host, folder)
    elsewhere = host.sendoff.SceneFile(tmp_path / "share" / "a.png", "external/00/a.png")
    files = (*sent.submission.files, elsewhere)
    sent = host.outbox.Parcel(dataclasses.replace(sent.submission, files=files), folder)
    assert sent.is_here, "a file on a share is the business of the thread that sends"
    sent.submission.files[0].source.unlink()
    assert not sent.is_here


def test_jobs_of_a_blender_that_still_runs_are_left_to_it(host, job, tmp_path):
    save(host, job, tmp_path, keeper="other")
    assert host.job_files.load_all(tmp_path, is_kept=lambda keeper: keeper == "other") == []
    assert [again.key for again in host.job_files.load_all(tmp_path, is_kept=lambda keeper: False)] == ["k"]


def test_what_ended_and_was_seen_is_cleared_away_and_what_was_not_seen_stays(host, job, tmp_path):
    job.state, job.problem = host.sendoff.JobState.FAILED, host.problems.Problem("Why.")
    save(host, job, tmp_path)
    assert len(host.job_files.load_all(tmp_path)) == 1
    job.is_seen = True
    save(host, job, tmp_path)
    assert host.job_files.load_all(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_result_whose_files_are_gone_is_fetched_again(host, job, tmp_path):
    job.state = host.sendoff.JobState.SUCCEEDED
    job.has_result = job.has_files = True
    job.files = (host.messages.FetchedFile(tmp_path / "gone.blend", "result", "x"),)
    save(host, job, tmp_path)
    (again,) = host.job_files.load_all(tmp_path)
    assert again.files == ()
    assert again.wants_fetch


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"key": 3}', '{"key": "a", "state": "odd"}', "[" * 100_000])
def test_damaged_memories_are_cleared_away(host, tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    (tmp_path / "b.sent.json").write_text(text)
    assert host.job_files.load_all(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_old_ones_are_cleared_away(host, job, tmp_path):
    job.created_at = 1.0
    save(host, job, tmp_path)
    assert host.job_files.load_all(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_no_token_is_written(host, job, tmp_path):
    save(host, job, tmp_path)
    assert "token" not in {name for name in json.loads((tmp_path / "k.json").read_text()) if name != "source_token"}
