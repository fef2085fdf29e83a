"""Files on a share that answers slowly, or never: nothing of Blender waits for it."""

from __future__ import annotations

import os
import threading
import time

import bpy
import pytest
from scenes import grid, save_png, textured_material

FRAMES, MANY_FRAMES = 200, 1_000


@pytest.fixture
def frames():
    """How many frames there are."""
    return FRAMES


@pytest.fixture
def share(tmp_path, monkeypatch, frames):
    """A folder with a sequence, whose every question is delayed by 3 ms; `calls` are the threads that asked."""
    folder = tmp_path / "share"
    first = save_png(folder / "plate.0001.png")
    for number in range(2, frames + 1):
        os.link(first, folder / f"plate.{number:04d}.png")
    calls: list[str] = []

    def delayed(plain):
        def asked(path=".", *arguments, **named):
            if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(str(folder)):
                calls.append(threading.current_thread().name)
                time.sleep(0.003)
            return plain(path, *arguments, **named)

        return asked

    for name in ("stat", "lstat", "access", "scandir", "listdir"):
        monkeypatch.setattr(os, name, delayed(getattr(os, name)))
    return folder, calls


@pytest.fixture
def shot(addon, share, tmp_path, frames):
    folder, _ = share
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"), check_existing=False)
    material = textured_material("Plate", str(folder / "plate.0001.png"), source="SEQUENCE")
    node = material.node_tree.nodes["Image Texture"]
    node.image_user.frame_duration = frames
    node.image_user.use_auto_refresh = True
    grid("Body", material=material)


def pump_until(addon, condition, limit_seconds=60):
    deadline, slowest = time.monotonic() + limit_seconds, 0.0
    while not condition():
        assert time.monotonic() < deadline, addon.host.status.model(addon.desk.jobs)
        begun = time.monotonic()
        addon.pump.pump()
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.01)
    return slowest


def begin(addon):
    order = addon.host.submitting.Order(task="mesh.lods", params={})
    return addon.process.begin(order, bpy.context.scene.name)


@pytest.mark.parametrize("frames", [MANY_FRAMES])
def test_the_main_thread_asks_a_slow_share_nothing_and_says_what_goes_on(addon, signed_in, shot, share, frames):
    _, calls = share
    job = begin(addon)
    begun = time.perf_counter()
    addon.current.submitting.save_and_send(job)
    assert time.perf_counter() - begun < 0.1
    pump_until(addon, lambda: addon.host.words.line(job, addon.desk.jobs.connectivity, 0.0).text.startswith("looking"))
    assert addon.host.words.line(job, addon.desk.jobs.connectivity, 0.0).text == "looking for the files the scene uses"
    pump_until(addon, lambda: not job.is_finding_files)
    assert len(calls) >= frames
    assert bpy.ops.sendoff.cancel(job=job.key) == {"FINISHED"}
    pump_until(addon, lambda: job.problem is not None, limit_seconds=10)
    assert threading.main_thread().name not in calls
    assert job.missing_files == ()


def test_cancel_works_while_the_files_are_looked_for(addon, signed_in, shot):
    job = begin(addon)
    addon.current.submitting.save_and_send(job)
    pump_until(addon, lambda: job.is_finding_files)
    assert bpy.ops.sendoff.cancel(job=job.key) == {"FINISHED"}
    pump_until(addon, lambda: job.problem is not None, limit_seconds=5)
    assert job.problem.is_stop
    assert signed_in.submitted == []
    assert bpy.ops.sendoff.retry(job=job.key) == {"FINISHED"}
    pump_until(addon, lambda: job.id)


@pytest.fixture
def dead_share(tmp_path, monkeypatch):
    """A folder of which no question is ever answered."""
    folder, answers = tmp_path / "dead", threading.Event()
    asked = threading.Event()

    def silent(plain):
        def ask(path=".", *arguments, **named):
            if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(str(folder)):
                assert threading.current_thread() is not threading.main_thread()
                asked.set()
                answers.wait(60)
            return plain(path, *arguments, **named)

        return ask

    for name in ("stat", "lstat", "access", "scandir", "listdir", "open"):
        monkeypatch.setattr(os, name, silent(getattr(os, name)))
    yield folder, asked
    answers.set()


def test_a_dead_share_holds_neither_the_cancel_nor_the_end_of_blender(addon, signed_in, dead_share, tmp_path):
    folder, asked = dead_share
    material = textured_material("Plate", str(save_png(tmp_path / "plate.png")))
    material.node_tree.nodes["Image Texture"].image.filepath = str(folder / "plate.png")
    job = begin(addon)
    addon.current.submitting.save_and_send(job)
    pump_until(addon, asked.is_set)
    assert bpy.ops.sendoff.cancel(job=job.key) == {"FINISHED"}
    assert pump_until(addon, lambda: job.problem is not None, limit_seconds=5) < 1.0
    assert job.problem.is_stop
    bpy.ops.sendoff.retry(job=job.key)
    pump_until(addon, lambda: job.is_finding_files)
    begun = time.monotonic()
    addon.desk.end()
    assert time.monotonic() - begun < 4.0


def test_a_restart_while_the_files_are_looked_for_looks_again(addon, signed_in, shot):
    job = begin(addon)
    addon.current.submitting.save_and_send(job)
    pump_until(addon, lambda: job.is_finding_files)
    addon.desk.end()
    addon.current.submitting.forget()
    assert signed_in.submitted == []
    addon.desk.begin()
    again = addon.desk.jobs.find(job.key)
    pump_until(addon, lambda: again.id)
    assert len(signed_in.submitted[0]["manifest"]["files"]) == FRAMES + 2


def test_a_missing_file_becomes_a_note_of_the_job(addon, signed_in, tmp_path):
    material = textured_material("Paint", str(save_png(tmp_path / "paint.png")))
    material.node_tree.nodes["Image Texture"].image.filepath = str(tmp_path / "gone.png")
    job = begin(addon)
    addon.current.submitting.save_and_send(job)
    pump_until(addon, lambda: job.id)
    named = f"{tmp_path / 'gone.png'} (image “Paint”)"
    assert job.missing_files == (named,)
    assert job.notes == (f"1 external file is missing and not sent: {named}",)
    assert signed_in.submitted[0]["missing_files"] == [named]
    addon.desk.end()
    addon.desk.begin()
    assert addon.desk.jobs.find(job.key).notes == job.notes


def test_a_missing_file_whose_name_is_not_utf_8_is_named_and_sends_nothing_wrong(addon, signed_in, tmp_path):
    material = textured_material("Paint", str(save_png(tmp_path / "paint.png")))
    path = os.fsdecode(os.fsencode(tmp_path) + b"/weg\xe9.png")
    material.node_tree.nodes["Image Texture"].image.filepath = path
    job = begin(addon)
    addon.current.submitting.save_and_send(job)
    pump_until(addon, lambda: job.id)
    assert "weg\ufffd.png" in job.notes[0]
    assert any(thread.name == "sendoff-write" for thread in threading.enumerate())
