"""Files in the chunk store: cut and kept, put together again, or read in part."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from sendoff.chunking import cut
from sendoff.manifest import ChunkRef, FileEntry

from .blobs import BlobStore
from .errors import ChunkDamaged


def store_file(blobs: BlobStore, source: Path, *, path: str, role: str, media_type: str) -> FileEntry:
    """Keep a file's chunks and return its entry; raises DiskFull."""
    found = cut(source)
    with source.open("rb") as file:
        lacking = set(blobs.missing([chunk.sha256 for chunk in found.chunks]))
        for chunk in found.chunks:
            if chunk.sha256 in lacking:
                file.seek(chunk.offset)
                blobs.put(chunk.sha256, file.read(chunk.size))
                lacking.discard(chunk.sha256)
    return FileEntry(
        path=path,
        size=found.size,
        sha256=found.sha256,
        chunks=tuple(ChunkRef(chunk.sha256, chunk.size) for chunk in found.chunks),
        role=role,
        media_type=media_type,
    )


def build_file(
    blobs: BlobStore, entry: FileEntry, target: Path, *, on_chunk: Callable[[int], None] = lambda _size: None
) -> None:
    """Put a file together; `on_chunk` hears of the size of each chunk and may raise to give up.

    Raises ChunkMissing, or ChunkDamaged where it is not the file that was promised.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("xb") as file:
        for chunk in entry.chunks:
            data = blobs.get(chunk.sha256)
            digest.update(data)
            file.write(data)
            on_chunk(len(data))
    if digest.hexdigest() != entry.sha256:
        raise ChunkDamaged(f"The file {entry.path} is not what the client promised. Submit it again.")


def read_range(blobs: BlobStore, entry: FileEntry, start: int, stop: int) -> Iterator[bytes]:
    """The bytes from `start` up to, not including, `stop`; in pieces of at most a chunk."""
    at = 0
    for chunk in entry.chunks:
        if at >= stop:
            return
        if at + chunk.size > start:
            data = blobs.get(chunk.sha256)
            if len(data) != chunk.size:
                raise ChunkDamaged(f"The chunk {chunk.sha256} of {entry.path} has another size than promised.")
            yield data[max(start - at, 0) : stop - at]
        at += chunk.size
