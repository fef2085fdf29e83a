"""What the status bar says, as a value."""

from __future__ import annotations

import pytest
from tests.told import NOW, event, submitted


@pytest.fixture
def jobs(host):
    return host.jobs.JobList()


@pytest.fixture
def job(host, jobs):
    return one_more(host, jobs, "k", "car")


def one_more(host, jobs, key, title, **fields):
    made = host.jobs.Job(
        key=key, task="mesh.lods", task_title="LODs", title=title, server_url="http://127.0.0.1:9", **fields
    )
    jobs.add(made)
    return made


def front(host, jobs):
    return host.status.model(jobs, NOW).front


def test_nothing_going_on_shows_nothing(host, jobs):
    assert host.status.model(jobs, NOW) == host.status.StatusBar()


def test_a_job_is_told_by_its_scene_and_its_task(host, jobs, job):
    entry = front(host, jobs)
    assert entry.text == "car · LODs: preparing to send"
    assert (entry.fraction, entry.bar_text, entry.buttons) == (0.0, "0 %", ("cancel",))


def test_a_shortened_sentence_shows_that_it_goes_on(host):
    assert host.status.shortened("word " * 10, 12) == "word word w…"
    assert host.status.shortened("word", 12) == "word"


def test_cancelling_cannot_be_clicked_again(host, jobs, job):
    submitted(host, jobs)
    assert front(host, jobs).greyed == ()
    job.cancelling = True
    assert front(host, jobs).buttons == ("cancel",), "nothing moves below the mouse"
    assert front(host, jobs).greyed == ("cancel",)


def test_several_jobs_are_told_apart_with_the_newest_in_front(host, jobs, job):
    for number in range(4):
        one_more(host, jobs, f"k{number}", f"house{number}")
    bar = host.status.model(jobs, NOW)
    assert bar.front.text.startswith("house3 · LODs:")
    assert [entry.bar_text for entry in bar.small] == ["house2 · LODs: 0 %", "house1 · LODs: 0 %"]
    assert bar.more == 2


def test_a_failure_stays_with_its_buttons_until_it_was_seen(host, jobs, job):
    submitted(host, jobs)
    event(host, jobs, kind="state", state="failed", result={"error": {"kind": "task", "detail": "The disk is full."}})
    entry = host.status.model(jobs, NOW + 86_400).front
    assert entry.text == "car · LODs: The disk is full."
    assert entry.buttons == ("open_log", "retry", "seen")
    assert entry.mood == "error"
    job.is_seen = True
    assert front(host, jobs) is None


def test_what_ended_does_not_hide_what_goes_on(host, jobs, job):
    submitted(host, jobs)
    event(host, jobs, kind="state", state="failed", result={"error": {"detail": "Why."}})
    one_more(host, jobs, "k2", "house")
    bar = host.status.model(jobs, NOW)
    assert bar.front.text.startswith("house")
    assert bar.small[0].text == "car · LODs: failed"
    assert bar.small[0].buttons == ("open_log", "seen")


def test_a_result_that_waits_has_its_button(host, jobs, job, tmp_path):
    submitted(host, jobs, state="succeeded", result={"files": [{"path": "a.blend"}]})
    jobs.apply(host.messages.Fetched("j1", (host.messages.FetchedFile(tmp_path / "a.blend", "result", "x"),)))
    assert front(host, jobs).buttons == ("import", "seen")
    job.imported = "6 objects"
    assert front(host, jobs).buttons == ("show", "seen")


def test_a_sign_in_that_is_refused_meanwhile_has_its_button(host, jobs, job):
    submitted(host, jobs)
    jobs.apply(host.messages.Connectivity("refused", "Sign in again."))
    assert front(host, jobs).buttons == ("sign_in", "cancel")
