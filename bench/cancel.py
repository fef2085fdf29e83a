"""Cancel: from the click until the job's Blender is gone.

A LOD job on a heavy mesh is cancelled while Blender computes; the process and the job's final state are awaited. There
is no peer: Celery's own `revoke` leaves a Blender that the task started running.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import psutil
from tests.runtimes import blenders
from tests.stack import Stack, wait_for

from sendoff import Client

from .processes import BENCH
from .report import Row, Table, median

PEER = "none; the goal is absolute"
REPEATS = 5
MEGABYTES = 60
_EVERY_SECONDS = 0.002


def measure(folder: Path, *, quick: bool = False) -> Table:
    """Seconds from the call to cancel."""
    table = Table(title="Cancel, click to Blender gone", peer=PEER)
    found = blenders()
    if not found:
        table.notes.append("Not measured: there is no Blender (make bpy).")
        return table
    python = found.get("4.5") or next(iter(found.values()))
    scene = folder / "scene.blend"
    subprocess.run(
        [python, "-I", BENCH / "make_scene.py", "make", str(scene), str(MEGABYTES)], check=True, timeout=300,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    gone: list[float] = []
    told: list[float] = []
    with (
        Stack(folder / "stack", SENDOFF_BLENDERS=str(python), SENDOFF_CONCURRENCY="1") as stack,
        Client(stack.url, stack.token) as client,
    ):
        for _ in range(2 if quick else REPEATS):
            job = client.submit(scene, task="mesh.lods", params={"levels": 8, "ratio": 0.9}).id
            wait_for(lambda job=job: "LOD 1" in client.job(job).message, "the first level", seconds=120)
            busy = _busiest(python)
            clicked = time.perf_counter()
            client.cancel(job)
            wait_for(lambda busy=busy: not _runs(busy), "the end of Blender", seconds=20, every=_EVERY_SECONDS)
            gone.append(time.perf_counter() - clicked)
            wait_for(lambda job=job: client.job(job).state.value == "cancelled", "the state", seconds=20, every=0.01)
            told.append(time.perf_counter() - clicked)
    table.rows += [
        Row(what="process gone, median", ours=median(gone), unit="s", most=1.0),
        Row(what="process gone, slowest", ours=max(gone), unit="s", most=1.0),
        Row(what="state cancelled, median", ours=median(told), unit="s"),
    ]
    return table


def _busiest(python: Path) -> psutil.Process:
    """The Blender process of this benchmark that works: the spare one has used next to no time."""
    ours = psutil.Process(os.getpid()).children(recursive=True)
    blenders = [process for process in ours if process.cmdline() and process.cmdline()[0] == str(python)]
    return max(blenders, key=lambda process: sum(process.cpu_times()[:2]))


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
