"""A Blender in bubblewrap: what it can reach, how it ends, and what is said where there is none."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.requirements import require
from tests.runtimes import blender
from tests.worker.test_blender_process import run

from sendoff_store.errors import SettingsError
from sendoff_worker.blender import runtimes, sandbox
from sendoff_worker.blender.process import BlenderProcess
from sendoff_worker.blender.runtimes import Runtime
from sendoff_worker.blender.sandbox import Sandbox
from sendoff_worker.errors import TaskFailed

pytestmark = pytest.mark.blender
SECRET = "the worker's own secret"
LOOK = """
import os, socket
def tried(what):
    try:
        return what()
    except OSError as error:
        return type(error).__name__
def run(job):
    def write(path):
        with open(path, "w") as file:
            file.write("x")
        return "written"
    def call():
        with socket.create_connection(("127.0.0.1", job.params["port"]), 5):
            return "connected"
    return {
        "secret": tried(lambda: open(job.params["secret"]).read()),
        "home": tried(lambda: write(job.params["home"])),
        "system": tried(lambda: write("/etc/sendoff-was-here")),
        "own": tried(lambda: write(os.path.join(job.params["work"], "mine"))),
        "scratch": tried(lambda: write(os.path.join(os.environ["TMPDIR"], "a"))),
        "network": tried(call),
        "run": tried(lambda: sorted(os.listdir("/run"))),
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    }
"""


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    found = runtimes.probe(str(blender()))
    assert found is not None
    return found


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "secret").write_text(SECRET)
    return folder


@pytest.fixture
def found(data_dir: Path, tmp_path: Path) -> Sandbox:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    return sandbox.find("required", has_network=False, data_dir=data_dir, task_folders=[tmp_path / "tasks"])


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def started(runtime: Runtime, tmp_path: Path, inside: Sandbox, **limits: Any) -> BlenderProcess:
    values: dict[str, Any] = {"memory_bytes": 0, "cpu_seconds": 60} | limits
    return BlenderProcess(runtime, work_dir=tmp_path / "work", sandbox=inside, **values)


def look(runtime: Runtime, tmp_path: Path, data_dir: Path, port: int, inside: Sandbox) -> dict[str, Any]:
    work = tmp_path / "work"
    work.mkdir()
    process = started(runtime, tmp_path, inside)
    params = {"secret": str(data_dir / "secret"), "home": str(Path.home() / "sendoff-was-here"), "port": port,
              "work": str(work)}  # fmt: skip
    script = LOOK.replace("job.params", repr(params))
    (work / "job").mkdir()
    summary, _, _ = run(process, work / "job", script)
    return summary


def test_a_scene_reaches_nothing_of_the_workers_but_its_folder(
    runtime: Runtime, tmp_path: Path, data_dir: Path, port: int, found: Sandbox
) -> None:
    saw = look(runtime, tmp_path, data_dir, port, found)
    assert saw["secret"] == "FileNotFoundError"
    assert saw["home"] == saw["system"] == "OSError", "all is read-only"
    assert saw["own"] == saw["scratch"] == "written"
    assert (tmp_path / "work" / "mine").read_text() == "x"
    assert saw["network"] in ("ConnectionRefusedError", "OSError")
    assert saw["run"] == []
    assert saw["processes"] <= 3


def test_without_it_all_of_that_is_there(runtime: Runtime, tmp_path: Path, data_dir: Path, port: int) -> None:
    """So that the test before means something."""
    saw = look(runtime, tmp_path, data_dir, port, sandbox.NONE)
    assert saw["secret"] == SECRET
    assert saw["network"] == "connected"
    assert saw["home"] == "written"
    (Path.home() / "sendoff-was-here").unlink()
    Path("/etc/sendoff-was-here").unlink(missing_ok=True)


def test_tasks_that_need_the_network_can_have_it(
    runtime: Runtime, tmp_path: Path, data_dir: Path, port: int, found: Sandbox
) -> None:
    inside = sandbox.find("required", has_network=True, data_dir=data_dir, task_folders=[])
    saw = look(runtime, tmp_path, data_dir, port, inside)
    assert (saw["network"], saw["secret"]) == ("connected", "FileNotFoundError")
    assert "with the network" in inside.description


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("import os\ndef run(job): os.kill(os.getpid(), 9)", "Blender was killed"),
        ("import os\ndef run(job): os.abort()", r"Blender crashed \(SIGABRT\)"),
        ("def run(job): raise SystemExit(7)", "."),
        ("def run(job): bytearray(4 * 1024**3)", "."),
    ],
)
def test_its_end_is_told_as_without(
    runtime: Runtime, tmp_path: Path, found: Sandbox, script: str, sentence: str
) -> None:
    process = started(runtime, tmp_path, found, memory_bytes=2 * 1024**3)
    folder = tmp_path / "work" / "job"
    folder.mkdir()
    with pytest.raises(TaskFailed, match=sentence):
        run(process, folder, script)


@pytest.mark.parametrize("end", [BlenderProcess.close, BlenderProcess.kill])
def test_nothing_of_it_is_left(
    runtime: Runtime, tmp_path: Path, found: Sandbox, end: Callable[[BlenderProcess], None]
) -> None:
    process = started(runtime, tmp_path, found)
    process.wait_until_warm()
    inside = psutil.Process(process._process.pid).children(recursive=True)
    assert any("main.py" in " ".join(one.cmdline()) for one in inside)
    end(process)
    process.close()
    _, alive = psutil.wait_procs(inside, timeout=10)
    assert alive == []


def test_where_there_is_none_it_is_said_or_refused(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    none = sandbox.find("auto", has_network=False, data_dir=data_dir, task_folders=[])
    assert none == sandbox.NONE
    assert "install bubblewrap" in none.description
    with pytest.raises(SettingsError, match="no bwrap on the PATH"):
        sandbox.find("required", has_network=False, data_dir=data_dir, task_folders=[])


def test_where_it_does_not_work_it_is_not_used(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that allows no namespaces."""
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'No permissions to create a new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert sandbox.find("auto", has_network=False, data_dir=data_dir, task_folders=[]) == sandbox.NONE
    with pytest.raises(SettingsError, match="No permissions to create a new namespace"):
        sandbox.find("required", has_network=False, data_dir=data_dir, task_folders=[])


def test_switched_off_it_is_off(data_dir: Path) -> None:
    assert sandbox.find("off", has_network=False, data_dir=data_dir, task_folders=[]) == sandbox.NONE
    assert sys.platform == "linux"
