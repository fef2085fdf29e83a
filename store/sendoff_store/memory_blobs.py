"""Chunks in memory: the same behaviour without a disk, for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from .errors import ChunkMissing


class MemoryBlobs:
    """A dictionary with the interface of a store."""

    def __init__(self) -> None:
        self._chunks: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of the names that are not here; the life of the others is renewed."""
        with self._lock:
            for name in names:
                if name in self._chunks:
                    self._chunks[name] = (self._chunks[name][0], time.time())
            return [name for name in names if name not in self._chunks]

    def put(self, name: str, data: bytes) -> bool:
        """Keep a chunk if it is not here yet."""
        with self._lock:
            if name in self._chunks:
                return False
            self._chunks[name] = (bytes(data), time.time())
            return True

    def get(self, name: str) -> bytes:
        """A chunk's bytes."""
        with self._lock:
            if name not in self._chunks:
                raise ChunkMissing(name)
            return self._chunks[name][0]

    def delete(self, name: str) -> None:
        """Forget a chunk."""
        with self._lock:
            self._chunks.pop(name, None)

    def ages(self) -> Iterator[tuple[str, int, float]]:
        """Every chunk with its size and the time it was last asked for."""
        with self._lock:
            found = [(name, len(data), at) for name, (data, at) in self._chunks.items()]
        yield from found

    def check_writable(self) -> None:
        """Memory is always writable."""
