from __future__ import annotations

import queue
import shutil
import time
from types import SimpleNamespace
from unittest.mock import MagicMock

import bpy
import pytest
from scenes import grid


def drain(addon, messages, deadline):
    return addon.host.pump.drain(addon.desk, addon.pump.Shown(), messages, deadline)


def events(addon, count):
    made = queue.SimpleQueue()
    for seq in range(count):
        data = {"job": "j1", "kind": "progress", "state": "running", "seq": seq, "fraction": seq / count}
        made.put(addon.host.messages.JobEvent(addon.sendoff.Event.from_dict(data)))
    return made


def test_it_stops_at_its_deadline_and_goes_on_the_next_time(addon):
    messages = events(addon, 100)
    assert drain(addon, messages, time.perf_counter()) == 1
    assert drain(addon, messages, time.perf_counter() + 60) == 99
    assert drain(addon, messages, time.perf_counter() + 60) == 0


def test_a_flood_takes_no_more_than_the_budget(addon, server, monkeypatch):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    session = addon.desk.session()
    addon.desk.jobs.add(addon.host.jobs.Job(key="j1", id="j1", task="t", title="car", server_url="elsewhere"))
    session.messages = events(addon, 200_000)
    took = []
    for _ in range(10):
        begun = time.perf_counter()
        assert addon.pump.pump() == addon.host.pump.SOON_SECONDS
        took.append(time.perf_counter() - begun)
    assert sorted(took)[5] < 0.02  # the budget is 1.5 ms; the rest is for a busy machine
    assert session.messages.qsize() > 0


def test_progress_alone_writes_nothing_and_a_change_of_state_does(addon, monkeypatch):
    saved = []
    monkeypatch.setattr(
        addon.host.job_writer.JobWriter, "save", lambda _writer, job, **_: saved.append(job.state.value)
    )
    addon.desk.jobs.add(addon.host.jobs.Job(key="k", id="j1", task="t", title="car", server_url="elsewhere"))
    drain(addon, events(addon, 100), time.perf_counter() + 60)
    assert saved == ["running"]


def test_what_the_server_offers_is_read_by_a_thread_only(addon, monkeypatch):
    read = []
    plain = addon.host.known_tasks.of_offers
    offers = ({"name": "a", "accepts": ["blend"], "params": {}},)
    addon.desk.jobs.server = addon.host.messages.ServerFound(name="s", tasks=plain(offers, ("blend",)), offers=offers)
    monkeypatch.setattr(addon.host.known_tasks, "of_offers", lambda *given: read.append(1) or plain(*given))
    assert addon.desk.refresh_tasks()
    assert not addon.desk.refresh_tasks()
    assert read == [], "a thread has read them"
    assert [task.name for task in addon.desk.tasks] == ["a"]
    addon.desk.server_changed()
    addon.desk.refresh_tasks()


def test_with_nothing_to_do_it_wants_no_further_call(addon):
    assert addon.pump.pump() is None


def test_a_redraw_that_came_too_early_is_made_later_though_nothing_goes_on(addon, monkeypatch):
    """The last two hops of a connection test within a quarter of a second left “Testing ...” on the screen."""
    status_bar, redrawn = addon.status_bar, []
    monkeypatch.setattr(status_bar, "redraw", lambda: redrawn.append(1))
    monkeypatch.setattr(status_bar, "_asked_at", 0.0)
    status_bar.ask_for_redraw()
    assert addon.pump.pump() is None
    monkeypatch.setattr(status_bar, "REDRAW_SECONDS", 3600.0)
    status_bar.ask_for_redraw()
    assert addon.pump.pump() == addon.host.pump.ACTIVE_SECONDS
    assert redrawn == [1]
    monkeypatch.setattr(status_bar, "REDRAW_SECONDS", 0.0)
    assert addon.pump.pump() is None
    assert redrawn == [1, 1]


def test_what_a_thread_tells_as_its_last_word_is_not_left_lying(addon, monkeypatch):
    class Ending:
        """A session whose last thread tells something and ends while the pump looks whether there is one."""

        messages = queue.SimpleQueue()

        @property
        def is_busy(self):
            self.messages.put(addon.host.messages.ServerFound(name="s"))
            return False

        def close(self):
            """Nothing runs."""

    session = Ending()
    monkeypatch.setattr(addon.desk, "running_session", session)
    assert addon.pump.work() == addon.host.pump.SOON_SECONDS


def test_while_the_server_is_asked_it_wants_to_be_called_again(addon, silent_server, monkeypatch):
    monkeypatch.setenv("SENDOFF_URL", silent_server)
    assert addon.pump.pump() == addon.host.pump.ACTIVE_SECONDS


