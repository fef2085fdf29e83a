"""What a task is given of its scope, and what a script in a real Blender says through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance import blender_scripts
from tests.runtimes import blender
from tests.worker.conftest import Bench

from sendoff.scope import Scope
from sendoff.states import JobState
from sendoff_store import jobs
from sendoff_worker import Context
from sendoff_worker.blender import runtimes

Declare = Callable[..., Any]

SCOPE = Scope("the collection “Toys”", (("Twin", None), ("Ball", None)))


def written(scope: Scope, folder: Path) -> Path:
    return scope.write(folder).source


def test_a_task_is_given_the_scope_of_its_job(bench: Bench, declare: Declare, tmp_path: Path) -> None:
    got: list[Scope | None] = []

    @declare("test.scoped", scoped=True)
    def scoped(ctx: Context) -> None:
        got.append(ctx.scope)

    for path in (written(SCOPE, tmp_path), None):
        job = bench.job("test.scoped", scope=path)
        bench.runner.run(job)
        assert bench.record(job).state is JobState.SUCCEEDED
    assert got == [SCOPE, None]


@pytest.mark.parametrize("data", [b"", b"{}", b'{"version": 1, "title": "x", "objects": []}', b"\xff" * 100])
def test_a_scope_that_cannot_be_read_fails_the_job_and_nothing_is_run(
    bench: Bench, declare: Declare, tmp_path: Path, data: bytes
) -> None:
    runs: list[int] = []

    @declare("test.scoped", scoped=True)
    def scoped(ctx: Context) -> None:
        runs.append(1)

    path = tmp_path / "scope.json"
    path.write_bytes(data)
    job = bench.job("test.scoped", scope=path)
    bench.runner.run(job)
    record = bench.record(job)
    assert record.state is JobState.FAILED
    assert "list of the chosen objects cannot be read" in record.message
    assert runs == []


SCRIPT = """
def run(job):
    import bpy
    job.progress(0.25, "Body", stage="Reducing", done=1, total=4)
    job.progress(0.5, "Wheel")
    job.progress(0.75, "The file", stage="Writing" + "!" * 200)
    return {
        "title": job.scope.title if job.scope else None,
        "chosen": sorted(one.name for one in bpy.data.objects if job.in_scope(one)),
    }
"""


@pytest.mark.blender
def test_a_script_in_blender_knows_the_scope_and_its_stages_reach_the_events(
    bench: Bench, declare: Declare, tmp_path: Path
) -> None:
    runtime = runtimes.probe(str(blender()))
    assert runtime is not None
    bench.runner.blenders = [runtime]
    scene, script = tmp_path / "things.blend", tmp_path / "script.py"
    script.write_text(SCRIPT)
    blender_scripts.run(blender(), blender_scripts.MAKE_SCENE, scene)

    @declare("test.inside", accepts=("blend",), blender=True, scoped=True)
    def inside(ctx: Context, other: bool = False) -> None:
        if other:
            assert ctx.scene is not None
            ctx.blender(script, scene=ctx.scene.rename(ctx.temporary / "other.blend"))
        else:
            ctx.blender(script)

    scope = written(replace(SCOPE, objects=(*SCOPE.objects, ("Gone", None))), tmp_path)
    job = bench.job("test.inside", files={"things.blend": scene}, scope=scope)
    bench.runner.run(job)
    record = bench.record(job)
    assert record.state is JobState.SUCCEEDED, record.message + bench.log(job)
    assert record.result is not None
    assert record.result["summary"] == {"title": SCOPE.title, "chosen": ["Ball", "Twin"]}
    assert record.result["warnings"] == ["1 of the chosen objects is not in the scene that was sent: Gone."]
    caught = bench.store.run(jobs.catch_up(job, after=0, epoch=None))
    assert caught is not None
    stages = [event.stage for event in caught.events if event.fraction is not None]
    assert stages[0] in ("Reducing", "Writing" + "!" * 73)
    assert ("Writing" + "!" * 73, 0.75) in [(event.stage, event.fraction) for event in caught.events]

    other = bench.job("test.inside", {"other": True}, files={"things.blend": scene}, scope=scope)
    bench.runner.run(other)
    record = bench.record(other)
    assert record.result is not None
    assert record.result["summary"]["title"] is None, "the scope is of the artist's own scene"
