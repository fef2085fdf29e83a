"""The window system leaves nothing behind, whatever happens, and says in a sentence why it cannot be made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import desktop
from tests.stack import wait_for

START = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from scripts import desktop
process = subprocess.Popen(desktop.command(["sh", "-c", "echo inside; sleep 1000 & wait", sys.argv[2]]))
process.wait()
"""


def processes_with(word: str) -> str:
    return subprocess.run(["pgrep", "-f", word], capture_output=True, text=True, check=False).stdout


@pytest.mark.usefixtures("window_system")
def test_killing_the_starter_ends_everything_inside(tmp_path: Path) -> None:
    word = f"mark-{os.getpid()}"
    command = [sys.executable, "-c", START, str(desktop.ROOT), word]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    assert starter.stdout.readline() == "inside\n"
    assert processes_with(word)
    assert str(desktop.FOLDER) not in Path("/proc/mounts").read_text(), "the host sees what is mounted inside"
    starter.kill()
    starter.wait(10)
    wait_for(lambda: not processes_with(word), "the end of everything inside", seconds=10)
    starter.stdout.close()


@pytest.mark.usefixtures("window_system")
def test_a_command_inside_sees_the_checkout_and_no_other_environment(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SENDOFF_TOKEN", "a secret of the one who runs the tests")
    assert desktop.main(["run", "sh", "-c", "pwd; ls tests/stack.py; env; cat /etc/debian_version"]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith(f"{desktop.ROOT}\ntests/stack.py\n")
    assert "SENDOFF" not in printed
    assert printed.splitlines()[-1].startswith("13")


@pytest.mark.usefixtures("window_system")
def test_its_exit_status_is_handed_on() -> None:
    assert desktop.main(["run", "sh", "-c", "exit 7"]) == 7


def test_without_it_a_command_is_refused_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(desktop, "STAMP", tmp_path / "none")
    assert desktop.main(["run", "true"]) == 1
    assert "make desktop" in capsys.readouterr().err


def test_a_machine_without_apt_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(desktop, "STAMP", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert desktop.main([]) == 1
    assert "this machine has no apt-get" in capsys.readouterr().err


@pytest.mark.usefixtures("window_system")
def test_a_mirror_that_does_not_answer_is_told_and_leaves_no_stamp(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(desktop, "FOLDER", tmp_path / "trixie")
    monkeypatch.setattr(desktop, "STAMP", tmp_path / "trixie" / "sendoff-stamp")
    monkeypatch.setenv(desktop.MIRROR_VARIABLE, "http://127.0.0.1:9/debian")
    assert desktop.main([]) == 1
    said = capsys.readouterr().err
    assert "debootstrap --variant=minbase" in said
    assert "make desktop" in said
    assert not desktop.STAMP.exists()
