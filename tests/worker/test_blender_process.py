"""Blender as a child: what it sees of us, how it ends, and what is said where it does not do what it should."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.runtimes import blender

from sendoff_worker.blender import runtimes
from sendoff_worker.blender.limits import Limits
from sendoff_worker.blender.process import BlenderProcess
from sendoff_worker.blender.runtimes import Runtime
from sendoff_worker.blender.spare import Spare
from sendoff_worker.errors import BlenderUnavailable, TaskFailed

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    found = runtimes.probe(str(blender()))
    assert found is not None
    return found


def start(runtime: Runtime, folder: Path, *, memory_bytes: int = 0) -> BlenderProcess:
    limits = Limits(memory_bytes=memory_bytes, cpu_seconds=60)
    return BlenderProcess(runtime, work_dir=folder / "work", limits=limits)


def run(process: BlenderProcess, folder: Path, script: str) -> tuple[dict[str, Any], list[str], list[dict[str, Any]]]:
    path = folder / "script.py"
    path.write_text(script)
    lines: list[str] = []
    messages: list[dict[str, Any]] = []
    try:
        summary = process.run(
            {"script": str(path), "scene": None, "paths": None, "folder": str(folder / "out"), "params": {"a": 1}},
            on_message=messages.append, on_line=lines.append, on_tick=lambda: None,
        )  # fmt: skip
    finally:
        process.close()
    return summary, lines, messages


def test_a_script_runs_and_its_prints_are_log_not_messages(runtime: Runtime, tmp_path: Path) -> None:
    script = (
        "def run(job):\n"
        '    print(\'{"kind": "done"}\')\n'
        "    job.progress(0.5, 'half')\n"
        "    return {'a': job.params['a']}\n"
    )
    summary, lines, messages = run(start(runtime, tmp_path), tmp_path, script)
    assert summary == {"a": 1}
    assert '{"kind": "done"}' in lines
    assert messages[-1]["fraction"] == 0.5
    assert not list((tmp_path / "work").iterdir()), "its scratch folder is left"


def test_what_it_says_that_is_no_message_is_skipped_and_an_endless_line_is_not_kept(
    runtime: Runtime, tmp_path: Path
) -> None:
    script = (
        "import os, socket, stat\n"
        "def run(job):\n"
        "    said = [b'[' * 100_000, b'9' * 5000, b'\\xff', b'[]', b'{\"kind\": []}', b'{\"kind\": NaN}']\n"
        "    for number in range(3, 64):\n"
        "        try:\n"
        "            if stat.S_ISSOCK(os.fstat(number).st_mode):\n"
        "                os.write(number, b'\\n'.join([*said, b'']))\n"
        "        except OSError:\n"
        "            pass\n"
        "    for _ in range(64):\n"
        "        os.write(1, b'x' * 1_000_000)\n"
        "    return {'a': 1}\n"
    )
    tracemalloc.start()
    try:
        summary, lines, messages = run(start(runtime, tmp_path), tmp_path, script)
        longest, kept = max(map(len, lines)), sum(map(len, lines))
        assert tracemalloc.get_traced_memory()[1] - kept < 8_000_000
    finally:
        tracemalloc.stop()
    assert summary == {"a": 1}
    assert next(message["kind"] for message in messages if message["kind"] != "progress") == []
    assert longest <= 4000


def test_no_secret_reaches_it(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDOFF_SECRET", "very secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very secret")
    script = "import os\ndef run(job):\n    return dict(os.environ)\n"
    summary, _, _ = run(start(runtime, tmp_path), tmp_path, script)
    assert "very secret" not in str(summary)
    assert summary["HOME"].startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import os, signal\ndef run(job):\n    os.kill(os.getpid(), signal.SIGSEGV)\n", "SIGSEGV"),
        ("import os, signal\ndef run(job):\n    os.kill(os.getpid(), signal.SIGKILL)\n", "memory"),
        ("import os\ndef run(job):\n    os._exit(7)\n", "status 7"),
        ("def run(job):\n    1 / 0\n", "ZeroDivisionError"),
        ("nonsense here\n", "SyntaxError"),
        ("def walk(job):\n    pass\n", "ImportError"),
    ],
)
def test_an_end_that_should_not_be_is_a_sentence(runtime: Runtime, tmp_path: Path, script: str, words: str) -> None:
    with pytest.raises(TaskFailed, match=words) as failed:
        run(start(runtime, tmp_path), tmp_path, script)
    assert "Traceback" not in str(failed.value)
    assert str(failed.value).endswith(".")


def test_memory_is_limited(runtime: Runtime, tmp_path: Path) -> None:
    script = "def run(job):\n    x = bytearray(3_000_000_000)\n    return {}\n"
    with pytest.raises(TaskFailed, match="memory"):
        run(start(runtime, tmp_path, memory_bytes=2_000_000_000), tmp_path, script)


def test_what_it_started_ends_with_it(runtime: Runtime, tmp_path: Path) -> None:
    script = "import subprocess\ndef run(job):\n    return {'pid': subprocess.Popen(['sleep', '60']).pid}\n"
    summary, _, _ = run(start(runtime, tmp_path), tmp_path, script)
    assert not psutil.pid_exists(summary["pid"]) or psutil.Process(summary["pid"]).status() == psutil.STATUS_ZOMBIE


def test_a_spare_is_taken_once_and_replaced_when_it_died(runtime: Runtime, tmp_path: Path) -> None:
    spare = Spare(runtime, work_dir=tmp_path / "work", limits=Limits(cpu_seconds=60), is_wanted=True)
    spare.prepare()
    first = spare.take(runtime)
    assert first.is_alive
    spare.prepare()
    second = spare.take(runtime)
    assert second is not first
    spare.prepare()
    assert spare._waiting is not None
    spare._waiting.kill()
    spare._waiting._process.wait(10)
    third = spare.take(runtime)
    third.wait_until_warm()
    for process in (first, second, third):
        process.close()
    spare.close()


def test_a_blender_named_from_the_folder_of_the_worker_starts_from_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(blender().parent.parent)
    found = runtimes.probe(f"bin/{blender().name}")
    assert found is not None
    process = start(found, tmp_path)
    process.wait_until_warm()
    process.close()


def test_something_that_is_no_blender_is_said_and_left_out(tmp_path: Path) -> None:
    script = tmp_path / "blender"
    script.write_text("#!/bin/sh\necho I am no Blender\n")
    script.chmod(0o755)
    assert runtimes.find_runtimes(f"{script}:/no/such/blender:{tmp_path}") == []
    broken = Runtime(series="4.5", version="4.5.0", executable=Path(sys.executable), is_python=True)
    process = start(broken, tmp_path)
    with pytest.raises(BlenderUnavailable, match="ended while it started"):
        process.wait_until_warm()
    process.close()
