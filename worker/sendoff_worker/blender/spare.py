"""A Blender that is started before it is needed, so that a job begins at once."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from pathlib import Path

from ..errors import BlenderUnavailable
from ..folders import remove_folder
from .limits import Limits
from .process import BlenderProcess
from .runtimes import Runtime
from .sandbox import NONE, Sandbox

log = logging.getLogger("sendoff.worker")


class Spare:
    """At most one waiting Blender, and the room of its job; used from the thread that runs jobs."""

    def __init__(
        self,
        latest: Runtime | None,
        *,
        work_dir: Path,
        limits: Limits,
        is_wanted: bool,
        sandbox: Sandbox = NONE,
    ) -> None:
        self._latest = latest
        self._work_dir = work_dir
        self._limits = limits
        self._is_wanted = is_wanted
        self._sandbox = sandbox
        self._waiting: BlenderProcess | None = None
        self._room: Path | None = None
        self._is_used = False

    @property
    def room(self) -> Path:
        """The folder of one job: all that a Blender can write to, and no other job is in it.

        It is there before the job is, since a Blender that waits in a sandbox cannot be given another folder later.
        """
        if self._room is None:
            self._work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._room = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-job-", dir=self._work_dir.resolve()))
            self._is_used = False
        return self._room

    def leave_room(self) -> None:
        """The job has ended: what it has left is removed, unless a Blender waits there that has seen nothing of it."""
        if self._room is None or (self._waiting is not None and not self._is_used):
            return
        self._end_waiting()
        room, self._room = self._room, None
        remove_folder(room)

    def prepare(self) -> None:
        """Start one of the series that was needed last, unless it waits already."""
        runtime = self._latest
        if not self._is_wanted or runtime is None:
            return
        if self._waiting is not None:
            if self._waiting.is_alive and self._waiting.runtime == runtime:
                return
            self._end_waiting()
        with contextlib.suppress(BlenderUnavailable):  # the job that needs it will say so
            self._waiting = self._start(runtime)

    def take(self, runtime: Runtime) -> BlenderProcess:
        """A Blender of a runtime: the waiting one, or a new one. Raises BlenderUnavailable."""
        self._latest = runtime
        self._is_used = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            if waiting.runtime == runtime and waiting.is_alive:
                try:
                    waiting.wait_until_warm()
                except BlenderUnavailable as error:
                    log.warning("%s", error, extra={"action": "blender.spare_failed"})
                else:
                    return waiting
            waiting.close()
        return self._start(runtime)

    def close(self) -> None:
        """End the waiting one, and remove its room."""
        self._end_waiting()
        self.leave_room()

    def _end_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.close(grace_seconds=0.5)

    def _start(self, runtime: Runtime) -> BlenderProcess:
        return BlenderProcess(runtime, work_dir=self.room, limits=self._limits, sandbox=self._sandbox)
