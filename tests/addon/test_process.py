"""The operator for scripts: it waits for the result, on the same path as the click."""

from __future__ import annotations

import threading
import time

import bpy
import pytest
from scenes import grid


@pytest.fixture
def answer(signed_in):
    """Lets whatever job comes end after a moment, as a worker would; the session asks since there is no WebSocket."""
    stop = threading.Event()

    def run():
        while not stop.wait(0.05):
            for job_id, job in list(signed_in.jobs.items()):
                if job["state"] == "queued":
                    signed_in.finish(job_id, "notes.txt", b"all well", role="report")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(5)


@pytest.fixture
def asks(addon, monkeypatch):
    """Asks the server again and again, in the place of the event stream that the tiny server has not."""
    before = addon.pump.work

    def work():
        for job in addon.desk.jobs.active:
            if job.id and job.state is not None and not job.state.is_final:
                addon.desk.session().ask(job.id)
        return before()

    monkeypatch.setattr(addon.pump, "work", work)


def test_a_script_has_the_result_when_the_call_returns(addon, answer, asks):
    grid("Body")
    assert bpy.ops.sendoff.process(task="mesh.lods", params='{"levels": 2}') == {"FINISHED"}
    job = addon.desk.jobs.jobs[-1]
    assert job.imported
    assert job.files[0].path.read_bytes() == b"all well"


def test_a_script_that_does_not_wait_goes_on_at_once(addon, signed_in):
    assert bpy.ops.sendoff.process(task="mesh.lods", wait=False) == {"FINISHED"}
    assert addon.desk.jobs.jobs[-1].is_active


def test_a_wait_that_is_over_is_an_error_and_the_job_goes_on(addon, signed_in):
    begun = time.monotonic()
    with pytest.raises(RuntimeError, match=r"still .* when the wait ended; the job goes on"):
        bpy.ops.sendoff.process(task="mesh.lods", timeout_seconds=1.0)
    assert 0.9 < time.monotonic() - begun < 5
    assert addon.desk.jobs.jobs[-1].is_active


def test_a_server_that_is_away_is_an_error_in_one_sentence(addon, monkeypatch):
    monkeypatch.setenv("SENDOFF_URL", "http://127.0.0.1:9")
    with pytest.raises(RuntimeError, match=r"untitled · mesh.lods: .* cannot be reached"):
        bpy.ops.sendoff.process(task="mesh.lods")


def forget_tasks(addon):
    """As a Blender is that has just started: properties are made once a task is known."""
    addon.form.unregister_tasks()
    addon.desk.tasks, addon.desk._tasks_of = (), ""
    addon.desk.server_changed()


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_first_call_of_a_blender_sends_what_the_scene_has_set(addon, signed_in, is_kept):
    properties = {"levels": {"type": "integer", "minimum": 1, "maximum": 8, "default": 3}}
    signed_in.tasks[0]["params"] = {"type": "object", "properties": properties}
    addon.process.learn_task("mesh.lods")
    addon.form.values_of(bpy.context.scene, addon.desk.find_task("mesh.lods")).levels = 5
    if not is_kept:  # on disk, from an earlier run
        assert addon.desk.writing().flush(5)
        addon.host.known_tasks.write_offers(addon.desk.host.folder("server"), signed_in.url, [])
    forget_tasks(addon)
    assert bpy.ops.sendoff.process(task="mesh.lods", wait=False) == {"FINISHED"}
    (parcel,) = addon.desk.parcels().values()
    assert parcel.submission.params == {"levels": 5}


def test_a_call_with_params_does_not_wait_for_the_tasks(addon, silent_server, monkeypatch):
    monkeypatch.setenv("SENDOFF_URL", silent_server)
    forget_tasks(addon)
    begun = time.monotonic()
    assert bpy.ops.sendoff.process(task="mesh.lods", params="{}", wait=False) == {"FINISHED"}
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("params", ["[1]", "{levels: 3}", "3", "[" * 100_000])
def test_params_that_are_no_json_object_are_refused_with_an_example(addon, signed_in, params):
    with pytest.raises(RuntimeError, match="not a JSON object"):
        bpy.ops.sendoff.process(task="mesh.lods", params=params)
    assert not addon.desk.jobs.jobs


def test_the_scope_goes_along_as_a_file(addon, signed_in):
    for name in ("A", "B"):
        grid(name)
    for thing in bpy.data.objects:
        thing.select_set(thing.name == "A")
    assert bpy.ops.sendoff.process(task="mesh.lods", scope="SELECTED", wait=False) == {"FINISHED"}
    job = addon.desk.jobs.jobs[-1]
    assert job.scope_title == "“A”"
    (parcel,) = addon.desk.parcels().values()
    (file,) = [file for file in parcel.submission.files if file.role == "scope"]
    assert addon.sendoff.scope.Scope.from_json(file.source.read_bytes()).objects == (("A", None),)


def test_a_scope_with_nothing_in_it_is_refused_before_anything_is_saved(addon, signed_in):
    with pytest.raises(RuntimeError, match="Select the objects"):
        bpy.ops.sendoff.process(task="mesh.lods", scope="SELECTED")
    with pytest.raises(RuntimeError, match="no collection “None”"):
        bpy.ops.sendoff.process(task="mesh.lods", scope="COLLECTION", collection="None")
    assert not addon.desk.jobs.jobs


def test_a_second_call_does_not_remember_the_firsts_scope(addon, signed_in):
    grid("A")
    bpy.ops.sendoff.process(task="mesh.lods", scope="SELECTED", wait=False)
    bpy.ops.sendoff.process(task="mesh.lods", wait=False)
    assert [job.scope_title for job in addon.desk.jobs.jobs] == ["“A”", ""]


def test_a_chosen_task_that_is_not_offered_is_said_and_no_other_is_run(addon, signed_in):
    bpy.context.scene.sendoff.task_name = "studio.bake"
    with pytest.raises(RuntimeError, match=r"“studio\.bake” is not offered by this server now"):
        bpy.ops.sendoff.process(wait=False)
    assert addon.scene_settings.chosen_task(bpy.context.scene) is None
    assert bpy.context.scene.sendoff.task == "studio.bake", "the list shows what was chosen"
    assert not addon.desk.jobs.jobs


def test_where_nobody_has_chosen_the_first_task_is_taken(addon, signed_in):
    signed_in.tasks = [{"name": "studio.bake", "title": "Bake", "accepts": ["blend"]}]
    bpy.ops.sendoff.process(wait=False)
    assert addon.desk.jobs.jobs[-1].task == "studio.bake"


def test_ctrl_c_ends_the_wait_with_a_sentence_and_not_the_job(addon, signed_in, monkeypatch):
    def interrupted(_self, _timeout_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(addon.host.session.Session, "wait", interrupted)
    with pytest.raises(RuntimeError, match="the job goes on") as caught:
        bpy.ops.sendoff.process(task="mesh.lods", params="{}")
    assert "Traceback" not in str(caught.value)
    assert addon.desk.jobs.jobs[-1].is_active
