"""A Blender that is started before it is needed, so that a job begins at once."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from ..errors import BlenderUnavailable
from .process import BlenderProcess
from .runtimes import Runtime
from .sandbox import NONE, Sandbox

log = logging.getLogger("sendoff.worker")


class Spare:
    """At most one waiting Blender; used from the thread that runs jobs."""

    def __init__(
        self,
        latest: Runtime | None,
        *,
        work_dir: Path,
        memory_bytes: int,
        cpu_seconds: float,
        is_wanted: bool,
        sandbox: Sandbox = NONE,
    ) -> None:
        self._latest = latest
        self._work_dir = work_dir
        self._memory_bytes = memory_bytes
        self._cpu_seconds = cpu_seconds
        self._is_wanted = is_wanted
        self._sandbox = sandbox
        self._waiting: BlenderProcess | None = None

    def prepare(self) -> None:
        """Start one of the series that was needed last, unless it waits already."""
        runtime = self._latest
        if not self._is_wanted or runtime is None:
            return
        if self._waiting is not None:
            if self._waiting.is_alive and self._waiting.runtime == runtime:
                return
            self.close()
        with contextlib.suppress(BlenderUnavailable):  # the job that needs it will say so
            self._waiting = self._start(runtime)

    def take(self, runtime: Runtime) -> BlenderProcess:
        """A Blender of a runtime: the waiting one, or a new one. Raises BlenderUnavailable."""
        self._latest = runtime
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
        """End the waiting one."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.close(grace_seconds=0.5)

    def _start(self, runtime: Runtime) -> BlenderProcess:
        return BlenderProcess(
            runtime,
            work_dir=self._work_dir,
            memory_bytes=self._memory_bytes,
            cpu_seconds=self._cpu_seconds,
            sandbox=self._sandbox,
        )