def test_an_error_does_not_end_the_timer(addon, monkeypatch, capsys):
    def broken():
        raise ValueError("planted")

    monkeypatch.setattr(addon.pump, "pump", broken)
    assert addon.pump.tick() == addon.pump.IDLE_SECONDS
    assert "planted" in capsys.readouterr().err


def pump_until(addon, condition, limit_seconds=20):
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline, addon.host.status.model(addon.desk.jobs)
        addon.pump.pump()
        time.sleep(0.01)


@pytest.fixture
def click(addon):
    """What the button's `invoke` does; without a window Blender calls `execute`, which is for scripts."""

    def click(**params):
        order = addon.host.submitting.Order(task="mesh.lods", params=params or {"levels": 2})
        addon.process.begin(order, bpy.context.scene.name)
        addon.process.answer()

    return click


def test_the_click_is_seen_before_the_copy_is_saved(addon, signed_in, click):
    click()
    job = addon.desk.jobs.jobs[-1]
    assert job.is_saving
    assert addon.status_bar.shown.front.text == "untitled · mesh.lods: saving a copy to send"
    pump_until(addon, lambda: job.id)
    assert not job.is_saving


def test_in_a_window_the_copy_is_saved_once_its_job_was_drawn(addon, signed_in, click, monkeypatch):
    app = SimpleNamespace(background=False, timers=bpy.app.timers)
    monkeypatch.setattr(addon.pump, "bpy", SimpleNamespace(app=app, context=bpy.context, ops=bpy.ops))
    click()
    job = addon.desk.jobs.jobs[-1]
    monkeypatch.setattr(addon.pump, "DRAWN_WITHIN_SECONDS", 60.0)
    job.created_at = time.time()
    assert addon.pump.pump() == 0.0
    assert job.is_saving
    addon.status_bar.draw(SimpleNamespace(layout=MagicMock()), bpy.context)
    addon.pump.pump()
    assert not job.is_saving


def test_where_no_status_bar_is_drawn_the_copy_is_saved_all_the_same(addon, signed_in, click, monkeypatch):
    app = SimpleNamespace(background=False, timers=bpy.app.timers)
    monkeypatch.setattr(addon.pump, "bpy", SimpleNamespace(app=app, context=bpy.context, ops=bpy.ops))
    click()
    job = addon.desk.jobs.jobs[-1]
    job.created_at = time.time() - addon.pump.DRAWN_WITHIN_SECONDS
    addon.pump.pump()
    assert not job.is_saving


def test_from_the_click_to_the_queue_and_back_after_a_restart(addon, signed_in, tmp_path, click):
    grid("Body")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "car.blend"), check_existing=False)
    click()
    job = addon.desk.jobs.jobs[-1]
    pump_until(addon, lambda: job.id)
    sent = signed_in.submitted[0]
    assert (sent["task"], sent["params"], sent["title"]) == ("mesh.lods", {"levels": 2}, "car")
    assert [file["role"] for file in sent["manifest"]["files"]] == ["scene"]

    signed_in.finish(job.id, "notes.txt", b"all well", role="report")
    restart(addon)
    again = addon.desk.jobs.find(job.id)
    assert again is not None
    assert again is not job
    pump_until(addon, lambda: again.imported)
    assert again.files[0].path.read_bytes() == b"all well"
    assert again.warnings == ("one note",)
    assert bpy.ops.sendoff.dismiss(job=again.key) == {"FINISHED"}
    pump_until(addon, lambda: not again.files[0].path.exists())
    addon.desk.begin()
    assert addon.desk.jobs.jobs == []


def restart(addon):
    """Blender is closed and started again; the file that was open is not open any more."""
    addon.desk.end()
    addon.current.submitting.forget()
    addon.desk.begin()


def test_a_restart_in_the_middle_of_sending_goes_on_and_makes_one_job(
    addon, signed_in, silent_server, monkeypatch, click
):
    monkeypatch.setenv("SENDOFF_URL", silent_server)
    grid("Body")
    click()
    addon.pump.pump()
    job = addon.desk.jobs.jobs[-1]
    folder = addon.desk.parcels()[job.key].folder
    assert not job.id
    restart(addon)
    again = addon.desk.jobs.find(job.key)
    assert again.is_sending
    assert folder.is_dir()
    again.server_url = signed_in.url  # the server is well again
    monkeypatch.setenv("SENDOFF_URL", signed_in.url)
    addon.preferences.forget_choice()
    pump_until(addon, lambda: again.id)
    assert len(signed_in.submitted) == 1
    assert addon.desk.parcels() == {}
    pump_until(addon, lambda: not folder.exists())


