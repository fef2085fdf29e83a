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
    assert record.state is JobState.SUCCEEDED, record.message + bench.log(other)
    assert record.result is not None
    assert record.result["summary"]["title"] is None, "the scope is of the artist's own scene"


@pytest.mark.blender
@pytest.mark.parametrize(
    ("trick", "words"),
    [
        ("file.unlink(); file.symlink_to(secret)", "outside the job's folder"),
        ("file.unlink(); os.mkfifo(file)", "does not exist"),
        ("file.parent.rename(job.folder / 'other'); file.parent.symlink_to(secret.parent)", "outside the job's folder"),
    ],
)
def test_a_result_that_is_exchanged_after_it_was_handed_in_is_not_taken(
    bench: Bench, declare: Declare, tmp_path: Path, trick: str, words: str
) -> None:
    runtime = runtimes.probe(str(blender()))
    assert runtime is not None
    bench.runner.blenders = [runtime]
    script, secret = tmp_path / "script.py", tmp_path / "result.txt"
    secret.write_text("the worker's own")
    script.write_text(
        f"import os\nfrom pathlib import Path\nsecret = Path({str(secret)!r})\ndef run(job):\n"
        "    file = job.folder / 'part' / 'result.txt'\n    file.parent.mkdir()\n    file.write_text('a result')\n"
        f"    job.add_file(file)\n    {trick}\n"
    )

    @declare("test.exchanged", blender=True)
    def exchanged(ctx: Context) -> None:
        ctx.blender(script)

    record = bench.run("test.exchanged")
    assert record.state is JobState.FAILED
    assert words in record.message


@pytest.mark.blender
def test_what_blender_says_is_bounded_and_is_json(bench: Bench, declare: Declare, tmp_path: Path) -> None:
    runtime = runtimes.probe(str(blender()))
    assert runtime is not None
    bench.runner.blenders = [runtime]
    script = tmp_path / "script.py"
    script.write_text(
        "def run(job):\n    line = job._channel._connection\n"
        "    line.sendall(b'{\"kind\": \"progress\", \"fraction\": NaN}\\n' + b'[' * 99999 + b'\\n')\n"
        "    for _ in range(3000):\n        job.warn('again')\n"
        "    return {'words': 'x' * job.params['length']}\n"
    )

    @declare("test.said", blender=True)
    def said(ctx: Context, length: int = 3) -> None:
        ctx.blender(script, params={"length": length})

    record = bench.run("test.said")
    assert record.state is JobState.SUCCEEDED, record.message
    assert record.result is not None
    assert len(record.result["warnings"]) == 1000
    record = bench.run("test.said", {"length": 2 * 1024**2})
    assert "summary is too long" in record.message
