"""A desk: its session, the tasks it knows, and what it keeps of jobs over a restart."""

from __future__ import annotations


def order(host, **params):
    return host.submitting.Order(task="mesh.lods", params=params)


def test_a_job_is_sent_and_its_copy_goes_once_the_server_has_it(host, desk, submitting, until, server):
    job = submitting.begin(order(host), title="car")
    submitting.save_and_send(job)
    (parcel,) = desk.parcels().values()
    until(lambda: bool(job.id))
    assert len(server.submitted) == 1
    assert desk.parcels() == {}
    until(lambda: desk.writing().flush(1) and not parcel.folder.exists())


def test_after_a_restart_the_job_is_found_and_what_did_not_arrive_is_sent(host, desk, submitting, until, server):
    server.token = "another"
    job = submitting.begin(order(host), title="car")
    submitting.save_and_send(job)
    until(lambda: job.problem is not None)
    job.problem = None
    desk.remember(job)
    desk.end()
    server.token = "good"
    desk.begin()
    (again,) = desk.jobs.jobs
    assert again.key == job.key
    until(lambda: bool(again.id))


def test_the_server_is_asked_once_for_its_tasks_and_they_are_known_at_the_next_start(host, desk, view, until, server):
    until(lambda: view.tasks != ())
    assert desk.find_task("mesh.lods").title == "LODs"
    assert not desk.wants_look()
    desk.writing().flush(5)
    again = host.desk.Desk(desk.host)
    assert again.refresh_tasks()
    assert again.find_task("mesh.lods").title == "LODs"


def test_another_server_ends_the_session_and_has_its_own_tasks(host, desk, until, silent_server):
    first = desk.session()
    desk.host.choice = host.server_choice.ServerChoice(url=silent_server, token="good")
    desk.server_changed()
    assert desk.session() is not first
    assert first.is_closed
    assert desk.find_task("mesh.lods") is None


def test_a_job_that_is_forgotten_leaves_nothing(host, desk, submitting, until):
    job = submitting.begin(order(host), title="car")
    submitting.save_and_send(job)
    until(lambda: bool(job.id))
    desk.forget(job)
    desk.writing().flush(5)
    assert desk.jobs.jobs == []
    assert not any(path.is_file() and job.key in path.name for path in desk.host.folder("jobs").iterdir())


def test_another_open_file_is_told_from_the_one_that_was_sent(host, desk, submitting):
    desk.host.path = "/scenes/car.ma"
    job = submitting.begin(order(host), title="car")
    desk.another_file_is_open()
    assert desk.came_from_open_file(job)
    desk.host.path = "/scenes/house.ma"
    assert not desk.came_from_open_file(job)


def test_a_long_title_makes_a_folder_that_every_system_can_store(host, desk, tmp_path, monkeypatch):
    monkeypatch.setattr(desk.host, "results_folder", lambda: tmp_path)
    job = host.jobs.Job(key="k", id="fe16580c", task="t", title="景" * 82, server_url="")
    folder = desk.results_folder(job)
    folder.mkdir()
    assert folder.name.endswith("-fe16580c")
    job.title = 'shot: "010"'
    assert desk.results_folder(job).name == "shot_ _010_-fe16580c"
    monkeypatch.setattr(host.desk.sys, "platform", "win32")
    job.title = "x" * 250
    assert len(str(desk.results_folder(job))) <= 259 - 80
