"""`make demo` as a stranger runs it: a real Blender with the built extension, the server, the worker and the result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.acceptance import blender_scripts
from tests.runtimes import blender
from tests.stack import clean_environment, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.blender


def start(folder: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, ROOT / "scripts" / "demo.py", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
        env=clean_environment(SENDOFF_DEMO_FOLDER=str(folder), PYTHON=os.environ.get("PYTHON", sys.executable)),
    )  # fmt: skip


def left_behind(folder: Path) -> str:
    return subprocess.run(["pgrep", "-af", str(folder)], capture_output=True, text=True, check=False).stdout


def sent(output: str) -> int:
    line = next(line for line in output.splitlines() if line.startswith("Sent "))
    return int(line.split()[1].replace(",", ""))


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "a scene, größer.blend"
    blender_scripts.run(blender(), blender_scripts.MAKE_SCENE, path)
    return path


def test_it_ends_with_a_table_a_picture_and_the_saved_scene(tmp_path: Path, scene: Path) -> None:
    folder = tmp_path / "demo"
    before = scene.read_bytes()
    demo = start(folder, "--scene", scene)
    output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0, output
    assert "Ball" in output
    assert "LOD 3" in output
    assert "levels of detail beside their originals" in output
    assert (folder / "out" / "lods.png").read_bytes().startswith(b"\x89PNG")
    (saved,) = (folder / "out").glob("*-with-lods.blend")
    found = blender_scripts.run(blender(), blender_scripts.MEASURE, saved)
    assert {"Ball", "Ball_LOD1", "Ball_LOD3", "Twin_LOD2"} <= set(found)
    assert scene.read_bytes() == before, "the artist's own file was touched"
    assert not left_behind(folder)
    whole = sent(output)
    again = start(folder, "--scene", scene)
    output, _ = again.communicate(timeout=240)
    assert again.returncode == 0, output
    assert sent(output) < whole / 2


def test_ctrl_c_in_the_middle_leaves_nothing_behind(tmp_path: Path, scene: Path) -> None:
    folder = tmp_path / "demo"
    demo = start(folder, "--scene", scene)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "sending" in line or "sent" in line:
            break
    os.killpg(demo.pid, signal.SIGINT)
    output = demo.communicate(timeout=60)[0]
    assert demo.returncode == 130, output
    assert "Traceback" not in output
    wait_for(lambda: not left_behind(folder), "the end of all processes", seconds=15)


def test_a_scene_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    text = tmp_path / "notes.blend"
    text.write_text("not a blend")
    for path, words in ((tmp_path / "nowhere.blend", "there is no file"), (text, "notes.blend")):
        demo = start(folder, "--scene", path)
        output, _ = demo.communicate(timeout=120)
        assert demo.returncode == 1, output
        assert words in output
        assert "Traceback" not in output
