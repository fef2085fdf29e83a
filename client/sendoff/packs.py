"""Packs: many chunks in the body of one request.

A pack is frames one after another. A frame is `<u32 stored_bytes><u8 codec><u32 raw_bytes>`, little-endian,
and then the stored bytes. The reader believes none of the three numbers.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any, Union

from .errors import PackError
from .protocol import CHUNK_BYTES, PACK_BYTES

try:
    import zstandard as _zstandard
except ImportError:  # Blender and the server have it; without it zlib is used
    _zstandard = None  # type: ignore[assignment]

Buffer = Union[bytes, bytearray, memoryview]

FRAME_HEAD_BYTES = 9
_FRAME_HEAD = struct.Struct("<IBI")

#: A chunk is compressed only where a sample from its middle shrinks below this share.
WORTHWHILE = 0.95
_SAMPLE_BYTES = 8 * 1024
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024

_per_thread = threading.local()


class Codec(IntEnum):
    """How a frame's bytes are stored; the value is the frame's flag byte."""

    RAW = 0
    ZLIB = 1
    ZSTD = 2

    @property
    def wire_name(self) -> str:
        """As `GET /v1/server` lists it."""
        return self.name.lower()


def available_codecs() -> tuple[str, ...]:
    """Names of the codecs that this process can read and write."""
    return ("raw", "zlib", "zstd") if _zstandard else ("raw", "zlib")


def choose_codec(offered: Iterable[str]) -> Codec:
    """The best codec that the other side lists and this process has."""
    names = set(offered) & set(available_codecs())
    if "zstd" in names:
        return Codec.ZSTD
    return Codec.ZLIB if "zlib" in names else Codec.RAW


def encode_frame(raw: Buffer, codec: Codec = Codec.ZLIB) -> bytes:
    """One frame of `raw` (1 byte to 1 MiB), compressed where that pays and left raw where it does not."""
    head, stored = _encode(raw, codec)
    return head + bytes(stored)


class PackWriter:
    """Collects chunks into one body of at most `max_bytes`; used by one thread at a time."""

    def __init__(self, codec: Codec = Codec.ZLIB, max_bytes: int = PACK_BYTES) -> None:
        self._codec = codec
        self._max_bytes = max_bytes
        self._parts: list[Buffer] = []
        #: Bytes of the body so far.
        self.size = 0
        #: Chunks in the body so far.
        self.count = 0

    def add(self, raw: Buffer) -> bool:
        """Add a chunk; False where it does not fit any more (the pack is then unchanged)."""
        head, stored = _encode(raw, self._codec)
        size = len(head) + len(stored)
        if self.size + size > self._max_bytes:
            return False
        self._parts += (head, stored)
        self.size += size
        self.count += 1
        return True

    def body(self) -> bytes:
        """The pack as it goes over the wire."""
        return b"".join(self._parts)


def iter_frames(body: Buffer, *, max_chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The chunks of a pack, in order.

    Never makes more than `max_chunk_bytes` (plus one byte) out of a frame, whatever the frame says.
    Raises PackError at the first frame that is cut off, too large, or not what it says.
    """
    view = memoryview(body)
    at = 0
    number = 0
    while at < len(view):
        number += 1
        if len(view) - at < FRAME_HEAD_BYTES:
            raise PackError(f"The pack ends in the head of frame {number}. Send the pack again.")
        stored_bytes, flag, raw_bytes = _FRAME_HEAD.unpack_from(view, at)
        at += FRAME_HEAD_BYTES
        if not 1 <= raw_bytes <= max_chunk_bytes:
            raise PackError(
                f"Frame {number} of the pack says it holds {raw_bytes} bytes; 1 to {max_chunk_bytes} are allowed."
            )
        if stored_bytes > len(view) - at:
            raise PackError(f"The pack ends in the middle of frame {number}. Send the pack again.")
        yield _decode(view[at : at + stored_bytes], flag, raw_bytes, number)
        at += stored_bytes


def _encode(raw: Buffer, codec: Codec) -> tuple[bytes, Buffer]:
    size = len(raw)
    if not 1 <= size <= CHUNK_BYTES:
        raise PackError(f"A chunk of {size} bytes cannot be packed; 1 to {CHUNK_BYTES} bytes are allowed.")
    if codec is not Codec.RAW and _shrinks(raw, codec):
        stored = _compress(raw, codec)
        if len(stored) < size * WORTHWHILE:
            return _FRAME_HEAD.pack(len(stored), codec, size), stored
    return _FRAME_HEAD.pack(size, Codec.RAW, size), raw


def _shrinks(raw: Buffer, codec: Codec) -> bool:
    if len(raw) <= 4 * _SAMPLE_BYTES:
        return True
    middle = (len(raw) - _SAMPLE_BYTES) // 2
    sample = memoryview(raw)[middle : middle + _SAMPLE_BYTES]
    return len(_compress(sample, codec)) < _SAMPLE_BYTES * WORTHWHILE


def _compress(raw: Buffer, codec: Codec) -> bytes:
    if codec is Codec.ZLIB:
        return zlib.compress(raw, 1)
    if _zstandard is None:
        raise PackError("This Python has no module `zstandard`; use the codec zlib.")
    compressor = getattr(_per_thread, "zstd_compressor", None)
    if compressor is None:
        compressor = _per_thread.zstd_compressor = _zstandard.ZstdCompressor(level=1)
    compressed: bytes = compressor.compress(raw)
    return compressed


def _decode(stored: memoryview, flag: int, raw_bytes: int, number: int) -> bytes:
    if flag == Codec.RAW:
        raw = bytes(stored)
    elif flag == Codec.ZLIB:
        raw = _inflate(stored, raw_bytes, number)
    elif flag == Codec.ZSTD:
        raw = _unzstd(stored, raw_bytes, number)
    else:
        raise PackError(f"Frame {number} of the pack has the unknown codec {flag}. Update the client or the server.")
    if len(raw) != raw_bytes:
        raise PackError(f"Frame {number} of the pack does not hold the {raw_bytes} bytes it says.")
    return raw


def _inflate(stored: memoryview, raw_bytes: int, number: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(stored, raw_bytes + 1)
        if len(raw) == raw_bytes and not inflater.eof:  # the checksum may not have been read yet
            raw += inflater.decompress(inflater.unconsumed_tail, 1)
    except zlib.error as error:
        raise PackError(f"Frame {number} of the pack is damaged: {error}. Send the pack again.") from error
    if not inflater.eof or inflater.unused_data:
        raise PackError(f"Frame {number} of the pack does not hold the {raw_bytes} bytes it says.")
    return raw


def _unzstd(stored: memoryview, raw_bytes: int, number: int) -> bytes:
    if _zstandard is None:
        raise PackError("The pack is compressed with zstd, which this server cannot read. Use zlib.")
    try:
        # The content size in the frame's own head bounds the output; a frame without one is refused.
        if _content_size(stored) != raw_bytes:
            raise PackError(f"Frame {number} of the pack does not hold the {raw_bytes} bytes it says.")
        decompressor = _decompressor()
        raw: bytes = decompressor.decompress(stored, max_output_size=raw_bytes, allow_extra_data=False)
    except _zstandard.ZstdError as error:
        raise PackError(f"Frame {number} of the pack is damaged: {error}. Send the pack again.") from error
    return raw


def _content_size(stored: memoryview) -> int:
    return int(_zstandard.get_frame_parameters(stored).content_size)


def _decompressor() -> Any:
    decompressor = getattr(_per_thread, "zstd_decompressor", None)
    if decompressor is None:
        decompressor = _per_thread.zstd_decompressor = _zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    return decompressor
