"""What every host application's add-on does alike, as the add-ons have it: modules by name, and small real servers."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

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
