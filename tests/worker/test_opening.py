"""Which Blender opens a scene: the next one tries if the first cannot, then another worker, and then one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance import blender_scripts
from tests.old_blends import as_old
from tests.runtimes import blender
from tests.worker.conftest import Bench

from sendoff.states import JobState
from sendoff_store import offers
from sendoff_store.offers import TaskInfo, WorkerOffer
from sendoff_store.routing import queues_of
from sendoff_store.scene_needs import SceneNeeds
from sendoff_worker import Context
from sendoff_worker.blender import runtimes
from sendoff_worker.blender.runtimes import Runtime, candidates

Declare = Callable[..., Any]

SCRIPT = """
import bpy
def run(job):
    job.warn("opened")
    return {"series": "%d.%d" % bpy.app.version[:2], "objects": sorted(one.name for one in bpy.data.objects)}
"""


def fake(series: str, *lacks: str) -> Runtime:
    return Runtime(series=series, version=f"{series}.0", executable=Path("/none"), is_python=True, lacks=lacks)


ALL = [fake("4.2", "usd"), fake("4.5"), fake("5.0")]


@pytest.mark.parametrize(
    ("needs", "series"),
    [
        (SceneNeeds(kind="blend", series="4.5"), ["4.5", "5.0"]),
        (SceneNeeds(kind="blend", series="2.79"), ["4.2", "4.5", "5.0"]),
        (SceneNeeds(kind="blend", series="2.60", big_endian=True), ["4.2", "4.5"]),
        (SceneNeeds(kind="blend", series="4.2", read_by="4.2"), ["4.2", "4.5"]),
        (SceneNeeds(kind="blend", series="4.2", unable=("4.2",)), ["4.5", "5.0"]),
        (SceneNeeds(kind="usda"), ["5.0", "4.5"]),
        (SceneNeeds(kind="fbx"), ["5.0", "4.5", "4.2"]),
        (SceneNeeds(kind="blend", series="5.1"), []),
        (SceneNeeds(series="4.2"), ["4.2", "4.5", "5.0"]),
        (SceneNeeds(), ["5.0", "4.5", "4.2"]),
    ],
)
def test_a_scene_is_opened_by_the_blenders_that_read_it_the_best_first(needs: SceneNeeds, series: list[str]) -> None:
    assert [runtime.series for runtime in candidates(ALL, needs)] == series


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("scene") / "scene.blend"
    program = blender_scripts.MAKE_EMPTY.replace(
        "bpy.ops.wm.save_as",
        "bpy.context.scene.collection.objects.link(bpy.data.objects.new('Marker', None)); bpy.ops.wm.save_as",
    )
    blender_scripts.run(blender("4.2"), program, path, "")
    return path.read_bytes()


@pytest.fixture(scope="module")
def real() -> dict[str, Runtime]:
    found = {series: runtimes.probe(str(blender(series))) for series in ("4.5", "5.0")}
    return {series: runtime for series, runtime in found.items() if runtime is not None}


@pytest.fixture
def opening(bench: Bench, declare: Declare, tmp_path: Path) -> Callable[..., str]:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    @declare("test.opens", accepts=("blend",), blender=True)
    def opens(ctx: Context) -> None:
        ctx.blender(script)

    def job(data: bytes, needs: SceneNeeds) -> str:
        path = tmp_path / "a.blend"
        path.write_bytes(data)
        made = bench.job("test.opens", files={"a.blend": path}, needs=needs)
        bench.runner.run(made)
        return made

    return job


@pytest.fixture
def another_worker(bench: Bench) -> Iterator[Callable[..., None]]:
    client = bench.store.redis

    def announce(*series: str) -> None:
        queues = queues_of((one, ()) for one in series)
        tasks = [TaskInfo(name="test.opens", accepts=["blend"], blender=True)]
        offers.announce(client, WorkerOffer(worker="other", tasks=tasks, queues=queues, series=series, slots=1))

    yield announce
    offers.withdraw(client, "other")


@pytest.mark.blender
@pytest.mark.parametrize("form", [{}, {"big_endian": True}, {"pointer_bytes": 4}])
def test_files_of_other_machines_are_opened(
    bench: Bench, opening: Callable[..., str], real: dict[str, Runtime], scene: bytes, form: dict[str, Any]
) -> None:
    bench.runner.blenders = [real["4.5"], real["5.0"]]
    # As if nothing were known of the file: the newest tries first.
    record = bench.record(opening(as_old(scene, **form), SceneNeeds()))
    assert record.state is JobState.SUCCEEDED, record.message
    assert record.result is not None
    assert record.result["summary"]["objects"] == ["Marker"]
    assert record.result["summary"]["series"] == ("4.5" if "big_endian" in form else "5.0")
    assert record.result["warnings"] == ["opened"]


@pytest.mark.blender
def test_if_no_blender_opens_it_then_the_job_says_why(
    bench: Bench, opening: Callable[..., str], real: dict[str, Runtime], scene: bytes
) -> None:
    bench.runner.blenders = [real["5.0"]]
    record = bench.record(opening(as_old(scene, big_endian=True), SceneNeeds(kind="blend", series="4.2")))
    assert record.state is JobState.FAILED
    assert "big-endian" in record.message
    damaged = scene[:2000] + bytes(3000) + scene[5000:]
    bench.runner.blenders = [real["4.5"], real["5.0"]]
    job = opening(damaged, SceneNeeds(kind="blend", series="4.2"))
    record = bench.record(job)
    assert record.state is JobState.FAILED
    assert "a.blend" in record.message
    assert [series for series in ("4.5", "5.0") if f"Blender {series} cannot open the scene" in bench.log(job)] == [
        "4.5",
        "5.0",
    ]


@pytest.mark.blender
def test_if_another_worker_has_another_blender_then_the_job_is_handed_on(
    bench: Bench,
    opening: Callable[..., str],
    real: dict[str, Runtime],
    scene: bytes,
    another_worker: Callable[..., None],
) -> None:
    bench.runner.blenders = [real["5.0"]]
    another_worker("4.5", "5.0")
    job = opening(as_old(scene, big_endian=True), SceneNeeds(kind="blend", series="4.2"))
    record = bench.record(job)
    assert (record.state, record.queue, record.attempt) == (JobState.QUEUED, "blender-4.5", 0)
    assert tuple(record.needs.unable) == ("5.0",)
    assert record.message == "Waiting for another Blender: this one cannot open the scene"
    # A message that was sent twice comes to a worker that has tried: it hands the job on again.
    bench.runner.run(job)
    assert bench.record(job).state is JobState.QUEUED
    bench.runner.blenders = [real["4.5"]]
    bench.runner.run(job)
    assert bench.record(job).state is JobState.SUCCEEDED


def test_a_worker_without_a_blender_that_fits_says_what_is_there(bench: Bench, opening: Callable[..., str]) -> None:
    bench.runner.blenders = [fake("4.2"), fake("4.5")]
    record = bench.record(opening(b"x", SceneNeeds(kind="blend", series="5.1")))
    assert record.state is JobState.FAILED
    assert "saved by Blender 5.1" in record.message
    assert "Blender 4.2 and 4.5" in record.message


@pytest.mark.blender
def test_a_blender_that_crashes_while_it_opens_the_scene_gives_it_to_the_next(
    bench: Bench, opening: Callable[..., str], real: dict[str, Runtime], scene: bytes, tmp_path: Path
) -> None:
    crashing = tmp_path / "inside" / "python"
    crashing.parent.mkdir()
    crashing.write_text(
        f"#!{real['5.0'].executable}\n"
        "import json, os, signal, socket, sys\n"
        "line = socket.socket(fileno=int(sys.argv[sys.argv.index('--channel') + 1]))\n"
        'line.sendall(b\'{"kind": "ready"}\\n\')\nline.recv(65536)\n'
        'line.sendall(b\'{"kind": "progress", "stage": "Opening"}\\n\')\nos.kill(os.getpid(), signal.SIGSEGV)\n'
    )
    crashing.chmod(0o755)
    broken = replace(real["5.0"], executable=crashing, is_python=False)
    bench.runner.blenders = [broken, real["4.5"]]
    job = opening(scene, SceneNeeds())
    record = bench.record(job)
    assert record.state is JobState.SUCCEEDED, record.message
    assert "Blender crashed (SIGSEGV) while it opened the scene" in bench.log(job)
