"""Each scene comes to a Blender that reads it, whichever worker has one; what none reads is said before it is sent."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.acceptance import blender_scripts
from tests.old_blends import as_old
from tests.runtimes import blender
from tests.stack import BIN, Stack, wait_for

from sendoff import Client, HostInfo, Job, Rejected, SceneFile, Submission

pytestmark = pytest.mark.blender

USDA = '#usda 1.0\ndef Mesh "Triangle" {\n    int[] faceVertexCounts = [3]\n    int[] faceVertexIndices = [0, 1, 2]\n' \
       "    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]\n}\n"  # fmt: skip
OF_A_NEWER = b"BLENDER17-01v0903" + b"ENDB" + bytes(28)


@contextmanager
def another_worker(stack: Stack, name: str, *series: str) -> Iterator[None]:
    """One more worker of the stack's server, with Blenders of its own."""
    settings = {
        "SENDOFF_BLENDERS": os.pathsep.join(str(blender(one)) for one in series),
        "SENDOFF_REDIS_URL": stack.redis_url,
        "SENDOFF_DATA_DIR": str(stack.data_dir),
        "SENDOFF_WORK_DIR": str(stack.folder / f"work-{name}"),
        "SENDOFF_CONCURRENCY": "1",
    }
    with (stack.folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [BIN / "sendoff-server", "worker", "--name", name], env=stack.environment | settings, stdout=log, stderr=log
        )
    try:
        with Client(stack.url, stack.token) as client:
            wait_for(
                lambda: name in [one["name"] for one in client.connection.json("GET", "/v1/workers")["workers"]],
                f"the start of the worker {name}",
                seconds=60,
            )
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A worker with Blender 4.5 and one with 5.0."""
    settings = {"SENDOFF_BLENDERS": str(blender("5.0")), "SENDOFF_CONCURRENCY": "1"}
    with Stack(tmp_path_factory.mktemp("two"), **settings) as stack, another_worker(stack, "older", "4.5"):
        yield stack


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("plain") / "scene.blend"
    program = blender_scripts.MAKE_EMPTY.replace(
        "bpy.ops.wm.save_as",
        "bpy.ops.mesh.primitive_cube_add(); bpy.ops.wm.save_as",
    )
    blender_scripts.run(blender("4.2"), program, path, "")
    return path.read_bytes()


def check(client: Client, path: Path, data: bytes) -> Job:
    path.write_bytes(data)
    return client.wait(client.submit(path, task="scene.check").id, 120)


def test_a_big_endian_scene_comes_to_the_worker_that_reads_it(two: Stack, tmp_path: Path) -> None:
    # An empty scene: what this makes of a mesh's arrays is no file that Blender ever wrote.
    empty = tmp_path / "empty.blend"
    blender_scripts.run(blender("4.2"), blender_scripts.MAKE_EMPTY, empty, "")
    with Client(two.url, two.token) as client:
        (tmp_path / "old.blend").write_bytes(as_old(empty.read_bytes(), big_endian=True))
        job = client.submit(tmp_path / "old.blend", task="scene.check").id
        for _ in client.watch(job):
            pass
        found = client.job(job)
    assert (found.fields["queue"], found.fields["worker"]) == ("blender-big-endian", "older")
    assert "cannot be opened" not in found.error


def test_compressed_scenes_are_read(two: Stack, plain: bytes, tmp_path: Path) -> None:
    with Client(two.url, two.token) as client:
        assert check(client, tmp_path / "old.blend", gzip.compress(plain)).state.value == "succeeded"


def test_what_any_blender_reads_keeps_no_worker_idle(two: Stack, tmp_path: Path) -> None:
    path = tmp_path / "a.usda"
    path.write_text(USDA)
    with Client(two.url, two.token) as client:
        jobs = [client.submit(path, task="scene.check").id for _ in range(8)]
        ended = [client.wait(job, 180) for job in jobs]
    assert {job.fields["queue"] for job in ended} == {"blender-usd"}
    assert len({job.fields["worker"] for job in ended}) == 2, "one worker did it all"


def test_a_scene_that_no_worker_can_open_is_refused_before_the_first_byte(two: Stack, tmp_path: Path) -> None:
    (tmp_path / "new.blend").write_bytes(OF_A_NEWER)
    (tmp_path / "large.bin").write_bytes(os.urandom(3_000_000))
    sent: list[int] = []
    with Client(two.url, two.token) as client, pytest.raises(Rejected, match=r"Blender 9\.3.*Blender 4\.5 and 5\.0"):
        client.submit(
            tmp_path / "new.blend", task="scene.check", externals=[tmp_path / "large.bin"],
            on_progress=lambda _done, _total, wire: sent.append(wire),
        )  # fmt: skip
    assert sent == []


def test_an_artist_whose_blender_cannot_read_the_result_is_told_before(tmp_path: Path) -> None:
    settings = {"SENDOFF_BLENDERS": str(blender("5.0")), "SENDOFF_CONCURRENCY": "1"}
    scene = tmp_path / "a.blend"
    blender_scripts.run(blender("4.2"), blender_scripts.MAKE_SCENE, scene)
    files = (SceneFile(scene, "a.blend", "scene"),)
    artist = HostInfo("blender", "4.2.3")
    with Stack(tmp_path / "new", **settings) as new, Client(new.url, new.token) as client:
        with pytest.raises(Rejected, match=r"Your Blender 4\.2 cannot read the \.blend that comes back"):
            client.submit(Submission(task="mesh.lods", files=files, host=artist))
        job = client.submit(Submission(task="mesh.lods", params={"formats": ["glb"]}, files=files, host=artist))
        assert client.wait(job.id, 120).state.value == "succeeded"
