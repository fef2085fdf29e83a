"""The Content-Encoding of what is sent: `zstd` where this Python has the package `zstandard`, `deflate` (zlib) always.

Reading is bounded: it never makes more bytes than it was allowed to, whatever the body says of itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Union

from .errors import EncodingError

try:
    import zstandard as _zstandard
except ImportError:  # Blender and the server have it; without it zlib is used
    _zstandard = None  # type: ignore[assignment]

Buffer = Union[bytes, bytearray, memoryview]

IDENTITY = "identity"
ZSTD = "zstd"
DEFLATE = "deflate"

_WINDOW_BYTES = 8 * 1024 * 1024
_SLICE_BYTES = 64 * 1024


class Effort(Enum):
    """How hard to compress."""

    #: Hundreds of MB/s with zstd.
    QUICK = "quick"
    #: Where the bytes are few or the network is slow.
    THOROUGH = "thorough"


_ZSTD_LEVELS = {Effort.QUICK: 1, Effort.THOROUGH: 9}
_ZLIB_LEVELS = {Effort.QUICK: 1, Effort.THOROUGH: 6}


def available_encodings() -> tuple[str, ...]:
    """Names of the encodings that this process can read and write, the best one first."""
    return (ZSTD, DEFLATE) if _zstandard else (DEFLATE,)


def choose_encoding(offered: Iterable[str]) -> str:
    """The best encoding that the other side lists and this process has; "identity" where there is none."""
    names = set(offered)
    return next((name for name in available_encodings() if name in names), IDENTITY)


def compress(data: Buffer, encoding: str, effort: Effort = Effort.THOROUGH) -> bytes:
    """The body as it goes over the wire; raises EncodingError for an encoding that this process lacks."""
    return compress_parts([data], encoding, effort)


def compress_parts(parts: Sequence[Buffer], encoding: str, effort: Effort = Effort.THOROUGH) -> bytes:
    """The same for a body in parts, which are never put together: that would hold up every other thread."""
    if encoding == IDENTITY:
        return b"".join(parts)
    if encoding == DEFLATE:
        compressor: Any = zlib.compressobj(_ZLIB_LEVELS[effort])
    else:
        _require(encoding)
        size = sum(len(part) for part in parts)
        compressor = _zstandard.ZstdCompressor(level=_ZSTD_LEVELS[effort]).compressobj(size=size)
    compressed = [compressor.compress(part) for part in parts]
    return b"".join([*compressed, compressor.flush()])


def decompress(body: Buffer, encoding: str, max_bytes: int) -> Buffer:
    """What a body holds, of at most `max_bytes`.

    Raises EncodingError where it would be more, where the body is damaged, cut off or followed by other bytes,
    and for an encoding that this process lacks.
    """
    if encoding == IDENTITY:
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        return body
    if encoding == DEFLATE:
        return _inflate(memoryview(body), max_bytes)
    _require(encoding)
    return _unzstd(body, max_bytes)


def _inflate(body: memoryview, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj()
    parts: list[bytes] = []
    left = max_bytes
    for start in range(0, len(body), _SLICE_BYTES):
        piece: Buffer = body[start : start + _SLICE_BYTES]
        while len(piece) and not inflater.eof:
            try:
                part = inflater.decompress(piece, left + 1)
            except zlib.error as error:
                raise _damaged(error) from error
            left -= len(part)
            if left < 0:
                raise _too_large(max_bytes)
            parts.append(part)
            piece = inflater.unconsumed_tail
        if inflater.eof:
            if inflater.unused_data or start + _SLICE_BYTES < len(body):
                raise _damaged("other bytes follow")
            return b"".join(parts)
    raise _damaged("it is cut off")


def _unzstd(body: Buffer, max_bytes: int) -> bytes:
    try:
        # The size in the frame's head bounds the output; a frame without one is refused.
        parameters = _zstandard.get_frame_parameters(body)
        if parameters.content_size == _zstandard.CONTENTSIZE_UNKNOWN:
            raise _damaged("it does not say how many bytes it holds")
        if parameters.content_size > max_bytes:
            raise _too_large(max_bytes)
        decompressor = _zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
        data: bytes = decompressor.decompress(body, max_output_size=max_bytes, allow_extra_data=False)
    except _zstandard.ZstdError as error:
        raise _damaged(error) from error
    if len(data) != parameters.content_size:
        raise _damaged("it is cut off")
    return data


def _require(encoding: str) -> None:
    if encoding not in available_encodings():
        known = ", ".join(available_encodings())
        raise EncodingError(f"The Content-Encoding {encoding!r} is not known here. Use one of: {known}.")


def _too_large(max_bytes: int) -> EncodingError:
    return EncodingError(f"The body holds more than the {max_bytes} bytes that are allowed. Send it in parts.")


def _damaged(reason: object) -> EncodingError:
    return EncodingError(f"The compressed body is damaged: {reason}. Send it again.")
