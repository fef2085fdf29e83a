"""The check of pinned packages: a known hole fails it, nobody to ask does not."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from types import ModuleType
from typing import Any

import pytest
from tests.stack import ROOT


@pytest.fixture
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_packages", ROOT / "scripts" / "check_packages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(*holes: str, aliases: tuple[str, ...] = ()) -> str:
    found = [{"id": hole, "aliases": list(aliases), "fix_versions": ["9.9"], "description": ""} for hole in holes]
    return json.dumps({"dependencies": [{"name": "urllib3", "version": "2.6.3", "vulns": found}], "fixes": []})


def say(monkeypatch: pytest.MonkeyPatch, check: ModuleType, answers: dict[str, str]) -> list[str]:
    """Have pip-audit say these things, by the file or by the service that is asked; returns who was asked."""
    asked: list[str] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        name, service = (command[command.index(flag) + 1] for flag in ("--requirement", "--vulnerability-service"))
        asked.append(service)
        answer = answers.get(name, answers.get(service, report()))
        if answer == "silence":
            raise subprocess.TimeoutExpired(command, 1)
        return subprocess.CompletedProcess(command, 0, answer, "")

    monkeypatch.setattr(check.subprocess, "run", run)
    return asked


def test_a_hole_when_known_then_the_check_fails_and_names_it(check, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    say(monkeypatch, check, {"constraints.txt": report("CVE-2026-1")})
    assert check.main() == 1
    assert capsys.readouterr().out == "constraints.txt: urllib3 2.6.3 has CVE-2026-1; mended in 9.9.\n"


def test_a_hole_when_ignored_with_a_reason_then_only_in_that_file(check, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    known = report("GHSA-x", aliases=("CVE-2026-44431",))
    say(monkeypatch, check, {"constraints-maya.txt": known})
    assert check.main() == 0
    say(monkeypatch, check, {"constraints.txt": known})
    assert check.main() == 1
    assert "GHSA-x" in capsys.readouterr().out


UNKNOWN = json.dumps({"dependencies": [{"name": "urllib3", "skip_reason": "not found"}], "fixes": []})


@pytest.mark.parametrize("answer", ["silence", "", UNKNOWN])
def test_nobody_to_ask_when_no_service_answers_then_one_line_and_no_failure(  # type: ignore[no-untyped-def]
    check, monkeypatch, capsys, answer: str
) -> None:
    asked = say(monkeypatch, check, {"pypi": answer, "osv": answer})
    assert check.main() == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert set(asked) == {"pypi", "osv"}


def test_the_next_service_when_the_first_knows_nothing_then_it_is_asked(check, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    say(monkeypatch, check, {"pypi": UNKNOWN, "osv": report("PYSEC-1")})
    assert check.main() == 1


def test_every_pin_is_one_release(check) -> None:  # type: ignore[no-untyped-def]
    for name in check.FILES:
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
        assert [line for line in lines if line.count("==") != 1] == [], name
    assert sorted(check.FILES) == sorted(path.name for path in ROOT.glob("constraints*.txt"))
