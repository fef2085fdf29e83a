"""What the tests inside Blender share; run by a Python that has bpy, else there is nothing to collect."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
INSIDE = ROOT / "worker" / "sendoff_worker" / "inside"
SDK = ROOT / "client" / "sendoff"
CHILD_SECONDS = 60

if importlib.util.find_spec("bpy") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    import bpy

    spec = importlib.util.spec_from_file_location("sendoff_inside_main", INSIDE / "main.py")
    assert spec is not None
    assert spec.loader is not None
    main = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(main)
    main.load_sdk(SDK)
    main.load_package()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.blender)


class Recorder:
    """A channel that keeps what is sent, by kind, as the worker would read it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        from sendoff_inside.channel import plain

        self.sent.append(json.loads(json.dumps(plain(message), allow_nan=False)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.sent if message["kind"] == kind]

    @property
    def warnings(self) -> list[str]:
        return [message["text"] for message in self.of("warning")]


class Child:
    """The real child process, on the other end of a socket pair."""

    def __init__(self, log: Path) -> None:
        self._line, theirs = socket.socketpair()
        self._line.settimeout(CHILD_SECONDS)
        self._log = log.open("wb")
        self.log = log
        command = [sys.executable, "-I", str(INSIDE / "main.py"), "--channel", str(theirs.fileno()), "--sdk", str(SDK)]
        self.process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdout=self._log, stderr=subprocess.STDOUT, env=plain_environment()
        )
        theirs.close()
        self._reader = self._line.makefile("r", encoding="utf-8")

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(CHILD_SECONDS)
        self._log.close()

    def hang_up(self) -> None:
        self._reader.close()
        self._line.close()

    def read(self) -> dict[str, Any] | None:
        line = self._reader.readline()
        return json.loads(line) if line else None

    def order(self, script: Path, folder: Path, **more: Any) -> list[dict[str, Any]]:
        """Order one job and read to the end; the process has ended well afterwards."""
        message = {
            "kind": "run",
            "script": str(script),
            "scene": None,
            "paths": None,
            "folder": str(folder),
            "params": {},
        }
        self._line.sendall(json.dumps(message | more).encode() + b"\n")
        messages = []
        while (read := self.read()) is not None:
            messages.append(read)
        assert self.process.wait(CHILD_SECONDS) == 0, self.log.read_text()
        return messages


def plain_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "TMPDIR", "LANG"}}


@pytest.fixture
def child(tmp_path: Path) -> Any:
    with Child(tmp_path / "child.log") as started:
        yield started


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def empty_scene() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture
def make_job(recorder: Recorder, tmp_path: Path) -> Any:
    """Makes a job with the given parameters, on the recorder."""
    from sendoff_inside.job import Job

    folder = tmp_path / "out"
    folder.mkdir()

    def make(**params: Any) -> Any:
        return Job(recorder, params=params, folder=folder, scene=None)

    return make


@pytest.fixture
def make_levels(make_job: Any) -> Any:
    """Runs the task on the open scene; returns the summary and the collection of the saved result."""

    from sendoff_inside import mesh_lods

    def make(**params: Any) -> tuple[dict[str, Any], Any]:
        job = make_job(**params)
        summary = mesh_lods.run(job)
        path = job.folder / "lods.blend"
        if path.is_file():
            bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
        return summary, bpy.data.collections.get("Sendoff LODs")

    return make
