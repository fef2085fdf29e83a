from __future__ import annotations

import threading

import pytest

import sendoff


@pytest.fixture
def parcel(host, tmp_path):
    """A parcel of something that is no .blend, and whose folder can be taken away."""
    (tmp_path / "copy").mkdir()
    scene = tmp_path / "copy" / "scene.blend"
    scene.write_bytes(b"no .blend")
    file = sendoff.SceneFile(source=scene, path="scene.blend", role="scene")
    submission = sendoff.Submission(task="mesh.lods", files=(file,), title="scene")
    return host.outbox.Parcel(submission, tmp_path / "copy", needs_files=True)


def test_a_parcel_that_has_all_its_files_is_sent_as_it_is(host, parcel):
    ready = host.outbox.Parcel(parcel.submission, parcel.folder)
    assert host.used_files.complete(ready, threading.Event()) == (parcel.submission, ())


def test_a_scene_that_cannot_be_read_is_a_sentence(host, parcel):
    with pytest.raises(sendoff.SendoffError, match=r"is not a \.blend file"):
        host.used_files.complete(parcel, threading.Event())
    parcel.submission.files[0].source.unlink()
    with pytest.raises(sendoff.InputError, match="cannot be listed"):
        host.used_files.complete(parcel, threading.Event())


def test_a_submission_without_a_scene_is_a_sentence(host, parcel):
    empty = sendoff.Submission(task="mesh.lods")
    with pytest.raises(sendoff.InputError, match="has no scene"):
        host.used_files.complete(host.outbox.Parcel(empty, parcel.folder, needs_files=True), threading.Event())
