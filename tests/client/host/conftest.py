"""What every host application's add-on does alike, as the add-ons have it: modules by name, and small real servers."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.tiny_server import TinyServer, silent, tiny

import sendoff


class Host:
    """The modules of `sendoff.host` by name."""

    sendoff = sendoff

    def __getattr__(self, name: str) -> ModuleType:
        return importlib.import_module(f"sendoff.host.{name}")


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def server() -> Iterator[TinyServer]:
    """A tiny real server, see tiny_server.py."""
    with tiny() as made:
        yield made


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a server that never answers."""
    with silent() as url:
        yield url


class Plain:
    """A host application that is nothing but a folder and a server."""

    accepts = ("blend",)
    product = "addon"

    def __init__(self, folder: Path, choice: Any) -> None:
        self._folder = folder
        self.choice = choice
        self.path = ""

    def folder(self, name: str, *, create: bool = True) -> Path:
        path = self._folder / name
        if create:
            path.mkdir(parents=True, exist_ok=True)
        return path

    def server_choice(self) -> Any:
        return self.choice

    def forget_choice(self) -> None:
        """Nothing is kept."""

    def why_offline(self, _choice: Any) -> str:
        return ""

    def open_path(self) -> str:
        return self.path

    def results_folder(self) -> Path | None:
        return None


@pytest.fixture
def desk(host: Host, server: TinyServer, tmp_path: Path) -> Iterator[Any]:
    """A desk in a plain host, at the tiny server."""
    choice = host.server_choice.ServerChoice(url=server.url, token="good")
    made = host.desk.Desk(Plain(tmp_path / "host", choice))
    made.begin()
    yield made
    made.end()


@pytest.fixture
def submitting(host: Host, desk: Any, tmp_path: Path) -> Any:
    """What sends a small file as the scene."""

    def export(order: Any) -> Any:
        folder = tmp_path / f"copy-{order.params.get('number', 0)}"
        folder.mkdir(exist_ok=True)
        source = folder / "scene.bin"
        source.write_bytes(b"x" * 1000)
        file = sendoff.SceneFile(source=source, path="scene.bin", role="scene")
        submission = sendoff.Submission(task=order.task, files=(file,), title="scene")
        return host.submitting.Export(submission, folder, 1000, {"Body": "1"}, ("a note",))

    return host.submitting.Submitting(desk, export)


class View:
    """Where a plain host shows what goes on: it notes it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.logs: list[Path] = []
        self.tasks: tuple[Any, ...] = ()
        self.bar: Any = None

    def show(self, bar: Any) -> None:
        self.bar = bar

    def is_due(self, _bar: Any) -> bool:
        return False

    def ask_for_redraw(self) -> None:
        """All of it is always drawn."""

    def tell(self, text: str) -> None:
        self.told.append(text)

    def show_log(self, _job: Any, path: Path) -> None:
        self.logs.append(path)

    def take_tasks(self, tasks: tuple[Any, ...]) -> None:
        self.tasks = tasks


@pytest.fixture
def view() -> View:
    return View()


@pytest.fixture
def until(host: Host, desk: Any, view: View) -> Callable[..., None]:
    """Pumps until something holds."""

    def pump_until(condition: Callable[[], Any], limit_seconds: float = 20.0) -> None:
        deadline = time.monotonic() + limit_seconds
        while not condition():
            assert time.monotonic() < deadline, view.bar
            host.pump.work(desk, view)
            if desk.running_session is not None:
                desk.running_session.wait(0.05)

    return pump_until
