"""What all tests share: a home of their own, and a way out of Blender.

No sign-in or hint of the person who runs the tests is read or written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator

import pytest

with contextlib.suppress(ImportError):  # Maya's Python has no hypothesis
    from hypothesis import settings

    settings.register_profile("long", settings.get_profile("ci"), max_examples=800)
    if os.environ.get("CI") == "true":
        settings.load_profile("long")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)

EXIT_STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave without Blender's own way out, which crashes in 4.2 and hangs in 4.5 while Python holds its data."""
    if "bpy" in sys.modules and EXIT_STATUS in config.stash:
        shutil.rmtree(sys.modules["bpy"].app.tempdir, ignore_errors=True)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(config.stash[EXIT_STATUS])


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("SENDOFF_HOME")
    os.environ["SENDOFF_HOME"] = str(tmp_path_factory.mktemp("home"))
    yield
    if before is None:
        del os.environ["SENDOFF_HOME"]
    else:
        os.environ["SENDOFF_HOME"] = before
