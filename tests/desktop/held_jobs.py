"""Jobs that go on until a test lets them end (the task studio.held), in a Blender that stays open over many tests."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.desktop.blender import Blender
from tests.desktop.screen import Screen
from tests.stack import Stack

from sendoff import Client

#: A job is on its way there or back for so long at most; the machine may have other things to do.
JOB_SECONDS = 60.0
#: What the network lets pass of a scene that has much to send, and of a result with a large file.
UP_BYTES, DOWN_BYTES = 150_000, 700_000
PACKAGE = "bl_ext.user_default.sendoff"
#: Names that tests use inside Blender; the add-on's modules are looked up anew, since it may be installed again.
INSIDE = """
import sys
def part(name):
    return sys.modules[f"bl_ext.user_default.sendoff.{name}"]
def jobs():
    return part("current").desk.jobs.jobs
def job(key=""):
    return next((job for job in reversed(jobs()) if key in ("", job.key)), None)
def levels():
    return sorted(thing.name for thing in bpy.data.objects if "_LOD" in thing.name)
"""
_LEVELS = """
made = bpy.data.collections.new("Sendoff LODs")
for level in (1, 2):
    one = bpy.data.objects.new(f"Cube_LOD{level}", bpy.data.objects["Cube"].data.copy())
    one["sendoff_source"], one["sendoff_level"] = "Cube", level
    made.objects.link(one)
bpy.data.libraries.write(path, {made}, fake_user=True)
things = [(one, one.data) for one in made.objects]
bpy.data.collections.remove(made)
for one, mesh in things:
    bpy.data.objects.remove(one)
    bpy.data.meshes.remove(mesh)
"""
#: Noise, which no other job has sent and which does not compress.
_LARGE = """
import random
noise = random.Random(seed)
mesh = bpy.data.meshes.new("Large")
mesh.from_pydata([[noise.random() for _ in range(3)] for _ in range(60_000)], [], [])
bpy.context.scene.collection.objects.link(bpy.data.objects.new("Large", mesh))
"""
_PROCESS = "bpy.ops.sendoff.process('INVOKE_DEFAULT', task=task, params=params)"

_numbers = itertools.count(1)


def client_of(stack: Stack) -> Client:
    """To ask the server what is there."""
    return Client(stack.url, stack.token)


class HeldJob:
    """One job, sent from a Blender; `release` lets it end."""

    def __init__(self, desk: Desk, key: str, gate: Path) -> None:
        self._desk = desk
        self.key = key
        self._gate = gate

    def release(self) -> None:
        """Let it end, with the files that were asked for."""
        self._gate.touch()

    def ask(self, expression: str) -> Any:
        """The value of an expression about `job`, as this Blender has it."""
        return self._desk.blender.ask(f"(lambda job: {expression})(job(key))", key=self.key)

    def wait_until(self, expression: str, *, seconds: float = JOB_SECONDS) -> Any:
        """Wait until an expression about `job` is true."""
        return self._desk.screen.wait_until(lambda: self.ask(expression), f"{expression}", seconds=seconds)

    def wait_until_running(self) -> None:
        """Wait until a worker has it, and Blender knows."""
        self.wait_until("job.state is not None and job.state.value == 'running'")

    def wait_until_here(self) -> None:
        """Wait until its result is on this machine."""
        self.wait_until("bool(job.files)")

    def wait_until_imported(self) -> None:
        """Wait until its result is in the scene."""
        self.wait_until("bool(job.imported)")


class Desk:
    """A started Blender, its screen, and the jobs that it has sent."""

    def __init__(self, blender: Blender, folder: Path) -> None:
        self.blender = blender
        self.screen: Screen = blender.screen
        self.folder = folder
        self.levels = folder / "lods.blend"
        self._gates: list[Path] = []
        folder.mkdir(parents=True, exist_ok=True)

    def prepare(self) -> None:
        """To be called after each start: what tests ask for is there, and a result to be handed in."""
        self.blender.run(INSIDE)
        if not self.levels.is_file():
            self.blender.run(_LEVELS, path=str(self.levels))
            self.new_file()

    def new_file(self) -> None:
        """As File > New."""
        self.blender.run("bpy.ops.wm.read_homefile()")

    def have_much_to_send(self) -> None:
        """The scene gets what the server does not have: most of a megabyte, of which UP_BYTES are only a part."""
        self.blender.run(_LARGE, seed=next(_numbers))

    def save(self, name: str) -> Path:
        """Save the open file in the test's folder; returns where."""
        path = self.folder / name
        self.blender.run("bpy.ops.wm.save_as_mainfile(filepath=path)", path=str(path))
        return path

    def open(self, path: Path) -> None:
        """Open a file, as File > Open."""
        self.blender.run("bpy.ops.wm.open_mainfile(filepath=path)", path=str(path))

    def send(self, results: Sequence[Path] | None = None) -> HeldJob:
        """Send the open file; the result is the levels of detail unless other files are named."""
        gate = self.folder / f"gate-{next(_numbers)}"
        self._gates.append(gate)
        handed_in = [self.levels] if results is None else results
        params = {"gate": str(gate), "results": [str(path) for path in handed_in]}
        self.blender.run(_PROCESS, task="studio.held", params=json.dumps(params))
        return HeldJob(self, self.blender.ask("job().key"), gate)

    def run(self, results: Sequence[Path] | None = None) -> HeldJob:
        """Send it, and wait until a worker has it."""
        held = self.send(results)
        held.wait_until_running()
        return held

    def large_file(self) -> Path:
        """Two megabytes to be handed in beside the levels of detail."""
        path = self.folder / "large.bin"
        path.write_bytes(bytes(range(256)) * 8192)
        return path

    def levels_there(self) -> list[str]:
        """Names of the levels of detail in the open file."""
        return list(self.blender.ask("levels()"))

    def view(self) -> None:
        """The mouse over the 3D view, where keys go then."""
        self.screen.hover(self.blender.region("VIEW_3D", "WINDOW"))

    @contextlib.contextmanager
    def pressed(self, place: tuple[int, int]) -> Iterator[None]:
        """The left button goes down at a place, and up at the end of the block."""
        self.screen.hover(place)
        self.screen._run("xdotool", "mousedown", "1")
        try:
            yield
        finally:
            self.screen._run("xdotool", "mouseup", "1")

    def move(self, place: tuple[int, int]) -> None:
        """Move the mouse there, whatever it holds."""
        self.screen._run("xdotool", "mousemove", str(place[0]), str(place[1]), "sleep", "0.1")

    def let_all_end(self) -> None:
        """No job of a test keeps the worker from the next one."""
        for gate in self._gates:
            gate.touch()

    def clear(self) -> None:
        """What a test leaves behind goes: jobs, windows, the file."""
        self.let_all_end()
        self.blender.run("for one in list(jobs()): part('current').desk.forget(one)")
        self.blender.run(
            "for window in list(bpy.context.window_manager.windows)[1:]:\n"
            "    with bpy.context.temp_override(window=window): bpy.ops.wm.window_close()"
        )
        self.new_file()


def copy_user_folder(source: Blender, target: Blender) -> None:
    """Have the add-on installed in another Blender, as in one that never started."""
    shutil.copytree(source.folder / "user", target.folder / "user", dirs_exist_ok=True)
