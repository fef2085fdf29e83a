"""Loaded into the Blender of a real window by bench/desktop.py: clocks around the add-on's own functions.

Nothing of it is in the add-on: its functions are wrapped from here. All functions run on Blender's main thread. Times
are of time.perf_counter in seconds, which on Linux is the clock of every process.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import addon_utils
import bpy

BEAT_SECONDS = 0.01

_MODULE = next(addon.module for addon in bpy.context.preferences.addons if addon.module.endswith(".sendoff"))

#: Seconds of each pump tick outside of saving and importing, those of the processor alone, and of each drawing of our
#: part of the status bar.
ticks: list[float] = []
computed: list[float] = []
draws: list[float] = []
#: How many messages each tick has taken.
messages: list[int] = []
#: When our part of the status bar was drawn with at least one job.
shown_at: list[float] = []
#: From when to when the main thread saved or imported.
busy: list[tuple[float, float]] = []
#: When the timer of 10 ms was called.
beats: list[float] = []
#: The parts of the window that is measured: when its upload and its download have begun and ended.
parts: dict[str, tuple[float, float]] = {}
_wanted: tuple[Any, Any] | None = None
_redraws: tuple[float, float] | None = None
_kept_jobs: list[Any] = []


def part(name: str) -> Any:
    """A module of the add-on."""
    return importlib.import_module(f"{_MODULE}.{name}")


def install() -> None:
    """Wrap what is measured."""
    pump, submitting, status_bar = part("pump"), part("current").submitting, part("status_bar")
    pump.work = _timed(_timed(pump.work, computed, time.thread_time), ticks, time.perf_counter)
    of_all_hosts = part("sendoff.host.pump")
    drain = of_all_hosts.drain

    def counted(*arguments: Any) -> int:
        messages.append(drain(*arguments))
        return messages[-1]

    of_all_hosts.drain = counted
    submitting.save_and_send = _noting(submitting.save_and_send)
    pump.import_and_say = _noting(pump.import_and_say)
    plain = status_bar.draw
    status_bar.remove()

    def draw(header: Any, context: Any) -> None:
        begun = time.perf_counter()
        plain(header, context)
        ended = time.perf_counter()
        draws.append(ended - begun)
        if status_bar.shown.front is not None:
            shown_at.append(ended)

    status_bar.draw = draw
    status_bar.append()


def _timed(plain: Callable[..., Any], found: list[float], clock: Callable[[], float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        begun = clock()
        try:
            return plain(*arguments, **named)
        finally:
            found.append(clock() - begun)

    return timed


def _noting(plain: Callable[..., Any]) -> Callable[..., Any]:
    def noting(*arguments: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        try:
            return plain(*arguments, **named)
        finally:
            busy.append((begun, time.perf_counter()))

    return noting


def clear() -> None:
    """Forget what was measured."""
    for found in (ticks, computed, draws, messages, shown_at, busy, beats):
        found.clear()
    parts.clear()


# The timer of 10 ms


def _beat() -> float:
    now = time.perf_counter()
    beats.append(now)
    if _wanted is not None:
        for name, job, is_on in (("upload", _wanted[0], _uploads), ("download", _wanted[1], _downloads)):
            if is_on(job):
                parts[name] = (parts.get(name, (now, now))[0], now)
    return BEAT_SECONDS


def _uploads(job: Any) -> bool:
    return not job.id and not job.is_saving and job.problem is None


def _downloads(job: Any) -> bool:
    return job.is_fetching


def start_beats() -> None:
    """Have the timer called from now on."""
    bpy.app.timers.register(_beat, first_interval=0.0)


def stop_beats() -> None:
    """Have it called no more."""
    if bpy.app.timers.is_registered(_beat):
        bpy.app.timers.unregister(_beat)


def gaps(begun: float, ended: float) -> list[float]:
    """Seconds between two calls of it from one time to another, but where the main thread saved or imported."""
    return [
        after - before
        for before, after in itertools.pairwise(beats)
        if before >= begun and after <= ended and not any(one < after and other > before for one, other in busy)
    ]


# Our turn


def known_job(job_id: str, title: str) -> None:
    """Have the add-on know a job that is in the store."""
    jobs, current = part("sendoff.host.jobs"), part("current")
    current.desk.jobs.add(
        jobs.Job(
            key=f"key-{job_id}", id=job_id, task="bench.nothing", title=title, server_url=current.desk.server_url()
        )
    )


def forget_jobs() -> None:
    """Have the add-on know no job, and no file of them."""
    current = part("current")
    for job in list(current.desk.jobs.jobs):
        current.desk.forget(job)


def forget_hints() -> None:
    """Forget which chunks the server has: it was emptied."""
    part("sendoff.hints").ChunkHints(part("current").desk.server_url()).forget()


def process() -> str:
    """What a click on the button does; returns the job's key."""
    bpy.ops.sendoff.process("INVOKE_DEFAULT", task="bench.nothing", params="{}")
    return str(part("current").desk.jobs.jobs[-1].key)


