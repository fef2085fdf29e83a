"""From a file to its result, over the real server, the real Celery worker and the real Blender."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tests.acceptance import blender_scripts
from tests.runtimes import blender, blenders
from tests.stack import Stack, wait_for

from sendoff import Client, Connectivity, Event, JobFailed, Rejected, Scope
from sendoff.submission import scene_submission
from sendoff_store.connections import connect
from sendoff_worker.blender import sandbox

pytestmark = pytest.mark.blender


@pytest.fixture(scope="session")
def scene(scenes: Path) -> Path:
    path = scenes / "things.blend"
    blender_scripts.run(blender(), blender_scripts.MAKE_SCENE, path)
    return path


def test_lods_come_back_as_the_task_promises(client: Client, scene: Path, tmp_path: Path) -> None:
    job = client.submit(scene, task="mesh.lods", params={"levels": 2, "ratio": 0.5})
    items = list(client.watch(job.id))
    events = [item for item in items if isinstance(item, Event)]
    assert any("Ball: LOD 1 of 2" in event.message for event in events), [event.message for event in events]
    fractions = [event.fraction for event in events if event.fraction is not None]
    assert fractions == sorted(fractions), "progress goes back"
    assert next(item for item in items if isinstance(item, Connectivity)).state == "online"
    done = client.wait(job.id, 30)
    assert done.summary["objects"]
    (path,) = client.fetch(job.id, tmp_path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == done.files[0].sha256
    found = blender_scripts.run(blender(), blender_scripts.MEASURE, path)
    ball = 2 * 64 * 32 * 4 - 2 * 64 * 2  # a UV sphere's triangles, subdivided once
    original = next(item for item in done.summary["objects"] if item["object"] == "Ball")["triangles"][0]
    assert original == pytest.approx(ball, rel=0.05)
    for level in (1, 2):
        lod = found[f"Ball_LOD{level}"]
        assert lod["triangles"] == pytest.approx(original * 0.5**level, rel=0.03)
        assert lod["materials"] == ["Paint"]
        assert lod["uvs"] == ["UVMap"]
        assert lod["location"] == [1, 2, 3]
        assert (lod["source"], lod["level"]) == ("Ball", level)
        assert found[f"Ring_LOD{level}"]["mesh"] == found[f"Twin_LOD{level}"]["mesh"], "a shared mesh was made twice"
    assert not any(name.startswith("Nothing_LOD") for name in found)


def test_a_scoped_job_makes_levels_of_the_chosen_objects_only_and_again_when_retried(
    stack: Stack, client: Client, scene: Path, tmp_path: Path
) -> None:
    whole = scene_submission(scene, task="mesh.lods", params={"levels": 1})
    chosen = Scope("2 selected objects", (("Ring", None), ("Gone", None))).write(tmp_path)
    job = client.submit(replace(whole, files=(*whole.files, chosen)))
    events = [item for item in client.watch(job.id) if isinstance(item, Event)]
    stages = list(dict.fromkeys(event.stage for event in events))
    order = ["Preparing", "Levels of detail", "Opening", "Looking", "Reducing", "Writing", "Saving"]
    assert [stage for stage in order if stage in stages] == [stage for stage in stages if stage]
    assert set(stages) & {"Opening", "Looking", "Reducing", "Writing"}, "what the script in Blender says is lost"
    done = client.wait(job.id, 120)
    assert [made["object"] for made in done.summary["objects"]] == ["Ring"]
    assert done.warnings == ("1 of the chosen objects is not in the scene that was sent: Gone.",)
    (path,) = client.fetch(job.id, tmp_path / "result")
    assert list(blender_scripts.run(blender(), blender_scripts.MEASURE, path)) == ["Ring_LOD1"]

    again = client.wait(client.retry(job.id).id, 120)
    assert (again.summary, again.warnings) == (done.summary, done.warnings)

    ended = stack.run("submit", scene, "--task", "mesh.lods", "--object", "Nobody", "--wait")
    assert ended.returncode == 6
    assert "None of the chosen objects (the object “Nobody”) is in the scene that was sent." in ended.stderr
    with pytest.raises(Rejected, match="takes no choice of objects") as refused:
        client.submit(replace(whole, task="system.noop", params={}, files=(*whole.files, chosen)))
    assert refused.value.field == "scope"


def test_glb_is_made_on_request(client: Client, scene: Path, tmp_path: Path) -> None:
    job = client.submit(scene, task="mesh.lods", params={"levels": 1, "formats": ["blend", "glb"]})
    client.wait(job.id, 120)
    names = {path.suffix: path for path in client.fetch(job.id, tmp_path)}
    assert set(names) == {".blend", ".glb"}
    assert names[".glb"].read_bytes()[:4] == b"glTF"


def test_a_check_reports_findings_as_json_and_text(client: Client, scene: Path, tmp_path: Path) -> None:
    job = client.submit(scene, task="scene.check", params={"face_budget": 1000})
    client.wait(job.id, 120)
    paths = {path.name: path for path in client.fetch(job.id, tmp_path)}
    report = json.loads(paths["report.json"].read_text())
    over = [item for item in report["findings"] if item["check"] == "over_budget"]
    assert "Ball" in {item["object"] for item in over}
    assert "Ball" in paths["report.txt"].read_text()


@pytest.mark.parametrize("form", ["plain", "compressed"])
def test_an_empty_scene_ends_well_and_says_so(client: Client, tmp_path: Path, form: str) -> None:
    path = tmp_path / "empty.blend"
    blender_scripts.run(blender(), blender_scripts.MAKE_EMPTY, path, form)
    done = client.wait(client.submit(path, task="mesh.lods").id, 120)
    assert any("no mesh" in text for text in done.warnings), done.warnings
    assert client.wait(client.submit(path, task="scene.check").id, 120).state.value == "succeeded"


def test_a_blend_that_is_damaged_inside_fails_with_a_sentence_and_a_log(
    client: Client, scene: Path, tmp_path: Path
) -> None:
    data = bytearray(scene.read_bytes())
    data[len(data) // 3 : -200] = b"\0" * (len(data) - len(data) // 3 - 200)
    path = tmp_path / "damaged.blend"
    path.write_bytes(bytes(data[:40]) + bytes(data[len(data) // 3 :]))
    connection = client.connection
    from sendoff import HostInfo, SceneFile
    from sendoff.transfer import upload

    manifest = upload(connection, [SceneFile(path, "damaged.blend", "scene")])
    body = {"task": "mesh.lods", "params": {}, "manifest": manifest.to_dict(), "host": HostInfo().to_dict()}
    job = connection.json("POST", "/v1/jobs", json=body)["id"]
    with pytest.raises(JobFailed) as failed:
        client.wait(job, 120)
    assert "Traceback" not in str(failed.value)
    assert str(failed.value).endswith(".")
    assert client.log(job)


def test_every_series_opens_its_own_files_and_a_newer_one_is_refused(
    stack: Stack, client: Client, tmp_path: Path
) -> None:
    for series, python in blenders().items():
        path = tmp_path / f"made-{series}.blend"
        blender_scripts.run(python, blender_scripts.MAKE_SCENE, path)
        done = client.wait(client.submit(path, task="mesh.lods", params={"levels": 1}).id, 180)
        assert done.fields["queue"] == f"blender-{series}"
    newer = tmp_path / "newer.blend"
    newer.write_bytes(b"BLENDER17-01v0999" + b"ENDB" + bytes(28))
    with pytest.raises(Rejected, match=r"9\.99"):
        client.submit(newer, task="mesh.lods")


def test_cancel_ends_blender_within_a_second(stack: Stack, client: Client, tmp_path: Path) -> None:
    path = tmp_path / "big.blend"
    blender_scripts.run(
        blender(),
        """
        import sys, bpy
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.ops.mesh.primitive_grid_add(x_subdivisions=1500, y_subdivisions=1500)
        bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1], compress=False)
        print("{}")
        """,
        path,
    )
    job = client.submit(path, task="mesh.lods", params={"levels": 8, "ratio": 0.9})
    wait_for(lambda: "LOD 1" in client.job(job.id).message, "the first level", seconds=120)
    children = psutil.Process(stack.pid).children(recursive=True)
    blenders_now = [child for child in children if any(part.endswith("inside/main.py") for part in child.cmdline())]
    at_work = max(blenders_now, key=lambda child: child.memory_info().rss)
    clicked = time.monotonic()
    client.cancel(job.id)
    at_work.wait(5)
    assert time.monotonic() - clicked < 1.0
    wait_for(lambda: client.job(job.id).state.value == "cancelled", "the cancel", seconds=5)


def test_the_worker_says_what_keeps_its_blenders(stack: Stack) -> None:
    inside = sandbox.find("auto", has_network=False)
    log = (stack.data_dir / "logs" / "worker.log").read_text()
    assert inside.description in log
    with connect(stack.redis_url) as redis:
        (name,) = redis.smembers("workers")
        assert json.loads(redis.get(f"worker:{name}"))["sandbox"] == inside.name
