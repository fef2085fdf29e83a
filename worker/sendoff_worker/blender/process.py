"""One Blender as a child: a process group of its own, a channel of its own, no secrets, and an end.

Messages go over an inherited Unix socket, one JSON object per line; what Blender prints is log and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import BlenderUnavailable, TaskFailed
from .runtimes import Runtime
from .sandbox import NONE, Sandbox

log = logging.getLogger("sendoff.worker")

_START_SECONDS = 120.0
_TICK_SECONDS = 0.25
_END_SECONDS = 10.0
_LINE_BYTES = 16 * 1024 * 1024
_LOG_LINE_BYTES = 4000
_EARLY_LINES = 200
_OPEN_FILES = 4096
_SIGNALLED = 128
#: All that a child sees of our environment.
_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "OCIO",
    "CUDA_VISIBLE_DEVICES",
)

Message = dict[str, Any]


class BlenderProcess:
    """A started Blender that does one job; used from one thread, killed from any."""

    def __init__(
        self, runtime: Runtime, *, work_dir: Path, memory_bytes: int, cpu_seconds: float, sandbox: Sandbox = NONE
    ) -> None:
        """Start it; raises BlenderUnavailable."""
        self.runtime = runtime
        self._sandbox = sandbox
        self._limits = (memory_bytes, cpu_seconds)
        work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-blender-", dir=work_dir))
        ours, theirs = socket.socketpair()
        self._channel = ours
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._on_line: Callable[[str], None] | None = None
        self._lines_lock = threading.Lock()
        self._is_warm = False
        try:
            with theirs:
                self._process = subprocess.Popen(
                    sandbox.command(runtime.command(theirs.fileno()), runtime=runtime, work_dir=work_dir.absolute()),
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    cwd=self._scratch,
                    env=_environment(self._scratch),
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise BlenderUnavailable(f"Blender {runtime.series} does not start: {error}.") from error
        _limit(self._process.pid, memory_bytes, cpu_seconds)
        self._reader = threading.Thread(target=self._read_output, name="sendoff-blender-log", daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def wait_until_warm(self) -> None:
        """Wait until Blender has loaded; raises BlenderUnavailable."""
        if self._is_warm:
            return
        deadline = time.monotonic() + _START_SECONDS
        while True:
            message = self._receive()
            if message is not None and message.get("kind") == "ready":
                self._is_warm = True
                for pid in _descendants(self._process.pid):  # in a sandbox, Blender is not the process that was started
                    _limit(pid, *self._limits)
                return
            if not self.is_alive:
                log.error("Blender %s ended while it started: %s", self.runtime.series, " | ".join(self._lines),
                          extra={"action": "blender.start_failed"})  # fmt: skip
                raise BlenderUnavailable(f"Blender {self.runtime.series} of this worker ended while it started.")
            if time.monotonic() > deadline:
                raise BlenderUnavailable(f"Blender {self.runtime.series} did not start within {_START_SECONDS:g} s.")

    def run(
        self,
        request: Mapping[str, Any],
        *,
        on_message: Callable[[Message], None],
        on_line: Callable[[str], None],
        on_tick: Callable[[], None],
    ) -> dict[str, Any]:
        """Do a job and return its summary.

        `on_message` gets progress, files and warnings, `on_line` what Blender prints; `on_tick` is called several
        times a second and may raise to give up. Raises TaskFailed with a sentence, BlenderUnavailable.
        """
        self.wait_until_warm()
        with self._lines_lock:
            self._on_line = on_line
            for line in self._lines:
                on_line(line)
            self._lines.clear()
        self._channel.settimeout(_END_SECONDS)
        try:
            self._channel.sendall(json.dumps({"kind": "run", **request}).encode() + b"\n")
        except OSError as error:
            raise self._died() from error
        while True:
            message = self._receive()
            on_tick()
            if message is None:
                if not self.is_alive and not self._buffer:
                    raise self._died()
                continue
            kind = message.get("kind")
            if kind == "done":
                summary = message.get("summary")
                return summary if isinstance(summary, dict) else {}
            if kind == "failed":
                raise TaskFailed(str(message.get("detail") or "Blender could not do it and does not say why."))
            on_message(message)

    def kill(self) -> None:
        """Ask its whole process group to end (SIGTERM); `close` ends what is left."""
        self._signal(signal.SIGTERM)

    def close(self, *, grace_seconds: float = 2.0) -> None:
        """End it and all that it started, and remove its scratch folder."""
        self._channel.close()
        if self.is_alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.2)
        if self.is_alive:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_seconds)
        self._signal(signal.SIGKILL)
        self._process.wait(_END_SECONDS)
        self._reader.join(_END_SECONDS)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _receive(self) -> Message | None:
        """The next message, or None where none came within a tick; what is no message is skipped."""
        line = self._take_line()
        if line is None:
            self._channel.settimeout(_TICK_SECONDS)
            try:
                data = self._channel.recv(256 * 1024)
            except TimeoutError:
                return None
            except OSError:
                data = b""
            if not data:
                self._buffer.clear()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_END_SECONDS)
                if self.is_alive:  # it closed its channel and goes on: it will never say anything again
                    self._signal(signal.SIGKILL)
                    self._process.wait(_END_SECONDS)
                return None
            self._buffer += data
            if len(self._buffer) > _LINE_BYTES:
                raise TaskFailed("Blender sent a message that is too long; the task's script is at fault.")
            line = self._take_line()
        if line is None:
            return None
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return None
        return message if isinstance(message, dict) else None

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            while raw := output.readline(_LOG_LINE_BYTES):
                line = raw.decode("utf-8", "replace").rstrip()
                with self._lines_lock:
                    if self._on_line is None:
                        self._lines.append(line)
                        del self._lines[:-_EARLY_LINES]
                    else:
                        self._on_line(line)

    def _died(self) -> TaskFailed:
        self._process.wait(_END_SECONDS)
        status = self._process.returncode
        if self._sandbox.program and status > _SIGNALLED:  # how bubblewrap tells what a signal has ended
            status = _SIGNALLED - status
        if status == -signal.SIGKILL:
            why = "Blender was killed, most likely because the scene needs more memory than the worker has"
        elif status == -signal.SIGXCPU:
            why = "Blender took longer than the worker allows"
        elif status < 0:
            why = f"Blender crashed ({signal.Signals(-status).name})"
        else:
            why = f"Blender ended unexpectedly (status {status})"
        return TaskFailed(f"{why}. The job's log shows what it did last.")


def _environment(scratch: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "XDG_CONFIG_HOME": str(scratch),
        "BLENDER_USER_RESOURCES": str(scratch / "blender"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _descendants(pid: int) -> list[int]:
    """All that a process has started and what that has, on Linux."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for path in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                started = [int(child) for child in path.read_text().split()]
                found += started
                waiting += started
    return found


def _limit(pid: int, memory_bytes: int, cpu_seconds: float) -> None:
    """Limits that the kernel keeps; on systems without them the job's time limit still holds."""
    if sys.platform != "linux":
        return
    import resource

    most_bytes = memory_bytes or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cpu = int(cpu_seconds * (os.cpu_count() or 1)) + 60
    limits = {
        resource.RLIMIT_DATA: most_bytes,
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
    }
    for limit, wanted in limits.items():
        try:
            _, hard = resource.prlimit(pid, limit)
            value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.prlimit(pid, limit, (value, value))
        except (OSError, ValueError) as error:
            log.warning("A limit of Blender cannot be set: %s", error, extra={"action": "blender.limit"})
