"""Packs: many chunks in the body of one request.

A pack is frames one after another: `<u32 bytes><u8 flags>`, little-endian, and then the chunk's bytes; no flag has
a meaning yet. The body as a whole may have a Content-Encoding: chunks of a scene are often near-duplicates of each
other, so that the whole shrinks ten times as far as each chunk alone. The reader believes no number in it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from .encodings import IDENTITY, Buffer, decompress
from .errors import EncodingError, PackError
from .protocol import CHUNK_BYTES, PACK_BYTES, PACK_CHUNKS, PACK_RAW_BYTES

_FRAME_HEAD = struct.Struct("<IB")
FRAME_HEAD_BYTES = _FRAME_HEAD.size


class PackWriter:
    """Collects chunks into one body; used by one thread at a time."""

    def __init__(self, max_bytes: int = PACK_RAW_BYTES, max_chunks: int = PACK_CHUNKS) -> None:
        self._max_bytes = max_bytes
        self._max_chunks = max_chunks
        self._parts: list[Buffer] = []
        #: Bytes of the body so far, heads included.
        self.size = 0
        #: Chunks in the body so far.
        self.count = 0

    def fits(self, raw_bytes: int) -> bool:
        """Whether a chunk of this size can still be added."""
        return self.size + FRAME_HEAD_BYTES + raw_bytes <= self._max_bytes and self.count < self._max_chunks

    def add(self, raw: Buffer) -> bool:
        """Add a chunk; False where it does not fit any more (the pack is then unchanged)."""
        size = len(raw)
        if not 1 <= size <= CHUNK_BYTES:
            raise PackError(f"A chunk of {size} bytes cannot be packed; 1 to {CHUNK_BYTES} bytes are allowed.")
        if not self.fits(size):
            return False
        self._parts += (_FRAME_HEAD.pack(size, 0), raw)
        self.size += FRAME_HEAD_BYTES + size
        self.count += 1
        return True

    @property
    def parts(self) -> Sequence[Buffer]:
        """The pack without a Content-Encoding, in parts: putting them together would hold up every other thread."""
        return self._parts

    def body(self) -> bytes:
        """The same in one piece."""
        return b"".join(self._parts)


class PackDecoder:
    """Reads a pack that comes in piece by piece; keeps the body as sent, and makes at most `max_raw_bytes` of it.

    `encoding` is the request's Content-Encoding; `max_bytes` limits the body as sent. `finish` is work for a
    thread: it undoes the encoding. Everything that is wrong with the body raises PackError.
    """

    def __init__(
        self, encoding: str = IDENTITY, max_raw_bytes: int = PACK_RAW_BYTES, *, max_bytes: int = PACK_BYTES
    ) -> None:
        self._encoding = encoding
        self._max_raw_bytes = max_raw_bytes
        self._max_bytes = max_bytes
        self._body = bytearray()

    def feed(self, piece: Buffer) -> None:
        """Take the next bytes of the body; raises PackError as soon as they are too many."""
        if len(self._body) + len(piece) > self._max_bytes:
            raise PackError(
                f"The pack is larger than the {self._max_bytes} bytes that are allowed. Send smaller packs."
            )
        self._body += piece

    def finish(self) -> Iterator[bytes]:
        """The chunks, in order, once the body is complete."""
        try:
            raw = decompress(self._body, self._encoding, self._max_raw_bytes)
        except EncodingError as error:
            raise PackError(str(error)) from error
        return iter_frames(raw)


def iter_frames(body: Buffer, *, max_chunk_bytes: int = CHUNK_BYTES, max_chunks: int = PACK_CHUNKS) -> Iterator[bytes]:
    """The chunks of a pack that has no Content-Encoding (any more), in order.

    Raises PackError at the first frame that is cut off, empty, too large, or of a form from the future.
    """
    view = memoryview(body)
    at = 0
    number = 0
    while at < len(view):
        number += 1
        if number > max_chunks:
            raise PackError(f"The pack holds more than {max_chunks} chunks. Send smaller packs.")
        if len(view) - at < FRAME_HEAD_BYTES:
            raise PackError(f"The pack ends in the head of frame {number}. Send the pack again.")
        size, flags = _FRAME_HEAD.unpack_from(view, at)
        at += FRAME_HEAD_BYTES
        if flags:
            raise PackError(
                f"Frame {number} of the pack has the unknown flags {flags}. Update the client or the server."
            )
        if not 1 <= size <= max_chunk_bytes:
            raise PackError(
                f"Frame {number} of the pack says it holds {size} bytes; 1 to {max_chunk_bytes} are allowed."
            )
        if size > len(view) - at:
            raise PackError(f"The pack ends in the middle of frame {number}. Send the pack again.")
        yield bytes(view[at : at + size])
        at += size
