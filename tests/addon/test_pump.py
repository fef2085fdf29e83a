from __future__ import annotations

import queue
import time

import bpy
from scenes import grid


def events(addon, count):
    made = queue.Queue()
    for seq in range(count):
        data = {"job": "j1", "kind": "progress", "state": "running", "seq": seq, "fraction": seq / count}
        made.put(addon.messages.JobEvent(addon.sendoff.Event.from_dict(data)))
    return made


def test_it_stops_at_its_deadline_and_goes_on_the_next_time(addon):
    messages = events(addon, 100)
    assert addon.pump.drain(messages, time.perf_counter()) == 1
    assert addon.pump.drain(messages, time.perf_counter() + 60) == 99
    assert addon.pump.drain(messages, time.perf_counter() + 60) == 0


def test_a_flood_takes_no_more_than_the_budget(addon, server, monkeypatch):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    session = addon.current.session()
    addon.current.jobs.add(addon.jobs.Job(key="j1", id="j1", task="t", title="car", server_url="elsewhere"))
    session.messages = events(addon, 200_000)
    took = []
    for _ in range(10):
        begun = time.perf_counter()
        assert addon.pump.pump() == addon.pump.ACTIVE_SECONDS
        took.append(time.perf_counter() - begun)
    assert sorted(took)[5] < 0.02  # the budget is 5 ms; the rest is for a busy machine
    assert session.messages.qsize() > 0


def test_with_nothing_to_do_it_wants_no_further_call(addon):
    assert addon.pump.pump() is None


def test_an_error_does_not_end_the_timer(addon, monkeypatch, capsys):
    def broken():
        raise ValueError("planted")

    monkeypatch.setattr(addon.pump, "pump", broken)
    assert addon.pump.tick() == addon.pump.IDLE_SECONDS
    assert "planted" in capsys.readouterr().err


def pump_until(addon, condition, limit_seconds=20):
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline, addon.status_bar.model(addon.current.jobs)
        addon.pump.pump()
        time.sleep(0.01)


def test_from_the_click_to_the_queue_and_back_after_a_restart(addon, server, monkeypatch, tmp_path):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    monkeypatch.setenv("SENDOFF_TOKEN", "good")
    grid("Body")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "car.blend"), check_existing=False)
    assert bpy.ops.sendoff.process(task="mesh.lods", params='{"levels": 2}') == {"FINISHED"}
    job = addon.current.jobs.jobs[-1]
    pump_until(addon, lambda: job.id)
    sent = server.submitted[0]
    assert (sent["task"], sent["params"], sent["title"]) == ("mesh.lods", {"levels": 2}, "car")
    assert [file["role"] for file in sent["manifest"]["files"]] == ["scene"]

    server.finish(job.id, "report.txt", b"all well", role="report")
    addon.current.end()  # Blender is closed ...
    addon.current.begin()  # ... and started again
    again = addon.current.jobs.find(job.id)
    assert again is not None
    assert again is not job
    pump_until(addon, lambda: again.imported)
    assert again.files[0].path.read_bytes() == b"all well"
    assert again.warnings == ("one note",)
    assert bpy.ops.sendoff.dismiss(job=again.key) == {"FINISHED"}
    assert not again.files[0].path.exists()
    addon.current.begin()
    assert addon.current.jobs.jobs == []


def test_cancel_asks_the_server(addon, server, monkeypatch):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    monkeypatch.setenv("SENDOFF_TOKEN", "good")
    bpy.ops.sendoff.process()
    job = addon.current.jobs.jobs[-1]
    pump_until(addon, lambda: job.id)
    assert bpy.ops.sendoff.cancel() == {"FINISHED"}
    assert addon.status_bar.model(addon.current.jobs).text.startswith("untitled: cancelling")
    pump_until(addon, lambda: server.cancelled == [job.id])
    addon.current.forget(job)


def test_damaged_and_old_memories_are_cleared_away(addon, tmp_path):
    (tmp_path / "a.json").write_text("{")
    old = addon.jobs.Job(key="b", id="b", task="t", title="x", server_url="", created_at=1.0)
    old.state = addon.sendoff.JobState.RUNNING
    addon.job_files.save(old, tmp_path)
    assert addon.job_files.load_all(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
