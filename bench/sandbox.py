"""What it costs to keep Blender to itself: from the start of a Blender until it waits for its job.

The peer is the same Blender without bubblewrap, in turns with ours.
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.runtimes import blenders

from sendoff_store.errors import SettingsError
from sendoff_worker.blender import runtimes, sandbox
from sendoff_worker.blender.limits import Limits
from sendoff_worker.blender.process import BlenderProcess
from sendoff_worker.blender.runtimes import Runtime
from sendoff_worker.blender.sandbox import Sandbox

from .report import Row, Table, median

REPEATS = 15


def measure(folder: Path, *, quick: bool = False) -> Table:
    """Seconds until Blender has loaded, and until it is gone with all that it has written."""
    table = Table(title="Blender in bubblewrap", peer="the same Blender without it")
    found = blenders()
    runtime = runtimes.probe(str(found.get("4.5") or next(iter(found.values())))) if found else None
    try:
        inside = sandbox.find("required", has_network=False)
    except SettingsError as error:
        table.notes.append(f"Not measured: {error}")
        return table
    if runtime is None:
        table.notes.append("Not measured: there is no Blender (make bpy).")
        return table
    taken: dict[Sandbox, list[tuple[float, float]]] = {inside: [], sandbox.NONE: []}
    _start(runtime, folder, sandbox.NONE)  # reads it into memory
    for _ in range(3 if quick else REPEATS):
        for kept, times in taken.items():
            times.append(_start(runtime, folder, kept))
    for number, what in enumerate(("start until loaded, median", "end until gone, median")):
        ours, peer = (median([times[number] for times in taken[kept]]) for kept in (inside, sandbox.NONE))
        table.rows.append(Row(what=what, ours=ours * 1000, peer=peer * 1000, unit="ms"))
    return table


def _start(runtime: Runtime, folder: Path, kept: Sandbox) -> tuple[float, float]:
    begun = time.perf_counter()
    process = BlenderProcess(runtime, work_dir=folder / "work", limits=Limits(cpu_seconds=60), sandbox=kept)
    process.wait_until_warm()
    loaded = time.perf_counter()
    process.kill()
    process.close()
    return loaded - begun, time.perf_counter() - loaded
