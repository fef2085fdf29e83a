"""The built zip, installed by Blender's own call into user folders of the tests; never the source folder itself."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_TEMPORARY = tempfile.TemporaryDirectory(prefix="sendoff-addon-tests-", ignore_cleanup_errors=True)
for _name in [name for name in os.environ if name.startswith("SENDOFF_") and name != "SENDOFF_TEST_BLENDERS"]:
    del os.environ[_name]
os.environ["TMPDIR"] = _TEMPORARY.name  # where Blender puts temporary files without a preference
os.environ["SENDOFF_HOME"] = str(Path(_TEMPORARY.name, "home"))
os.environ["BLENDER_USER_RESOURCES"] = str(Path(_TEMPORARY.name, "blender"))  # read when bpy is imported

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (scripts/setup.py bpy)")

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]


def pytest_unconfigure() -> None:
    _TEMPORARY.cleanup()  # Python's own way out, which would do it, is not taken with Blender


class Addon:
    """The installed add-on: its modules by name."""

    def __init__(self, package: str) -> None:
        self.package = package

    @property
    def host(self) -> Addon:
        """What every host application's add-on does alike."""
        return Addon(f"{self.package}.sendoff.host")

    @property
    def desk(self) -> Any:
        """This Blender's desk."""
        return self.current.desk

    def __getattr__(self, name: str) -> ModuleType:
        try:
            return importlib.import_module(f"{self.package}.{name}")
        except ModuleNotFoundError as error:
            raise AttributeError(name) from error


@pytest.fixture(scope="session")
def addon_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_addon.py", "--out", out],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return Path(built.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def installed(addon_zip: Path) -> Addon:
    bpy.ops.extensions.package_install_files(filepath=str(addon_zip), repo="user_default", enable_on_install=True)
    package = next(addon.module for addon in bpy.context.preferences.addons if addon.module.endswith(".sendoff"))
    return Addon(package)


@pytest.fixture
def addon(installed: Addon, monkeypatch: pytest.MonkeyPatch) -> Iterator[Addon]:
    """The add-on in an empty file, with nothing going on and no server set."""
    monkeypatch.setattr(tempfile, "tempdir", _TEMPORARY.name)
    for name in ("SENDOFF_URL", "SENDOFF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    installed.preferences._chosen = None
    yield installed
    installed.desk.end()
    for job in list(installed.desk.jobs.jobs):
        installed.desk.forget(job)
    # The next test's server may have this one's port.
    installed.desk.tasks, installed.desk._tasks_of = (), ""
    shutil.rmtree(installed.desk.host.folder("server"), ignore_errors=True)
    installed.desk.begin()
    assert not installed.desk.jobs.jobs
    installed.status_bar.shown = installed.host.status.StatusBar()


@pytest.fixture
def server():
    """A tiny real server, see tiny_server.py."""
    from tiny_server import tiny

    with tiny() as running:
        yield running


@pytest.fixture
def signed_in(server, monkeypatch):
    """The tiny server, chosen and signed in to by the environment."""
    monkeypatch.setenv("SENDOFF_URL", server.url)
    monkeypatch.setenv("SENDOFF_TOKEN", "good")
    return server


@pytest.fixture
def silent_server():
    """The URL of a server that never answers."""
    from tiny_server import silent

    with silent() as url:
        yield url
