from __future__ import annotations

import bpy


def begun(addon):
    return addon.process.begin(addon.host.submitting.Order(task="mesh.lods", params={}), bpy.context.scene.name)


def test_a_blender_that_ends_while_it_saves_says_so_at_the_next_start(addon, monkeypatch, server):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    job = begun(addon)

    def power_cut(_order):
        raise SystemExit

    monkeypatch.setattr(addon.current.submitting, "export", power_cut)
    try:
        addon.current.submitting.save_and_send(job)
    except SystemExit:
        addon.desk.end()
    addon.desk.begin()
    (found,) = addon.desk.jobs.jobs
    assert found.key == job.key
    assert "It was not sent" in found.problem.text
    assert not found.is_active


def test_a_copy_that_cannot_be_saved_is_told_the_same_way_at_the_next_start(addon, monkeypatch, server):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    job = begun(addon)

    def disk_full(_order):
        raise addon.scene_export.ExportFailed("No copy of the scene could be saved. Is the disk full?")

    monkeypatch.setattr(addon.current.submitting, "export", disk_full)
    addon.current.submitting.save_and_send(job)
    addon.desk.end()
    addon.desk.begin()
    (found,) = addon.desk.jobs.jobs
    assert found.problem.text == job.problem.text == "No copy of the scene could be saved. Is the disk full?"


def test_what_was_stopped_before_its_copy_was_saved_is_not_kept(addon, monkeypatch, server):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    job = begun(addon)
    job.cancelling = True
    addon.current.submitting.save_and_send(job)
    assert job.problem.is_stop
    addon.desk.end()
    addon.desk.begin()
    assert not addon.desk.jobs.jobs


def test_a_mistake_of_ours_while_saving_is_said_and_the_job_has_ended(addon, monkeypatch, server, capsys):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    job = begun(addon)

    def mistake(_order):
        raise KeyError("image")

    monkeypatch.setattr(addon.current.submitting, "export", mistake)
    addon.current.submitting.save_and_send(job)
    assert "Please tell your TD" in job.problem.text
    assert not job.is_active
    assert "KeyError" in capsys.readouterr().err
