"""Jobs of one series of Blender are found in the next."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import bpy
import pytest

SERIES = f"{bpy.app.version[0]}.{bpy.app.version[1]}"


@pytest.fixture
def old(tmp_path, addon, monkeypatch):
    """Makes the folder that an earlier version kept in a series; this Blender's own series is among them."""

    def make(series):
        folder = tmp_path / "blender" / series / "extensions" / ".user" / "user_default" / "sendoff"
        for name in ("jobs", "instances"):
            (folder / name).mkdir(parents=True)
        return folder

    own = make(SERIES)
    monkeypatch.setattr(addon.earlier_jobs.bpy.utils, "resource_path", lambda _kind: str(tmp_path / "blender" / SERIES))
    monkeypatch.setattr(addon.earlier_jobs.bpy.utils, "extension_path_user", lambda *_, **__: str(own))
    return make, own


def write(addon, folder, key, keeper=""):
    job = addon.host.jobs.Job(key=key, id=f"id-{key}", task="mesh.lods", title=key, server_url="http://farm")
    addon.host.job_files.write(folder / "jobs" / f"{key}.json", addon.host.job_files.to_dict(job, keeper=keeper))
    (folder / "jobs" / f"{key}.sent.json").write_text(json.dumps({"fingerprints": {"Body": "1"}, "parcel": {}}))


def test_jobs_of_all_series_are_taken_up_once(addon, old):
    make, own = old
    older = make("4.1")
    write(addon, own, "mine")
    write(addon, older, "theirs")
    folder = addon.desk.host.folder("jobs")
    assert addon.earlier_jobs.take_up(folder) == 2
    assert addon.earlier_jobs.take_up(folder) == 0
    addon.desk.begin()
    assert sorted(job.key for job in addon.desk.jobs.jobs) == ["mine", "theirs"]
    assert dict(addon.desk.jobs.find("theirs").fingerprints) == {"Body": "1"}


def test_jobs_of_a_blender_that_still_runs_stay_with_it(addon, old):
    make, _ = old
    older = make("4.1")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from sendoff.host.instance import Instance\n"
        "one = Instance(Path(sys.argv[2])); print(one.name, flush=True); sys.stdin.readline()"
    )
    client = Path(__file__).resolve().parents[2] / "client"
    with subprocess.Popen(
        [sys.executable, "-c", script, client, older / "instances"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        write(addon, older, "kept", keeper=other.stdout.readline().strip())
        assert addon.earlier_jobs.take_up(addon.desk.host.folder("jobs")) == 0
        other.stdin.write("go\n")
        other.stdin.flush()
        other.wait(20)
    assert addon.earlier_jobs.take_up(addon.desk.host.folder("jobs")) == 1
    addon.desk.begin()


def test_the_folder_is_the_same_for_each_series_and_follows_sendoff_home(addon, monkeypatch, tmp_path):
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    assert addon.desk.host.folder("jobs") == tmp_path / "home" / "blender" / "jobs"
    assert SERIES not in str(addon.desk.host.folder("jobs"))


def test_nothing_to_take_up_is_no_error(addon, tmp_path, monkeypatch):
    monkeypatch.setattr(addon.earlier_jobs.bpy.utils, "extension_path_user", lambda *_, **__: str(tmp_path / "no"))
    monkeypatch.setattr(addon.earlier_jobs.bpy.utils, "resource_path", lambda _kind: str(tmp_path / "no" / SERIES))
    assert addon.earlier_jobs.take_up(tmp_path / "jobs") == 0


def test_a_folder_that_cannot_be_made_stops_nothing(addon, signed_in, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "file"))
    addon.desk.end()
    addon.desk.begin()
    job = addon.process.begin(addon.host.submitting.Order(task="mesh.lods", params={}), bpy.context.scene.name)
    addon.current.submitting.save_and_send(job)
    deadline = time.monotonic() + 30
    while not job.id:
        assert time.monotonic() < deadline, job.problem
        addon.pump.pump()
        time.sleep(0.01)
