"""The Maya module as it is built, loaded into the stand-in for Maya (tests/hosts/maya), never from the source."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.runtimes import blenders
from tests.stack import Stack
from tests.tiny_server import TinyServer, silent, tiny

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "hosts"), str(ROOT / "scripts")]

os.environ["BROWSER"] = "true %s"  # before anybody looks for a real one

import build_maya  # noqa: E402
from maya import cmds, standin  # noqa: E402

PACKAGE = "sendoff_maya"


class Plugin:
    """The loaded plug-in: its modules by name, and those of `sendoff.host`."""

    def __init__(self, package: str) -> None:
        self._package = package

    @property
    def host(self) -> Plugin:
        """What every host application's add-on does alike."""
        return Plugin(f"{PACKAGE}.sendoff.host")

    @property
    def desk(self) -> Any:
        """This Maya's desk."""
        return self.current.desk

    def __getattr__(self, name: str) -> ModuleType:
        try:
            return importlib.import_module(f"{self._package}.{name}")
        except ModuleNotFoundError as error:
            raise AttributeError(name) from error


@pytest.fixture(scope="session")
def module_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module, built and unpacked."""
    folder = tmp_path_factory.mktemp("maya-module")
    with zipfile.ZipFile(build_maya.build(folder)) as archive:
        archive.extractall(folder)
    return folder / "sendoff"


@pytest.fixture
def maya(tmp_path: Path, module_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The stand-in, started anew, with the module on Maya's paths; the plug-in is not loaded."""
    for name in [name for name in os.environ if name.startswith("SENDOFF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAYA_PLUG_IN_PATH", str(module_folder / "plug-ins"))
    monkeypatch.syspath_prepend(str(module_folder / "scripts"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    _forget()
    standin.reset(user_app_dir=tmp_path / "maya")
    yield standin
    from maya import state

    if "sendoff_plugin" in state.now.loaded:
        cmds.unloadPlugin("sendoff_plugin")
    _forget()
    shutil.rmtree(temporary, ignore_errors=True)


@pytest.fixture
def plugin(maya: Any) -> Iterator[Plugin]:
    """The plug-in, loaded into a Maya with its window."""
    cmds.loadPlugin("sendoff_plugin")
    yield Plugin(PACKAGE)
    standin.assert_clean()


@pytest.fixture
def server() -> Iterator[TinyServer]:
    """A tiny real server, see tiny_server.py."""
    with tiny() as made:
        made.tasks = [{"name": "mesh.lods", "title": "LODs", "accepts": ["blend", "usd", "usdc", "fbx"]}]
        yield made


@pytest.fixture
def signed_in(maya: Any, server: TinyServer, monkeypatch: pytest.MonkeyPatch) -> TinyServer:
    """The tiny server, chosen and signed in to by the environment."""
    monkeypatch.setenv("SENDOFF_URL", server.url)
    monkeypatch.setenv("SENDOFF_TOKEN", "good")
    return server


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a server that never answers."""
    with silent() as url:
        yield url


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The real server, the real Celery worker and the real Blender."""
    runtimes = os.pathsep.join(map(str, blenders().values()))
    with Stack(tmp_path_factory.mktemp("stack"), SENDOFF_BLENDERS=runtimes) as running:
        yield running


@pytest.fixture
def at_the_stack(maya: Any, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The same, chosen and signed in to by the environment."""
    monkeypatch.setenv("SENDOFF_URL", stack.url)
    monkeypatch.setenv("SENDOFF_TOKEN", stack.token)
    return stack


def _forget() -> None:
    """Each test has the plug-in's modules anew, as a Maya that was just started."""
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
