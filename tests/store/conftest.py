"""A real Valkey for the store's tests, emptied for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from sendoff_store.calls import SyncStore
from sendoff_store.connections import connect
from sendoff_store.embedded import EmbeddedValkey


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey.url


@pytest.fixture
def client(valkey_url: str) -> Iterator[redis.Redis]:
    with connect(valkey_url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def store(client: redis.Redis) -> SyncStore:
    return SyncStore(client)
