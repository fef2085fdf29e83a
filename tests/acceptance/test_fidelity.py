"""`make fidelity` as a TD runs it: on a folder, with a file that no Blender opens, and stopped by Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.requirements import require
from tests.runtimes import blenders
from tests.stack import ROOT, clean_environment

TOOL_SECONDS = 240


@pytest.fixture(scope="module")
def series() -> str:
    found = [name for name in blenders() if name in {"4.2", "4.5", "5.0"}]
    require(found, "there is no Blender: make bpy")
    return found[0]


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, ROOT / "scripts" / "fidelity", *arguments]
    environment = clean_environment(TMPDIR=str(tmp_path / "tmp"), PYTHONUNBUFFERED="1")
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=environment, **pipes)


def test_a_folder_gets_a_verdict_for_each_file_and_way(tmp_path: Path, series: str) -> None:
    folder = tmp_path / "scenes"
    folder.mkdir()
    (folder / "damaged.blend").write_bytes(b"BLENDER-v402" + bytes(range(250)) * 8)
    (folder / "future.blend").write_bytes(b"BLENDER17-01v0999" + b"\0" * 100)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    out = tmp_path / "out.json"
    with start(tmp_path, str(folder), "--series", series, "--json", str(out)) as tool:
        printed, _ = tool.communicate(timeout=TOOL_SECONDS)
    verdicts = json.loads(out.read_text())["verdicts"]
    found = {(one["file"], one["way"], one["task"]): one["verdict"] for one in verdicts}
    assert found == {
        ("damaged.blend", "add-on", "scene.check"): "refused rightly",
        ("damaged.blend", "add-on", "mesh.lods"): "refused rightly",
        ("damaged.blend", "command", "scene.check"): "refused rightly",
        ("damaged.blend", "command", "mesh.lods"): "refused rightly",
        ("future.blend", "add-on", ""): "skipped",
    }, printed
    assert tool.returncode == 0
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert not list((tmp_path / "tmp").glob("sendoff-fidelity-*"))


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path, series: str) -> None:
    with start(tmp_path, "--series", series, "--only", "mirrored", "sheared") as tool:
        assert tool.stdout is not None
        first = tool.stdout.readline()
        assert "scene.check" in first, first
        children = psutil.Process(tool.pid).children(recursive=True)
        assert children
        tool.send_signal(signal.SIGINT)
        rest, _ = tool.communicate(timeout=60)
    assert tool.returncode == 130, rest
    assert "Stopped." in rest
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    assert not list((tmp_path / "tmp").glob("sendoff-fidelity-*"))
