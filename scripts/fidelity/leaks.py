"""Whether the bytes of a file hold a path of the worker."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from pathlib import Path

import zstandard

_ZSTD = b"\x28\xb5\x2f\xfd"
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
MOST_BYTES = 512 * 1024 * 1024


def leaks(path: Path, folders: Iterable[Path]) -> list[str]:
    """The text around each place in the file that names one of the folders; also in what is compressed in it."""
    found = []
    needles = [str(folder).encode() for folder in folders]
    for data in contents(path):
        for needle in needles:
            place = data.find(needle)
            if place >= 0:
                end = re.compile(rb"[\x00-\x1f\"'<>|]").search(data, place)
                text = data[place : end.start() if end else place + 200][:200]
                found.append(text.decode("utf-8", "replace"))
    return list(dict.fromkeys(found))


def contents(path: Path) -> Iterable[bytes]:
    """The file's bytes, and what is in it compressed by zstd or zlib."""
    data = path.read_bytes()[:MOST_BYTES]
    yield data
    if data.startswith(_ZSTD):
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
            yield reader.read(MOST_BYTES)
    elif data.startswith(b"\x1f\x8b"):
        yield zlib.decompressobj(31).decompress(data, MOST_BYTES)
    elif path.suffix.lower() == ".fbx":
        for start in _ZLIB.finditer(data):
            try:
                yield zlib.decompressobj().decompress(data[start.start() : start.start() + (1 << 20)], 1 << 20)
            except zlib.error:
                continue
