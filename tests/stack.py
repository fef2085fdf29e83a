"""A whole server as its users have it: `sendoff-server up` in a process of its own, with folders of its own.

Needs nothing but the standard library, so that tests inside Blender can start one as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
START_SECONDS = 60.0
STOP_SECONDS = 40.0


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without any of Sendoff's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SENDOFF_")}
    return kept | more


class Stack:
    """Server, worker and embedded Valkey in `folder`; started by `start` or a `with` block, always ended."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.settings = settings
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def token(self) -> str:
        return str(self.ready["token"])

    @property
    def redis_url(self) -> str:
        return str(self.ready["redis_url"])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """For a client on this machine, which finds the server by the kept sign-in."""
        return clean_environment(SENDOFF_HOME=str(self.folder / "home"))

    def start(self, *, port: int = 0) -> None:
        """Start it and wait for its own word that it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        with (self.folder / "up.log").open("ab") as log:
            self._process = subprocess.Popen(
                [BIN / "sendoff-server", "up", "--port", str(port), "--data-dir", self.data_dir, "--ready-file", ready],
                env=self.environment | self.settings, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not ready.is_file():
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = (self.folder / "up.log").read_text()[-3000:]
                self.kill()
                raise AssertionError(f"sendoff-server up did not become ready:\n{words}\n{self.logs()}")
            time.sleep(0.02)
        self.ready = json.loads(ready.read_text())

    def stop(self) -> int:
        """End it as Ctrl-C does; returns its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            return process.wait(STOP_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it as a power cut does: `up` gets no chance to say anything."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(10)

    def logs(self) -> str:
        """The logs of server and worker."""
        found = sorted((self.data_dir / "logs").glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-6000:]}" for path in found)

    def run(self, *arguments: str | Path, timeout: float = 120, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the `sendoff` command as a person on this machine."""
        return subprocess.run(
            [BIN / "sendoff", *map(str, arguments)], env=self.environment | more, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip


def wait_for(condition: Any, what: str, *, seconds: float = 30.0, every: float = 0.02) -> Any:
    """Wait until `condition()` is true and return what it gave; fails with a sentence where it never is."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds:g} s")
        time.sleep(every)
