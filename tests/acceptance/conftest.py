"""One whole stack for the tests that only use it; those that break it start their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtimes import blenders
from tests.stack import Stack

from sendoff import Client


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    runtimes = os.pathsep.join(map(str, blenders().values()))
    with Stack(tmp_path_factory.mktemp("stack"), SENDOFF_BLENDERS=runtimes, SENDOFF_CONCURRENCY="2") as stack:
        yield stack


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.url, stack.token) as client:
        yield client


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for scenes that several tests use."""
    return tmp_path_factory.mktemp("scenes")
