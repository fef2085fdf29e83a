"""The child for real: a process of its own, its socket, its exit."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import bpy
import pytest
from sendoff_inside import mesh_lods

VERSION = ".".join(map(str, bpy.app.version))
SERIES = ".".join(map(str, bpy.app.version[:2]))
LODS = Path(mesh_lods.__file__)


@pytest.fixture
def write_script(tmp_path: Path) -> Any:
    def write(body: str) -> Path:
        path = tmp_path / "studio_task.py"
        path.write_text(body)
        return path

    return write


def save_scene(path: Path, **more: Any) -> Path:
    bpy.ops.mesh.primitive_uv_sphere_add()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, **more)
    return path


def test_a_job_is_ready_runs_reports_and_is_done(child: Any, tmp_path: Path) -> None:
    scene = save_scene(tmp_path / "ball.blend")
    assert child.read() == {"kind": "ready", "version": VERSION, "series": SERIES}
    messages = child.order(LODS, tmp_path / "out", scene=str(scene), params={"levels": 2})
    fractions = [one["fraction"] for one in messages if one["kind"] == "progress" and one["fraction"] is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert messages[-1]["kind"] == "done"
    assert messages[-1]["summary"]["objects"][0]["triangles"] == [960, 480, 240]
    files = [one for one in messages if one["kind"] == "file"]
    assert [Path(one["path"]).name for one in files] == ["lods.blend"]
    assert files[0]["media_type"] == "application/x-blender"


def test_a_script_of_the_studio_finds_its_neighbours(child: Any, write_script: Any, tmp_path: Path) -> None:
    (tmp_path / "studio_numbers.py").write_text("ANSWER = 42\n")
    script = write_script(
        "import studio_numbers\ndef run(job):\n    return {'n': studio_numbers.ANSWER, **job.params}\n"
    )
    child.read()
    messages = child.order(script, tmp_path / "out", params={"size": 3})
    assert messages == [{"kind": "done", "summary": {"n": 42, "size": 3}}]


def test_a_failed_job_says_its_sentence_only(child: Any, write_script: Any, tmp_path: Path) -> None:
    script = write_script("def run(job):\n    job.fail('The scene has no camera; add one.')\n")
    child.read()
    assert child.order(script, tmp_path / "out") == [{"kind": "failed", "detail": "The scene has no camera; add one."}]


@pytest.mark.parametrize("body", ["def run(job):\n    {}['secret']\n", "1 / 0\n", "def walk(job): ...\n", "def ("])
def test_an_exception_is_a_short_sentence_and_a_trace_in_the_log(
    child: Any, write_script: Any, tmp_path: Path, body: str
) -> None:
    child.read()
    (failed,) = child.order(write_script(body), tmp_path / "out")
    assert failed["kind"] == "failed"
    assert failed["bug"] is True
    assert failed["detail"].startswith("studio_task stopped with an unexpected ")
    assert "\n" not in failed["detail"]
    assert "Traceback" not in failed["detail"]
    assert "Traceback" in child.log.read_text()


def test_a_script_that_exits_has_failed(child: Any, write_script: Any, tmp_path: Path) -> None:
    child.read()
    (failed,) = child.order(write_script("import sys\ndef run(job):\n    sys.exit(0)\n"), tmp_path / "out")
    assert failed["bug"] is True


def test_the_spare_leaves_when_the_worker_goes(child: Any) -> None:
    child.read()
    child.hang_up()
    assert child.process.wait(20) == 1


def test_text_in_a_scene_does_not_run(child: Any, write_script: Any, tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"
    text = bpy.data.texts.new("hostile.py")
    text.write(f"open({str(trace)!r}, 'w').close()\n")
    text.use_module = True
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    driver = cube.driver_add("location", 0).driver
    driver.expression = f"len(open({str(trace)!r}, 'w').name) + frame"
    scene = save_scene(tmp_path / "hostile.blend")
    trace.unlink(missing_ok=True)
    child.read()
    script = write_script(
        "import bpy\ndef run(job):\n    bpy.context.scene.frame_set(5)\n    return {'n': len(bpy.data.texts)}\n"
    )
    messages = child.order(script, tmp_path / "out", scene=str(scene))
    assert messages[-1] == {"kind": "done", "summary": {"n": 1}}
    assert not trace.exists()


def broken(tmp_path: Path) -> Path:
    whole = save_scene(tmp_path / "whole.blend", compress=False).read_bytes()
    path = tmp_path / "scene.blend"
    path.write_bytes(whole[: len(whole) // 3])
    return path


def newer(tmp_path: Path) -> Path:
    path = tmp_path / "scene.blend"
    path.write_bytes(b"BLENDER17-01v0909" + struct.pack("<IIQQQ", 0, 0, 0, 0, 0))
    return path


def no_blend(tmp_path: Path) -> Path:
    path = tmp_path / "scene.blend"
    path.write_bytes(b"#!/bin/sh\n" * 100)
    return path


def empty(tmp_path: Path) -> Path:
    path = tmp_path / "scene.blend"
    path.touch()
    return path


def missing(tmp_path: Path) -> Path:
    return tmp_path / "scene.blend"


def cut_archive(tmp_path: Path) -> Path:
    whole = save_scene(tmp_path / "whole.blend", compress=True).read_bytes()
    path = tmp_path / "scene.blend"
    path.write_bytes(whole[:50])
    return path


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (broken, "scene.blend cannot be opened: the file is damaged or incomplete."),
        (newer, f"scene.blend was saved by Blender 9.9, which this worker's Blender {SERIES} cannot open;"),
        (no_blend, "scene.blend is not a .blend file; send a scene saved by Blender."),
        (empty, "scene.blend is empty: save the scene and send it again."),
        (missing, "The scene's file did not reach the worker; send it again."),
        (cut_archive, "scene.blend cannot be opened: the file is damaged or incomplete."),
    ],
)
def test_a_file_that_cannot_be_opened_is_explained(child: Any, tmp_path: Path, make: Any, sentence: str) -> None:
    child.read()
    messages = child.order(LODS, tmp_path / "out", scene=str(make(tmp_path)))
    assert messages[-1]["kind"] == "failed"
    assert messages[-1]["detail"].startswith(sentence)
    assert "bug" not in messages[-1]


def test_compressed_scenes_open(child: Any, tmp_path: Path) -> None:
    scene = save_scene(tmp_path / "packed.blend", compress=True)
    child.read()
    assert child.order(LODS, tmp_path / "out", scene=str(scene))[-1]["kind"] == "done"


def test_no_module_of_ours_from_outside_is_needed(child: Any, write_script: Any, tmp_path: Path) -> None:
    script = write_script(
        "import sys\ndef run(job):\n"
        "    names = ('sendoff', 'sendoff_worker', 'sendoff_store', 'pydantic', 'redis', 'celery')\n"
        "    return {'loaded': [name for name in names if name in sys.modules]}\n"
    )
    child.read()
    assert child.order(script, tmp_path / "out")[-1]["summary"] == {"loaded": []}
