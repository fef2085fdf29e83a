"""The outer form of a .blend file: its head, and the blocks it consists of.

Up to Blender 4.x the head is 12 bytes ("BLENDER-v405") and a 64-bit file's block heads are 24; from 5.0 the
head is 17 bytes ("BLENDER17-01v0500") and block heads are 32. Source: Blender, `BLO_core_blend_header.hh` and
`BLO_core_bhead.hh`.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Optional, Union

from .errors import BlendFileError
from .regular_files import open_file, what_begins

try:
    import zstandard as _zstandard
except ImportError:
    _zstandard = None  # type: ignore[assignment]

_CLASSIC = re.compile(rb"BLENDER([_-])([vV])([0-9]{3})")
_MODERN = re.compile(rb"BLENDER([0-9]{2})-([0-9]{2})v([0-9]{4})")
_SHORTEST_HEAD_BYTES, _LONGEST_HEAD_BYTES = 12, 17
_WALK_BUFFER_BYTES = 64 * 1024
#: Enough for the first block of a zstd stream (at most 128 KiB), so that a compressed head can be read.
_FIRST_BYTES = 160 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class BlendHead:
    """What the first bytes of a .blend file say."""

    #: Version of the Blender that saved it: 405 for 4.5. 0 where a compressed file cannot be looked into.
    version: int
    #: The same as people write it: "4.5"; "" where it is not known.
    series: str
    #: Bytes of a pointer in the file's structs: 4 or 8.
    pointer_bytes: int
    little_endian: bool
    #: Bytes of the file's head: 12, or 17 from Blender 5.0.
    head_bytes: int
    #: Bytes of the head of each block: 20, 24, or 32 from Blender 5.0.
    block_head_bytes: int
    #: None, "gzip" (up to Blender 2.9) or "zstd" (from 3.0).
    compressed: Optional[str] = None  # noqa: UP045 - evaluated at run time by hosts that read annotations


def series_of(version: int) -> str:
    """The series of a file version: 405 is "4.5", 293 is "2.93"; "" for 0."""
    return f"{version // 100}.{version % 100}" if version > 0 else ""


def read_head(source: Union[str, Path, bytes]) -> BlendHead:  # noqa: UP007
    """Read the head of a .blend file; of a path the whole file is checked to be complete.

    `source` is a path, or the first bytes of a file (then nothing but the head is looked at). Raises
    BlendFileError where it is not a .blend file or ends too early; OSError where it cannot be read.
    """
    if isinstance(source, bytes):
        return parse_head(source)
    path = Path(source)
    with open_file(path, _WALK_BUFFER_BYTES) as file:
        head = parse_head(file.read(_FIRST_BYTES), f"The file {path.name}")
        if head.compressed is None:
            for _ in iter_blocks(file, head, name=f"The file {path.name}"):
                pass
    return head


def walk_blocks(buffer: Union[bytes, bytearray, memoryview]) -> list[tuple[int, int]]:  # noqa: UP007
    """Offset and size (head of the block included) of every block, ENDB included.

    Raises BlendFileError where the bytes are not an uncompressed .blend file, or end before ENDB.
    """
    head = parse_head(bytes(buffer[:_FIRST_BYTES]))
    if head.compressed:
        raise BlendFileError(f"These bytes are a .blend compressed with {head.compressed}: it has no blocks to walk.")
    return [(offset, size) for offset, size in iter_blocks(io.BytesIO(buffer), head, name="These bytes")]


def iter_blocks(file: BinaryIO, head: BlendHead, *, name: str) -> Iterator[tuple[int, int]]:
    """Offset and size of each block of an open file, ENDB the last; `name` begins the error's sentence.

    The caller may read from `file` between the items. Raises BlendFileError where ENDB is never reached.
    """
    end = file.seek(0, io.SEEK_END)
    unpack = block_head_struct(head)
    size_field = 3 if head.block_head_bytes == 32 else 1
    offset = head.head_bytes
    while True:
        file.seek(offset)
        raw = file.read(head.block_head_bytes)
        if raw[:4] == b"ENDB":
            yield offset, len(raw)
            return
        if len(raw) < head.block_head_bytes:
            break
        body_bytes: int = unpack.unpack(raw)[size_field]
        size = head.block_head_bytes + body_bytes
        if body_bytes < 0 or offset + size > end:
            break
        yield offset, size
        offset += size
    raise BlendFileError(
        f"{name} is damaged or not completely written: it ends after {end} bytes without the end mark of a "
        f".blend file. Save it again in Blender."
    )


def block_head_struct(head: BlendHead) -> struct.Struct:
    """The layout of a block's head: code, size, address, struct, count; from 5.0 code, struct, address, size,
    count.
    """
    order = "<" if head.little_endian else ">"
    layout = {20: "4siIii", 24: "4siQii", 32: "4siQqq"}[head.block_head_bytes]
    return struct.Struct(order + layout)


def parse_head(start: bytes, name: str = "These bytes") -> BlendHead:
    """Read the head out of a file's first bytes; `name` begins the error's sentence."""
    if start.startswith(_GZIP_MAGIC):
        return _compressed(_gunzip_start(start), "gzip", name)
    if start.startswith(_ZSTD_MAGIC):
        return _compressed(_unzstd_start(start), "zstd", name)
    return _plain(start, name)


def _plain(start: bytes, name: str, compressed: str | None = None) -> BlendHead:
    classic = _CLASSIC.match(start)
    if classic:
        wide = classic.group(1) == b"-"
        version = int(classic.group(3))
        return BlendHead(
            version=version,
            series=series_of(version),
            pointer_bytes=8 if wide else 4,
            little_endian=classic.group(2) == b"v",
            head_bytes=12,
            block_head_bytes=24 if wide else 20,
            compressed=compressed,
        )
    modern = _MODERN.match(start)
    if modern and int(modern.group(1)) == _LONGEST_HEAD_BYTES and int(modern.group(2)) == 1:
        version = int(modern.group(3))
        return BlendHead(
            version=version,
            series=series_of(version),
            pointer_bytes=8,
            little_endian=True,
            head_bytes=_LONGEST_HEAD_BYTES,
            block_head_bytes=32,
            compressed=compressed,
        )
    if modern:
        raise BlendFileError(f"{name} is a .blend in a form newer than this version of Sendoff knows. Update Sendoff.")
    raise BlendFileError(f"{name} {_what_it_is(start, is_inside=compressed is not None)}")


def _what_it_is(start: bytes, *, is_inside: bool) -> str:
    """What is wrong with a file that does not begin as a .blend, and what to do."""
    if is_inside and not start:
        return "is damaged: it cannot be decompressed. Save it again in Blender."
    if not start.strip(b"\0"):
        return f"is {'not completely written' if start else 'empty'}. Save it again in Blender."
    if len(start) < _SHORTEST_HEAD_BYTES and b"BLENDER".startswith(start[:7]):
        return "is not completely written. Save it again in Blender."
    kind = what_begins(start)
    if kind:
        return f"is not a .blend file but {kind}."
    return "is not a .blend file: it does not begin as Blender writes it. Send a file that Blender saved."


def _compressed(start: bytes | None, codec: str, name: str) -> BlendHead:
    if start is not None:
        return _plain(start, name, codec)
    return BlendHead(
        version=0,
        series="",
        pointer_bytes=8,
        little_endian=True,
        head_bytes=12,
        block_head_bytes=24,
        compressed=codec,
    )


def _gunzip_start(start: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(start, 64)
    except zlib.error:
        return b""


def _unzstd_start(start: bytes) -> bytes | None:
    """The first bytes inside, b"" where they are damaged, None where this Python cannot tell."""
    if _zstandard is None:
        return None
    try:
        reader = _zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(start)
        return bytes(reader.read(_LONGEST_HEAD_BYTES))
    except _zstandard.ZstdError:
        return None  # its first block is larger than what was read of it
