from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sendoff_inside.job import JobFailed


def test_progress_is_coalesced_and_the_last_one_arrives(make_job: Any, recorder: Any) -> None:
    job = make_job()
    for step in range(50_000):
        job.progress(step / 50_000, f"step {step}", stage="work")
    job.progress(1.0, "end", stage="work")
    sent = recorder.of("progress")
    assert len(sent) < 100
    assert sent[-1] == {
        "kind": "progress",
        "fraction": 1.0,
        "message": "end",
        "stage": "work",
        "done": None,
        "total": None,
    }


def test_a_new_stage_is_sent_at_once(make_job: Any, recorder: Any) -> None:
    job = make_job()
    for stage in "abc":
        job.progress(None, "x", stage=stage)
    assert [message["stage"] for message in recorder.of("progress")] == ["a", "b", "c"]


def test_without_a_stage_the_one_before_goes_on(make_job: Any, recorder: Any) -> None:
    job = make_job()
    job.progress(0.1, "x")
    job.progress(0.2, "x", stage="a")
    job.progress(0.3, "x")
    job.flush()
    assert [message["stage"] for message in recorder.of("progress")] == [None, "a", "a"]


def test_a_warning_stands_after_the_progress_before_it(make_job: Any, recorder: Any) -> None:
    job = make_job()
    job.progress(0.1, "first", stage="a")
    job.progress(0.2, "second", stage="a")
    job.warn("careful")
    assert [message["kind"] for message in recorder.sent] == ["progress", "progress", "warning"]


@pytest.mark.parametrize(("given", "sent"), [(2.0, 1.0), (-1.0, 0.0), (float("nan"), None), (None, None)])
def test_fractions_stay_between_0_and_1(make_job: Any, recorder: Any, given: float | None, sent: float | None) -> None:
    make_job().progress(given, "x", stage="a")
    assert recorder.of("progress")[0]["fraction"] == sent


def test_a_file_is_handed_in_by_its_absolute_path(make_job: Any, recorder: Any) -> None:
    job = make_job()
    (job.folder / "a.txt").write_text("a")
    job.add_file("a.txt", role="report", media_type="text/plain")
    path = str((job.folder / "a.txt").resolve())
    assert recorder.of("file") == [{"kind": "file", "path": path, "role": "report", "media_type": "text/plain"}]


def test_files_that_are_missing_or_elsewhere_are_refused(make_job: Any, tmp_path: Path) -> None:
    job = make_job()
    (tmp_path / "other.txt").write_text("a")
    with pytest.raises(FileNotFoundError, match=r"none\.txt does not exist"):
        job.add_file("none.txt")
    with pytest.raises(ValueError, match="does not lie in the job's folder"):
        job.add_file("../other.txt")


def test_fail_ends_the_job_with_its_sentence(make_job: Any) -> None:
    with pytest.raises(JobFailed, match="Ask your TD"):
        make_job().fail("Ask your TD.")