def test_a_copy_that_is_gone_after_a_restart_is_said(addon, silent_server, monkeypatch, click):
    monkeypatch.setenv("SENDOFF_URL", silent_server)
    monkeypatch.setenv("SENDOFF_TOKEN", "good")
    click()
    addon.pump.pump()
    job = addon.desk.jobs.jobs[-1]
    shutil.rmtree(addon.desk.parcels()[job.key].folder)
    restart(addon)
    assert "the copy is gone" in addon.desk.jobs.find(job.key).problem.text


def test_another_file_that_is_opened_right_after_the_click_is_not_sent(addon, signed_in, click):
    click()
    job = addon.desk.jobs.jobs[-1]
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    addon.pump.pump()
    assert "Another file was opened" in job.problem.text
    assert signed_in.submitted == []


def test_a_send_that_broke_off_is_tried_again_with_the_same_copy(addon, signed_in, monkeypatch, click):
    monkeypatch.setenv("SENDOFF_URL", "http://127.0.0.1:9")
    click()
    job = addon.desk.jobs.jobs[-1]
    pump_until(addon, lambda: job.problem)
    assert "cannot be reached" in job.problem.text
    assert addon.host.status.model(addon.desk.jobs).front.buttons == ("retry", "seen")
    job.server_url = signed_in.url
    monkeypatch.setenv("SENDOFF_URL", signed_in.url)
    addon.preferences.forget_choice()
    grid("LaterThanTheClick")
    assert bpy.ops.sendoff.retry(job=job.key) == {"FINISHED"}
    pump_until(addon, lambda: job.id)
    assert len(signed_in.submitted) == 1


def test_cancel_asks_the_server(addon, signed_in, click):
    click()
    job = addon.desk.jobs.jobs[-1]
    pump_until(addon, lambda: job.id)
    assert bpy.ops.sendoff.cancel() == {"FINISHED"}
    assert "cancelling" in addon.host.status.model(addon.desk.jobs).front.text
    pump_until(addon, lambda: signed_in.cancelled == [job.id])


def test_cancel_before_the_copy_is_saved_sends_nothing(addon, signed_in, click):
    click()
    job = addon.desk.jobs.jobs[-1]
    assert bpy.ops.sendoff.cancel(job=job.key) == {"FINISHED"}
    addon.pump.pump()
    assert job.problem.is_stop
    assert signed_in.submitted == []


def test_the_servers_tasks_become_the_form(addon, signed_in):
    schema = {"type": "object", "properties": {"levels": {"type": "integer", "default": 3}}}
    signed_in.tasks = [{"name": "mesh.lods", "title": "LODs", "accepts": ["blend"], "params": schema}]
    pump_until(addon, lambda: addon.desk.tasks)
    task = addon.scene_settings.chosen_task(bpy.context.scene)
    assert (task.name, bpy.context.scene.sendoff.task) == ("mesh.lods", "mesh.lods")
    addon.form.values_of(bpy.context.scene, task).levels = 5
    assert bpy.ops.sendoff.process(wait=False) == {"FINISHED"}
    pump_until(addon, lambda: signed_in.submitted)
    assert signed_in.submitted[0]["params"] == {"levels": 5}


def test_with_import_on_click_the_result_waits(addon, signed_in, click):
    own = bpy.context.preferences.addons[addon.package].preferences
    own.import_results = "CLICK"
    try:
        click()
        job = addon.desk.jobs.jobs[-1]
        pump_until(addon, lambda: job.id)
        signed_in.finish(job.id, "notes.txt", b"all well", role="report")
        addon.desk.session().ask(job.id)
        pump_until(addon, lambda: job.files)
        addon.pump.pump()
        assert not job.imported
        assert addon.host.status.model(addon.desk.jobs).front.buttons == ("import", "seen")
        assert bpy.ops.sendoff.import_result(job=job.key) == {"FINISHED"}
        assert job.imported
    finally:
        own.import_results = "AUTO"


@pytest.mark.parametrize(("names", "is_there"), [((), False), (("Body_LOD1",), True)])
def test_a_result_that_brings_nothing_into_the_file_is_no_undo_step(addon, monkeypatch, names, is_there):
    job = addon.host.jobs.Job(key="k", id="j1", task="scene.check", title="car", server_url="elsewhere")
    imported = addon.results.Imported(text="nothing to mend was found", object_names=names)
    monkeypatch.setattr(addon.results, "import_result", lambda *_: imported)
    monkeypatch.setattr(addon.desk, "remember", lambda *_: None)
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Made by the artist", None))
    bpy.ops.ed.undo_push(message="made")
    addon.pump.import_as_one_step(job, bpy.context)
    bpy.ops.ed.undo()
    assert ("Made by the artist" in bpy.data.objects) is is_there
