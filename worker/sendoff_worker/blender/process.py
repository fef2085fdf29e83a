"""One Blender as a child: a process group of its own, a channel of its own, no secrets, and an end.

Messages go over an inherited Unix socket, one JSON object per line; what Blender prints is log and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import BlenderUnavailable, SceneNotOpened, TaskFailed
from ..folders import remove_folder
from .limits import TOO_LARGE_A_FILE, Limits, Watch, descendants
from .runtimes import Runtime
from .sandbox import NONE, Sandbox

log = logging.getLogger("sendoff.worker")

_START_SECONDS = 120.0
_TICK_SECONDS = 0.25
_END_SECONDS = 10.0
_LINE_BYTES = 16 * 1024 * 1024
_LOG_LINE_BYTES = 4000
_EARLY_LINES = 200
_SIGNALLED = 128
_CAUSE_CHARACTERS = 1000
#: The stage that our in-Blender script tells while it opens the scene.
OPENING = "Opening"
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

    def __init__(self, runtime: Runtime, *, work_dir: Path, limits: Limits, sandbox: Sandbox = NONE) -> None:
        """Start it, with `work_dir` as the folder that it may write to; raises BlenderUnavailable."""
        self.runtime = runtime
        self._sandbox = sandbox
        self._limits = limits
        work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._work_dir = work_dir.resolve()
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-blender-", dir=self._work_dir))
        #: The first process inside the sandbox, whose end is the end of all others there.
        self._first_inside: int | None = None
        self._watch: Watch | None = None
        ours, theirs = socket.socketpair()
        self._channel = ours
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._on_line: Callable[[str], None] | None = None
        self._lines_lock = threading.Lock()
        self._is_warm = False
        self._is_opening = False
        try:
            with theirs:
                self._process = subprocess.Popen(
                    sandbox.command(
                        runtime.command(theirs.fileno()),
                        runtime=runtime,
                        work_dir=self._work_dir,
                        scratch=self._scratch,
                    ),
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
            remove_folder(self._scratch)
            raise BlenderUnavailable(f"Blender {runtime.series} does not start: {error}.") from error
        self._limits.impose(self._process.pid, has_own_users=False)
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
                self._limit_inside()
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
        times a second and may raise to give up. Raises TaskFailed with a sentence, SceneNotOpened if another Blender
        may open the scene, BlenderUnavailable.
        """
        self.wait_until_warm()
        self._check_script(Path(str(request["script"])))
        self._watch = Watch(self._limits, self._process.pid, self._work_dir)
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
            self._check_limits()
            if message is None:
                if not self.is_alive and not self._buffer:
                    raise self._died()
                continue
            kind = message.get("kind")
            if kind == "done":
                summary = message.get("summary")
                return summary if isinstance(summary, dict) else {}
            if kind == "failed":
                cause = message.get("cannot_open")
                if isinstance(cause, str) and cause:
                    raise SceneNotOpened(cause[:_CAUSE_CHARACTERS], tried=(self.runtime.series,))
                raise TaskFailed(str(message.get("detail") or "Blender could not do it and does not say why."))
            if message.get("stage"):
                self._is_opening = message["stage"] == OPENING
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
        self._kill_all()
        self._process.wait(_END_SECONDS)
        if self._first_inside is not None:
            os.close(self._first_inside)
            self._first_inside = None
        self._reader.join(_END_SECONDS)
        remove_folder(self._scratch)

    def _limit_inside(self) -> None:
        """In a sandbox Blender is not the process that was started, and so not the one that was limited."""
        if not self._sandbox.program:
            return
        inside = descendants(self._process.pid)
        for pid in inside:
            self._limits.impose(pid, has_own_users=bool(self._sandbox.of_users))
        with contextlib.suppress(OSError, IndexError):  # it has ended, which is noticed elsewhere
            self._first_inside = os.pidfd_open(inside[0])

    def _check_script(self, script: Path) -> None:
        if not self._sandbox.shows(script, runtime=self.runtime, work_dir=self._work_dir):
            raise TaskFailed(
                f"Blender may not read the script {script.name} where it lies. Put it beside the task, or ask an "
                "administrator to name its folder in SENDOFF_BLENDER_READABLE."
            )

    def _check_limits(self) -> None:
        offence = self._watch.offence() if self._watch is not None else ""
        if offence:
            self._kill_all()
            raise TaskFailed(offence)

    def _wait_for_end(self) -> None:
        """It has closed its channel: it ends, or it goes on and will never say anything again."""
        deadline = time.monotonic() + _END_SECONDS
        while self.is_alive and time.monotonic() < deadline:
            self._check_limits()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_TICK_SECONDS)
        if self.is_alive:
            self._kill_all()
            self._process.wait(_END_SECONDS)

    def _kill_all(self) -> None:
        """End it and all that it has started, also what has left its process group where there is a sandbox."""
        if self._first_inside is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first_inside, signal.SIGKILL)
        self._signal(signal.SIGKILL)

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
                self._wait_for_end()
                return None
            self._buffer += data
            if len(self._buffer) > _LINE_BYTES:
                raise TaskFailed("Blender sent a message that is too long; the task's script is at fault.")
            line = self._take_line()
        if line is None:
            return None
        try:
            message = json.loads(line, parse_constant=_not_a_number, parse_float=_finite)
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
            is_rest = False
            while raw := output.readline(_LOG_LINE_BYTES):  # a line may be as long as Blender likes
                was_rest, is_rest = is_rest, not raw.endswith(b"\n")
                if was_rest:
                    continue
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
        if self._sandbox.program and status - _SIGNALLED in signal.valid_signals():  # how bubblewrap tells of a signal
            status = _SIGNALLED - status
        if status == -signal.SIGKILL:
            why = "Blender was killed, most likely because the scene needs more memory than the worker has"
        elif status == -signal.SIGXCPU:
            why = "Blender took longer than the worker allows"
        elif status == -signal.SIGXFSZ:
            return TaskFailed(TOO_LARGE_A_FILE)
        elif status < 0:
            why = f"Blender crashed ({signal.Signals(-status).name})"
            if self._is_opening:
                cause = f"{why} while it opened the scene. The job's log shows what it did last."
                return SceneNotOpened(cause, tried=(self.runtime.series,), is_crash=True)
        else:
            why = f"Blender ended unexpectedly (status {status})"
        return TaskFailed(f"{why}. The job's log shows what it did last.")


def _not_a_number(_: str) -> None:
    """NaN and Infinity, which JSON does not have, are null: what Blender says goes on to others."""


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _environment(scratch: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "XDG_CONFIG_HOME": str(scratch),
        "BLENDER_USER_RESOURCES": str(scratch / "blender"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