def watch(upload: str, download: str) -> None:
    """Note when the upload of one job and the download of another happen."""
    global _wanted  # noqa: PLW0603
    find = part("current").desk.jobs.find
    _wanted = (find(upload), find(download))


def state() -> str:
    """How far both are: "saving", "going" or "done"."""
    assert _wanted is not None
    upload, download = _wanted
    assert upload.problem is None, upload.problem
    assert download.problem is None, download.problem
    if upload.is_saving or not busy:
        return "saving"
    return "done" if upload.id and download.files else "going"


def end_watch() -> None:
    """Note it no more."""
    global _wanted  # noqa: PLW0603
    _wanted = None


def taken(begun: float = 0.0, ended: float = float("inf")) -> dict[str, Any]:
    """What was measured."""
    return {
        "ticks": list(ticks), "computed": list(computed), "draws": list(draws), "shown_at": list(shown_at),
        "busy": list(busy), "parts": dict(parts), "gaps": gaps(begun, ended), "messages": sum(messages),
    }  # fmt: skip


# The peer's turn: the same window with no job


def hide_jobs() -> None:
    """Set all jobs aside, so that the add-on has nothing to do."""
    current = part("current")
    _kept_jobs[:] = current.desk.jobs.jobs
    current.desk.jobs.jobs.clear()
    part("status_bar").shown = part("sendoff.host.status").StatusBar()


def show_jobs() -> None:
    """Have them back."""
    part("current").desk.jobs.jobs[:] = _kept_jobs
    part("pump").start()


def start_redraws(every_seconds: float, until: float) -> None:
    """Have the status bar drawn again and again, and nothing else."""
    global _redraws  # noqa: PLW0603
    _redraws = (every_seconds, until)
    bpy.app.timers.register(_redraw, first_interval=every_seconds)


def _redraw() -> float | None:
    assert _redraws is not None
    for region in part("status_bar")._regions.values():
        region.tag_redraw()
    every_seconds, until = _redraws
    return every_seconds if time.perf_counter() < until else None


# Saving


def export() -> float:
    """Seconds of the add-on's export."""
    scene_export = part("scene_export")
    begun = time.perf_counter()
    made = scene_export.export(part("sendoff.host.submitting").Order(task="bench.nothing", params={}))
    seconds = time.perf_counter() - begun
    shutil.rmtree(made.folder)
    return seconds


def plain_save() -> float:
    """Seconds of Blender's own save of a copy of the same file."""
    folder = Path(tempfile.mkdtemp())
    begun = time.perf_counter()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "copy.blend"), copy=True, compress=False)
    seconds = time.perf_counter() - begun
    shutil.rmtree(folder)
    return seconds


def settle() -> None:
    """Have on disk what was written, and no garbage, so that the next one does not pay for it."""
    gc.collect()
    os.sync()


# Importing


def take_in(path: str) -> float:
    """Seconds of the add-on's import of a result and of the undo step; undone after that."""
    jobs, told, states = part("sendoff.host.jobs"), part("sendoff.host.messages"), part("sendoff")
    job = jobs.Job(key="import", id="import", task="mesh.lods", title="Import", server_url="")
    job.state, job.has_result, job.has_files = states.JobState.SUCCEEDED, True, True
    job.scene_name = bpy.context.scene.name
    job.files = (told.FetchedFile(Path(path), "result", "application/x-blender"),)
    begun = time.perf_counter()
    part("results").import_result(job, bpy.context)
    bpy.ops.ed.undo_push(message="Import")
    seconds = time.perf_counter() - begun
    bpy.ops.ed.undo()
    return seconds


def plain_append(path: str) -> float:
    """Seconds of Blender's own append of the same file and of the undo step; undone after that."""
    begun = time.perf_counter()
    with bpy.data.libraries.load(path, link=False) as (source, target):
        target.collections = list(source.collections)
    for collection in target.collections:
        bpy.context.scene.collection.children.link(collection)
    bpy.ops.ed.undo_push(message="Append")
    seconds = time.perf_counter() - begun
    bpy.ops.ed.undo()
    return seconds


# Memory and enabling


def is_idle() -> bool:
    """Whether the add-on waits for nothing: its pump is not called."""
    pump = part("pump")
    return not bpy.app.timers.is_registered(pump.tick)


def rss_bytes() -> int:
    """Resident memory of this Blender."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def register_seconds() -> float:
    """Seconds to read the add-on's modules anew and enable it."""
    addon_utils.disable(_MODULE)
    for name in [name for name in sys.modules if name == _MODULE or name.startswith(f"{_MODULE}.")]:
        del sys.modules[name]
    begun = time.perf_counter()
    addon_utils.enable(_MODULE)
    return time.perf_counter() - begun
