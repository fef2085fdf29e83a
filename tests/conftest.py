"""Every test has a home of its own: no sign-in or hint of the person who runs the tests is read or written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

with contextlib.suppress(ImportError):  # Maya's Python has no hypothesis
    from hypothesis import settings

    settings.register_profile("long", settings.get_profile("ci"), max_examples=800)
    if os.environ.get("CI") == "true":
        settings.load_profile("long")


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("SENDOFF_HOME")
    os.environ["SENDOFF_HOME"] = str(tmp_path_factory.mktemp("home"))
    yield
    if before is None:
        del os.environ["SENDOFF_HOME"]
    else:
        os.environ["SENDOFF_HOME"] = before
