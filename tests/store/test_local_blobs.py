from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from sendoff_store.errors import ChunkMissing, DiskFull
from sendoff_store.local_blobs import LocalBlobs
from sendoff_store.memory_blobs import MemoryBlobs


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(params=["local", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> LocalBlobs | MemoryBlobs:
    return LocalBlobs(tmp_path / "chunks") if request.param == "local" else MemoryBlobs()


def test_a_chunk_comes_back_as_it_went_in_and_is_kept_once(blobs: LocalBlobs | MemoryBlobs) -> None:
    data = b"chunk" * 1000
    name = name_of(data)
    assert blobs.missing([name]) == [name]
    assert blobs.put(name, data)
    assert not blobs.put(name, data)
    assert blobs.get(name) == data
    assert blobs.missing([name]) == []
    assert [(found, size) for found, size, _ in blobs.ages()] == [(name, len(data))]


def test_a_chunk_that_is_not_there_is_named(blobs: LocalBlobs | MemoryBlobs) -> None:
    with pytest.raises(ChunkMissing, match="0" * 64):
        blobs.get("0" * 64)
    blobs.delete("0" * 64)


def test_many_threads_may_write_the_same_chunk(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    data = b"x" * 300_000
    threads = [threading.Thread(target=blobs.put, args=(name_of(data), data)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert blobs.get(name_of(data)) == data
    assert [path.name for path in tmp_path.glob("*/*/*")] == [name_of(data)]


def test_a_disk_below_its_reserve_refuses_with_what_to_do(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path, reserve_bytes=1 << 60)
    with pytest.raises(DiskFull, match="disk is full"):
        blobs.put(name_of(b"a"), b"a")
    assert list(tmp_path.glob("*/*/*")) == []
