from __future__ import annotations

import bpy
import pytest


@pytest.fixture
def jobs(addon):
    return addon.jobs.JobList()


@pytest.fixture
def job(addon, jobs):
    made = addon.jobs.Job(key="k", task="mesh.lods", title="car", server_url="http://127.0.0.1:9")
    jobs.add(made)
    return made


def submitted(addon, jobs, **fields):
    jobs.apply(addon.messages.Submitted("k", addon.sendoff.Job.from_dict({"id": "j1", "state": "queued", **fields})))


def event(addon, jobs, kind="progress", state="running", **fields):
    jobs.apply(
        addon.messages.JobEvent(addon.sendoff.Event.from_dict({"job": "j1", "kind": kind, "state": state, **fields}))
    )


def bar(addon, jobs, now=None):
    found = addon.status_bar.model(jobs, now)
    return found.text, found.fraction


def test_nothing_going_on_shows_nothing(addon, jobs):
    assert bar(addon, jobs) == ("", None)


def test_the_first_sign_of_life_comes_before_the_first_byte(addon, jobs, job):
    assert bar(addon, jobs) == ("car: preparing to send", None)
    assert addon.status_bar.model(jobs).cancels == "k"


def test_sending_shows_megabytes_and_share(addon, jobs, job):
    jobs.apply(addon.messages.Sending("k", 12_300_000, 49_200_000, 1_000))
    assert bar(addon, jobs) == ("car: sending, 12.3 of 49.2 MB", 0.25)
    jobs.apply(addon.messages.Sending("k", 49_200_000, 49_200_000, 2_000))
    assert bar(addon, jobs) == ("car: sent, waiting for the server's word", 1.0)
    assert job.sent_bytes == 2_000


def test_small_scenes_are_told_in_kilobytes(addon, jobs, job):
    jobs.apply(addon.messages.Sending("k", 100_000, 400_000, 1_000))
    assert bar(addon, jobs) == ("car: sending, 100 of 400 kB", 0.25)


def test_the_queue_shows_the_place_and_the_servers_reason(addon, jobs, job):
    submitted(addon, jobs, queue_position=3)
    assert bar(addon, jobs) == ("car: waiting for a worker, place 3 in the queue", None)
    event(addon, jobs, kind="state", state="queued", message="waiting for a worker that offers mesh.lods")
    assert bar(addon, jobs) == ("car: waiting for a worker that offers mesh.lods", None)


def test_progress_shows_the_workers_words(addon, jobs, job):
    submitted(addon, jobs)
    event(addon, jobs, message="Body: LOD 2 of 3 (104,000 -> 52,000 faces)", fraction=0.41666)
    assert bar(addon, jobs) == ("car: Body: LOD 2 of 3 (104,000 -> 52,000 faces)", 0.417)


@pytest.mark.parametrize(
    ("health", "text"),
    [
        ("stalled", "car: Baking (no word from the worker for a while)"),
        ("worker_lost", "car: the worker was lost, another one takes over"),
    ],
)
def test_a_worker_in_trouble_is_said(addon, jobs, job, health, text):
    submitted(addon, jobs)
    event(addon, jobs, message="Baking", fraction=0.5, health=health)
    assert bar(addon, jobs) == (text, 0.5)


def test_a_broken_connection_is_said_and_keeps_the_bar(addon, jobs, job):
    submitted(addon, jobs)
    event(addon, jobs, message="Baking", fraction=0.5)
    jobs.apply(addon.messages.Connectivity("reconnecting", "why"))
    assert bar(addon, jobs) == ("car: Baking (reconnecting)", 0.5)
    jobs.apply(addon.messages.Connectivity("online"))
    assert bar(addon, jobs) == ("car: Baking", 0.5)


def test_cancelling_is_said_and_cannot_be_clicked_again(addon, jobs, job):
    submitted(addon, jobs)
    job.cancelling = True
    found = addon.status_bar.model(jobs)
    assert (found.text, found.cancels) == ("car: cancelling", "")


def test_a_failure_is_a_sentence_that_goes_after_a_while(addon, jobs, job):
    submitted(addon, jobs)
    event(addon, jobs, kind="state", state="failed", result={"error": {"kind": "x", "detail": "The disk is full."}})
    assert bar(addon, jobs) == ("car: The disk is full.", None)
    assert bar(addon, jobs, job.ended_at + addon.status_bar.SHOWN_SECONDS + 1) == ("", None)


