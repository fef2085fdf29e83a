from __future__ import annotations

import bpy


def begun(addon):
    return addon.submitting.begin(addon.submitting.Order(task="mesh.lods", params={}), bpy.context.scene.name)


def test_a_blender_that_ends_while_it_saves_says_so_at_the_next_start(addon, monkeypatch, server):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    job = begun(addon)

    def power_cut(**_):
        raise SystemExit

    monkeypatch.setattr(addon.scene_export, "export", power_cut)
    try:
        addon.submitting.save_and_send(job)
    except SystemExit:
        addon.current.end()
    addon.current.begin()
    (found,) = addon.current.jobs.jobs
    assert found.key == job.key
    assert "It was not sent" in found.problem.text
    assert not found.is_active


def test_a_copy_that_cannot_be_saved_is_told_the_same_way_at_the_next_start(addon, monkeypatch, server):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    job = begun(addon)

    def disk_full(**_):
        raise addon.scene_export.ExportFailed("No copy of the scene could be saved. Is the disk full?")

    monkeypatch.setattr(addon.scene_export, "export", disk_full)
    addon.submitting.save_and_send(job)
    addon.current.end()
    addon.current.begin()
    (found,) = addon.current.jobs.jobs
    assert found.problem.text == job.problem.text == "No copy of the scene could be saved. Is the disk full?"


def test_what_was_stopped_before_its_copy_was_saved_is_not_kept(addon, monkeypatch, server):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    job = begun(addon)
    job.cancelling = True
    addon.submitting.save_and_send(job)
    assert job.problem.is_stop
    addon.current.end()
    addon.current.begin()
    assert not addon.current.jobs.jobs


def test_a_mistake_of_ours_while_saving_is_said_and_the_job_has_ended(addon, monkeypatch, server, capsys):
    monkeypatch.setenv("SENDOFF_URL", server.url)
    job = begun(addon)

    def mistake(**_):
        raise KeyError("image")

    monkeypatch.setattr(addon.scene_export, "export", mistake)
    addon.submitting.save_and_send(job)
    assert "Please tell your TD" in job.problem.text
    assert not job.is_active
    assert "KeyError" in capsys.readouterr().err
