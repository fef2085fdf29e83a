"""Where a file is cut into chunks, so that a small edit re-sends little.

A .blend file is cut at its own file blocks: Blender rewrites the whole file on every save, but most blocks come
out byte for byte the same, only elsewhere. A scene of another kind (USD, Maya's own, FBX) is cut behind bytes that
say so themselves, wherever they stand: what is put in before them moves no cut. Any other file, and a .blend that is
compressed or damaged, is cut every 1 MiB. The server neither knows nor checks how a client cuts.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from .blendfile import BlendHead, iter_blocks, parse_head
from .errors import BlendFileError, InputError
from .protocol import CHUNK_BYTES
from .regular_files import open_file

#: A block of at least this size is its own chunk. Half as much would double the manifest and save no more than that.
BLOCK_BYTES = 4 * 1024
#: A run of smaller blocks is not cut before this size.
SHORTEST_RUN_BYTES = 8 * 1024
#: A run of small blocks is cut at this size at the latest.
RUN_BYTES = 256 * 1024
#: A run is cut after a block whose crc32 has these bits all 0: after one in 32.
CUT_MASK = 31

#: The body of a large block is split this often, so that one moved vertex does not re-send 1 MiB.
SPLIT_BYTES = 128 * 1024

#: The kinds of scenes, other than .blend, that are sent again and again with small changes.
MARKED_SUFFIXES = frozenset({".usd", ".usda", ".usdc", ".ma", ".mb", ".fbx", ".abc", ".obj", ".gltf", ".glb", ".ply"})
#: Behind which bytes such a file is cut: a pair that is as rare in binary data as any other, or digits in a text.
MARK = re.compile(rb"\xa7\x3c|417\n| 417|417 ")
#: It is not cut before this size, which is what is sent again for one change.
SHORTEST_MARKED_BYTES = 32 * 1024

_READ_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Chunk:
    """A piece of a file: where it begins, its size in bytes, and the sha256 of it in hex."""

    offset: int
    size: int
    sha256: str


@dataclass(frozen=True)
class FileCut:
    """A file, cut: its size in bytes, the sha256 of the whole in hex, and its chunks in order."""

    size: int
    sha256: str
    chunks: tuple[Chunk, ...]


def cut(path: str | Path) -> FileCut:
    """Cut a file of any content and hash every chunk and the whole.

    Raises OSError where it cannot be read, InputError where it changes meanwhile.
    """
    with Cutting(path) as cutting:
        for _ in cutting:
            pass
        return cutting.result()


class Cutting:
    """A file being cut: iterate over it for chunks as they are hashed, then ask for the `result()`.

    The file is read once, in order, in pieces of about 4 MiB; it is never mapped into memory, since a mapped
    file that another program shortens kills the process that mapped it.

    With `splits` some chunks are cut again: the most bytes of their parts, and their offsets.
    """

    def __init__(self, path: str | Path, *, splits: Iterable[tuple[int, Collection[int]]] = ()) -> None:
        self._path = Path(path)
        self._file: BinaryIO = open_file(self._path)
        self._whole = hashlib.sha256()
        self._chunks: list[Chunk] = []
        self._done = False
        try:
            self.spans = spans(self._file, suffix=self._path.suffix)
            for most, offsets in splits:
                self.spans = [part for span in self.spans for part in _split(span, most if span[0] in offsets else 0)]
        except BaseException:
            self._file.close()
            raise
        #: The file's size in bytes.
        self.size = self.spans[-1][0] + self.spans[-1][1] if self.spans else 0
        self._hasher = ThreadPoolExecutor(1, thread_name_prefix="sendoff-hash")

    def __enter__(self) -> Cutting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file and the hashing thread."""
        self._hasher.shutdown(wait=True)
        self._file.close()

    def __iter__(self) -> Iterator[list[Chunk]]:
        """Hash the file; yields the chunks of one piece of it after another."""
        self._file.seek(0)
        pending: Future[None] | None = None
        for piece in _pieces(self.spans):
            start = piece[0][0]
            wanted = piece[-1][0] + piece[-1][1] - start
            data = self._file.read(wanted)
            if len(data) != wanted:
                raise _changed(self._path)
            if pending is not None:
                pending.result()
            pending = self._hasher.submit(self._whole.update, data)
            view = memoryview(data)
            chunks = [
                Chunk(offset, size, hashlib.sha256(view[offset - start : offset - start + size]).hexdigest())
                for offset, size in piece
            ]
            self._chunks += chunks
            yield chunks
        if pending is not None:
            pending.result()
        if self._file.read(1):
            raise _changed(self._path)
        self._done = True

    def result(self) -> FileCut:
        """The cut file, once iterated to the end."""
        if not self._done:
            raise RuntimeError("The file has not been read to its end.")
        return FileCut(size=self.size, sha256=self._whole.hexdigest(), chunks=tuple(self._chunks))