def test_the_result_is_fetched_then_waits_then_is_imported(addon, jobs, job, tmp_path):
    submitted(addon, jobs)
    event(
        addon, jobs, kind="state", state="succeeded", result={"files": [{"path": "lods.blend"}], "warnings": ["note"]}
    )
    assert bar(addon, jobs) == ("car: done, the result is on its way", None)
    job.is_fetching = True
    jobs.apply(addon.messages.Fetching("j1", 3_000_000, 12_000_000))
    assert bar(addon, jobs) == ("car: bringing the result, 3.0 of 12.0 MB", 0.25)
    jobs.apply(addon.messages.Fetched("j1", (addon.messages.FetchedFile(tmp_path / "lods.blend", "result", "x"),)))
    assert bar(addon, jobs)[0].startswith("car: the result is here. Import it")
    job.imported = "6 objects imported"
    assert bar(addon, jobs) == ("car: 6 objects imported", None)
    assert job.warnings == ("note",)


def test_final_is_final(addon, jobs, job):
    submitted(addon, jobs)
    event(addon, jobs, kind="state", state="cancelled")
    event(addon, jobs, message="late", fraction=0.9)
    assert job.state.value == "cancelled"
    assert bar(addon, jobs) == ("car: Cancelled.", None)


def test_an_event_that_overtakes_the_answer_to_its_submit_is_kept(addon, jobs, job):
    event(addon, jobs, kind="state", state="failed", result={"error": {"detail": "Quick end."}})
    submitted(addon, jobs)
    assert bar(addon, jobs) == ("car: Quick end.", None)


def test_a_result_that_its_event_leaves_out_is_asked_for(addon, jobs, job):
    submitted(addon, jobs)
    event(addon, jobs, kind="state", state="succeeded", result={"error": None, "truncated": True})
    assert (job.wants_result, job.wants_fetch, job.is_active) == (True, False, True)
    job.is_asked_for = True
    assert (job.wants_result, job.is_active) == (False, True)
    submitted(addon, jobs, state="succeeded", result={"files": [{"path": "lods.blend"}]})
    assert (job.wants_result, job.wants_fetch, job.is_active) == (False, True, True)


def test_a_job_that_the_server_knows_nothing_more_of_is_over(addon, jobs, job):
    submitted(addon, jobs, state="succeeded")
    assert not job.is_active
    assert bar(addon, jobs) == ("car: done", None)


def test_several_jobs_are_counted(addon, jobs, job):
    jobs.add(addon.jobs.Job(key="k2", task="scene.check", title="house", server_url=""))
    assert bar(addon, jobs) == ("house: preparing to send (and 1 more)", None)


def test_a_job_of_a_server_that_is_not_set_now_is_not_waited_for(addon, jobs, job):
    jobs.server_url = "http://127.0.0.1:10"
    assert job.is_active
    assert bar(addon, jobs) == ("", None)
    jobs.server_url = job.server_url
    assert bar(addon, jobs)[0] == "car: preparing to send"


def test_it_is_drawn_anew_on_change_only_and_not_too_often(addon, monkeypatch):
    status_bar, clock = addon.status_bar, [1000.0]
    monkeypatch.setattr(status_bar.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(status_bar, "shown", status_bar.StatusBar())
    monkeypatch.setattr(status_bar, "_asked_at", 0.0)
    first, second = status_bar.StatusBar("a", 0.1), status_bar.StatusBar("a", 0.2)
    assert status_bar.show(first)
    clock[0] += 0.1
    assert not status_bar.show(second)
    clock[0] += 0.15
    assert status_bar.show(second)
    clock[0] += 5
    assert not status_bar.show(second)


def test_it_comes_back_where_another_add_on_threw_it_out(addon):
    header = bpy.types.STATUSBAR_HT_header
    header.remove(addon.status_bar.draw)
    assert addon.status_bar.draw not in header.draw._draw_funcs
    addon.status_bar.append()
    addon.status_bar.append()
    assert header.draw._draw_funcs.count(addon.status_bar.draw) == 1


def test_the_panel_offers_what_the_workers_do_with_a_blend(addon):
    task = {"name": "mesh.lods", "title": "LODs", "accepts": ["blend"]}
    system = {"name": "system.noop", "title": "Nothing", "accepts": []}
    jobs = addon.current.jobs
    jobs.apply(addon.messages.ServerFound("s", (task, system)))
    assert addon.panel.tasks() == [{"name": "mesh.lods", "title": "LODs"}]
    jobs.clear()
    assert [offered["name"] for offered in addon.panel.tasks()] == ["mesh.lods", "scene.check"]
