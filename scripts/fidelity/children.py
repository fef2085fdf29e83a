"""The processes that the run starts: artists' Blenders and the command. Each has a time limit and a process group."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

START_SECONDS = 120.0
_running: set[subprocess.Popen[Any]] = set()


class Ended(Exception):
    """A process ended or hung; the text says how."""


def start(command: list[str], environment: dict[str, str], **more: Any) -> subprocess.Popen[Any]:
    """Start a process in a group of its own, to be ended by `end_all` at the latest."""
    process = subprocess.Popen(command, env=environment, start_new_session=True, **more)
    _running.add(process)
    return process


def end(process: subprocess.Popen[Any]) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    _running.discard(process)


def end_all() -> None:
    """End everything that still runs."""
    for process in list(_running):
        end(process)


def run(command: list[str], environment: dict[str, str], seconds: float) -> tuple[int, str, str]:
    """Run a command to its end; returns its status and its output. Raises Ended if it takes too long."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start(command, environment, stdin=subprocess.DEVNULL, **pipes)
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Ended(f"did not end within {seconds:.0f} s") from None
    finally:
        end(process)
    return process.returncode, out.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


class Blender:
    """A Blender that answers orders, one JSON line each."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as file:
            self._process = start(command, environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file)
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.ready = self._next(START_SECONDS)

    def ask(self, order: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send an order and return the answer. Raises Ended if the process ends or hangs."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise Ended(self._how_it_ended()) from None
        return self._next(seconds)

    def close(self) -> None:
        """End it."""
        end(self._process)
        self._reader.join(10)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):  # closed by `end`
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(b"")

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise Ended(f"hung: no answer within {seconds:.0f} s") from None
        if not line:
            raise Ended(self._how_it_ended())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        status = self._process.returncode
        if status is not None and status < 0:
            return f"Blender crashed ({signal.Signals(-status).name}); its log is {self.log}"
        return f"Blender ended with status {status}; its log is {self.log}"