def spans(file: BinaryIO, *, suffix: str = "") -> list[tuple[int, int]]:
    """Offset and size of every chunk of an open file, in order and without a gap; `suffix` tells what it is."""
    end = file.seek(0, 2)
    file.seek(0)
    if file.read(7) == b"BLENDER":
        file.seek(0)
        try:
            head = parse_head(file.read(32))
            return list(_blend_spans(file, head, end))
        except BlendFileError:
            pass
    if suffix.lower() in MARKED_SUFFIXES:
        return list(_marked_spans(file, end))
    return list(_fixed(0, end))


def _marked_spans(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Cut behind marks, and after 1 MiB at the latest."""
    file.seek(0)
    start, at, held = 0, 0, b""
    while start < end:
        if len(held) - at < CHUNK_BYTES and start + len(held) - at < end:
            held, at = held[at:] + file.read(_READ_BYTES), 0
            if len(held) < min(CHUNK_BYTES, end - start):  # it became shorter meanwhile, which the reader will notice
                yield from _fixed(start, end)
                return
        most = min(at + CHUNK_BYTES, len(held))
        mark = MARK.search(held, at + SHORTEST_MARKED_BYTES, most)
        size = (mark.end() if mark else most) - at
        yield start, size
        start, at = start + size, at + size


def _fixed(start: int, end: int, each: int = CHUNK_BYTES) -> Iterator[tuple[int, int]]:
    while start < end:
        size = min(each, end - start)
        yield start, size
        start += size


def _blend_spans(file: BinaryIO, head: BlendHead, end: int) -> Iterator[tuple[int, int]]:
    """Cut at file blocks.

    The head of a large block goes into the run before it: it holds the address the data had in that session's
    memory, and would otherwise change a chunk of data that is the same.
    """
    run = 0
    at = 0
    for offset, size in iter_blocks(file, head, name="The file"):
        at = offset + size
        if size >= BLOCK_BYTES:
            body = offset + head.block_head_bytes
            yield from _fixed(run, body)
            yield from _fixed(body, at, SPLIT_BYTES)
            run = at
            continue
        if at - run > RUN_BYTES and offset > run:
            yield run, offset - run
            run = offset
        if at - run >= SHORTEST_RUN_BYTES:
            file.seek(offset)
            if not zlib.crc32(file.read(size)) & CUT_MASK:
                yield run, at - run
                run = at
    yield from _fixed(run, end)  # with whatever lies behind the end mark


def _split(span: tuple[int, int], most: int) -> Iterable[tuple[int, int]]:
    return _fixed(span[0], span[0] + span[1], most) if most else (span,)


def _pieces(all_spans: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    piece: list[tuple[int, int]] = []
    size = 0
    for span in all_spans:
        piece.append(span)
        size += span[1]
        if size >= _READ_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _changed(path: Path) -> InputError:
    return InputError(f"The file {path.name} changed while it was read. Submit it again when it is saved.")
