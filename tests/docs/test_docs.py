"""The documentation is true: its links, settings, commands and code are those of the product."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic_settings import BaseSettings
from tests.docs.pages import NAMES, PAGES, anchors, blocks, marked, prose
from tests.runtimes import blender, blenders
from tests.stack import ROOT, Stack

import sendoff.cli.app
import sendoff_server.cli
import sendoff_worker.cli
from sendoff_server.settings import ServerSettings
from sendoff_worker.settings import WorkerSettings

SETTING = re.compile(r"SENDOFF_[A-Z][A-Z_]*[A-Z]")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_relative_to(ROOT), target
        assert there.exists(), f"{page.name} links to {target}, which is not there"
        assert not anchor or anchor in anchors(there), f"{page.name} links to {target}, which has no such heading"


def test_every_page_is_reached_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"(docs/{page.name})" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_path_of_a_machine_and_no_registry_is_named(page: Path) -> None:
    assert (
        re.findall(r"/(?:root|work|home/\w+)/\S*|index-url\S*|https?://\S*(?:pypi|simple/)\S*", page.read_text()) == []
    )


def settings_of(kind: type[BaseSettings]) -> set[str]:
    return {f"SENDOFF_{name.upper()}" for name in kind.model_fields}


def settings() -> set[str]:
    return settings_of(ServerSettings) | settings_of(WorkerSettings)


def settings_of_the_client() -> set[str]:
    sources = [*(ROOT / "client" / "sendoff").rglob("*.py"), *(ROOT / "addon").glob("*.py")]
    return {name for path in sources for name in re.findall(rf'environ\.get\("({SETTING.pattern})"', path.read_text())}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    assert set(SETTING.findall(page.read_text())) - settings() - settings_of_the_client() == set()


def documented_settings() -> dict[str, str]:
    """The settings in the tables of docs/administrator.md, with the column that tells the default."""
    rows = re.findall(
        rf"^\| `({SETTING.pattern})` \| (.*?) \| .* \|$", prose(ROOT / "docs/administrator.md"), re.MULTILINE
    )
    assert len(rows) == len({name for name, _ in rows}), "a setting stands in two tables"
    return dict(rows)


def test_every_setting_is_in_the_administrators_tables() -> None:
    assert set(documented_settings()) == settings()


def test_every_setting_of_the_client_is_in_the_commands_table() -> None:
    text = prose(ROOT / "docs/command.md")
    assert {name for name in settings_of_the_client() if f"| `{name}` |" not in text} == set()


@pytest.mark.parametrize("kind", [ServerSettings, WorkerSettings])
def test_defaults_are_as_the_tables_say(kind: type[BaseSettings]) -> None:
    told = documented_settings()
    for name, field in kind.model_fields.items():
        default: Any = field.default
        if field.default_factory is not None or default == "":
            continue  # told in words
        cell = told[f"SENDOFF_{name.upper()}"]  # a default of several words is quoted
        text = cell.split("`")[1] if cell.startswith("`") else cell.split(" ")[0]
        assert text == (str(default).lower() if isinstance(default, bool) else str(default)), name


def test_every_key_of_the_settings_file_in_the_docs_exists() -> None:
    (text,) = [block.text for block in blocks(ROOT / "docs/administrator.md") if block.language == "toml"]
    assert {f"SENDOFF_{name.upper()}" for name in tomllib.loads(text)} <= settings()


def command_lines() -> list[tuple[str, list[str]]]:
    """Every line of a shell block that runs one of our commands: where it stands, and its words from the name on."""
    found = []
    for page, name in zip(PAGES, NAMES, strict=True):
        for block in blocks(page):
            if block.language != "sh":
                continue
            for line in block.text.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                starts = [at for at, word in enumerate(words) if word in ("sendoff", "sendoff-server")]
                if starts:
                    found.append((name, words[starts[0] :]))
    return found


def check_line(words: list[str]) -> None:
    """Have the command itself read a line, without running it. Raises where it would not understand it."""
    name, *arguments = words
    if words[:2] == ["sendoff-server", "worker"]:
        worker_parser().parse_args([word for word in arguments[1:] if word not in ("--", "--help")])
        return
    app = sendoff.cli.app.app if name == "sendoff" else sendoff_server.cli.app
    group = typer.main.get_command(app)
    sub, *rest = arguments
    if sub.startswith("-"):
        group.make_context(name, arguments, resilient_parsing=True)
        return
    command = group.commands[sub]  # type: ignore[attr-defined]
    command.make_context(sub, rest)


def worker_parser() -> argparse.ArgumentParser:
    """The worker's own parser, taken at the moment when it would read the command line."""

    class Taken(Exception):
        pass

    def take(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> Any:
        raise Taken(parser)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", take)
        with pytest.raises(Taken) as caught:
            sendoff_worker.cli.main([])
    parser = caught.value.args[0]
    assert isinstance(parser, argparse.ArgumentParser)
    return parser


LINES = command_lines()


@pytest.mark.parametrize(("page", "words"), LINES, ids=[f"{page}: {' '.join(words)[:70]}" for page, words in LINES])
def test_every_command_line_is_understood(page: str, words: list[str]) -> None:
    check_line(words)


@pytest.mark.parametrize("words", [["sendoff", "frobnicate"], ["sendoff", "jobs", "--nope"],
                                   ["sendoff-server", "worker", "--nope"]])  # fmt: skip
def test_a_wrong_command_line_would_be_noticed(words: list[str]) -> None:
    with pytest.raises(BaseException, match=r"frobnicate|--nope|2"):
        check_line(words)


def test_every_command_and_option_is_in_the_docs() -> None:
    text = (ROOT / "docs/command.md").read_text()
    for sub, command in typer.main.get_command(sendoff.cli.app.app).commands.items():  # type: ignore[attr-defined]
        assert f"`sendoff {sub}" in text, sub
        options = {opt for parameter in command.params for opt in parameter.opts if opt.startswith("--")}
        assert {option for option in options - {"--help"} if option not in text} == set(), sub
    text = (ROOT / "docs/administrator.md").read_text()
    for sub in typer.main.get_command(sendoff_server.cli.app).commands:  # type: ignore[attr-defined]
        assert f"sendoff-server {sub}" in text, sub


def test_every_exit_status_is_in_the_docs() -> None:
    text = (ROOT / "docs/command.md").read_text()
    assert [status for status in sendoff.cli.app.Exit if f"\n| {status.value} | " not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_python_and_json_in_the_docs_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            compile(block.text, page.name, "exec")
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "toml":
            tomllib.loads(block.text)


ROOMS = {
    "client/sendoff/host": r"what is known and said|threads and disk|what is done",
    "addon": r"Blender: [^|]*",
    "maya_plugin/scripts/sendoff_maya": r"Maya: [^|]*",
}


@pytest.mark.parametrize("room", ROOMS)
def test_each_module_of_the_hosts_is_in_the_architecture(room: str) -> None:
    rows = re.findall(rf"^\| (?:{ROOMS[room]}) \| (.*) \|$", prose(ROOT / "docs/architecture.md"), re.MULTILINE)
    told = [name for text in rows for name in re.findall(r"`(\w+)`", text)]
    assert sorted(told) == sorted(path.stem for path in (ROOT / room).glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("room", ["client/sendoff", "client/sendoff/host"])
def test_the_sdk_knows_no_host_application(room: str) -> None:
    knows_one = re.compile(r"^\s*(?:import|from) (?:bpy|bmesh|mathutils|maya)\b", re.MULTILINE)
    assert [path.name for path in (ROOT / room).glob("*.py") if knows_one.search(path.read_text())] == []


def test_make_targets_in_the_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"(?:^ *|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= targets, page.name


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what docs/tasks.md shows, under the names that it gives."""
    folder = tmp_path_factory.mktemp("docs")
    for name, text in marked("docs/tasks.md", "file").items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def stack(tasks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(
        tmp_path_factory.mktemp("stack"),
        SENDOFF_BLENDERS=os.pathsep.join(map(str, blenders().values())),
        SENDOFF_TASK_PATH=str(tasks / "tasks"),
        SENDOFF_CONCURRENCY="1",
    ) as stack:
        yield stack


def test_the_tasks_of_the_docs_load_as_the_docs_test_them(tasks: Path, stack: Stack) -> None:
    (text,) = marked("docs/tasks.md", "run").values()  # asks the registry, in a process of its own
    assert "most_mb" in run_python(text, tasks)
    assert "studio.report" in stack.run("tasks").stdout
    assert "tasks.failed" not in stack.logs()


def test_the_example_task_runs_through_the_command(stack: Stack, tmp_path: Path) -> None:
    scene = tmp_path / "scene.txt"
    scene.write_bytes(b"x" * 2_000_000)
    out = tmp_path / "results"
    done = stack.run("submit", scene, "--task", "studio.report", "--set", "most_mb=1", "--wait", "--out", out)
    assert done.returncode == 0, done.stderr + stack.logs()
    assert json.loads((out / "sizes.json").read_text()) == {"scene.txt": 2_000_000}
    assert "scene.txt is larger than 1 MB" in done.stderr
    done = stack.run("submit", scene, "--task", "studio.report", "--set", "most_mb=0", "--wait")
    assert done.returncode == 5
    assert "most_mb is 0" in done.stderr


def test_the_blender_task_runs_through_the_command(stack: Stack, scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    done = stack.run("submit", scene, "--task", "studio.objects", "--wait", "--out", out)
    assert done.returncode == 0, done.stderr + stack.logs()
    assert (out / "objects.txt").read_text().split() == ["Cube"]
    done = stack.run("submit", scene, "--task", "studio.objects", "--set", "kind=ARMATURE", "--wait")
    assert done.returncode == 6
    assert "Choose another kind" in done.stderr


def test_the_python_of_the_tds_page_runs(stack: Stack, scene: Path) -> None:
    first, second = marked("docs/td.md", "run").values()
    said = run_python(first, scene.parent, stack.environment)
    assert "online" in said
    assert "succeeded" in said
    assert (scene.parent / "results" / "lods.blend").is_file()
    assert "succeeded" in run_python(second, scene.parent, stack.environment)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "car.blend"
    script = (
        "import bpy, sys; bpy.ops.wm.read_factory_settings(use_empty=True); bpy.ops.mesh.primitive_cube_add();"
        "bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])"
    )
    subprocess.run([blender(), "-c", script, path], check=True, capture_output=True, timeout=120)
    return path


def run_python(text: str, folder: Path, environment: dict[str, str] | None = None) -> str:
    """Run a block of the docs in a folder as a person would; returns what it prints."""
    done = subprocess.run([sys.executable, "-c", text], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
