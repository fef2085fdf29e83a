"""Writes the parts of a binary USD layer that hold its tokens."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def crate(tokens: Sequence[str | bytes], *, version: tuple[int, int, int] = (0, 8, 0), pieces: int = 0) -> bytes:
    """A layer with these tokens; since version 0.4.0 they are compressed, in one block or in several."""
    data = b"".join((token.encode() if isinstance(token, str) else token) + b"\0" for token in tokens)
    if version < (0, 4, 0):
        section = struct.pack("<QQ", len(tokens), len(data)) + data
    else:
        if pieces:
            step = max(1, -(-len(data) // pieces))
            blocks = [lz4(data[at : at + step]) for at in range(0, len(data), step)]
            packed = bytes([len(blocks)]) + b"".join(struct.pack("<i", len(block)) + block for block in blocks)
        else:
            packed = b"\0" + lz4(data)
        section = struct.pack("<QQQ", len(tokens), len(data), len(packed)) + packed
    toc = struct.pack("<Q", 2)
    toc += struct.pack("<16sqq", b"STRINGS", 88, 0) + struct.pack("<16sqq", b"TOKENS", 88, len(section))
    head = b"PXR-USDC" + bytes([*version, 0, 0, 0, 0, 0]) + struct.pack("<q", 88 + len(section))
    return head.ljust(88, b"\0") + section + toc


def lz4(data: bytes) -> bytes:
    """A valid LZ4 block: copies of what was just there, else bytes as they are."""
    out, held, at = b"", b"", 0
    while at < len(data):
        best = max(
            ((_match(data, at, back), back) for back in (1, 2, 3, 8, 16) if back <= at), default=(0, 0)
        )  # fmt: skip
        if best[0] >= 4 and at + best[0] < len(data) - 5:
            out += _sequence(held, best[1], best[0])
            held, at = b"", at + best[0]
        else:
            held, at = held + data[at : at + 1], at + 1
    return out + _sequence(held, 0, 0)


def _match(data: bytes, at: int, back: int) -> int:
    length = 0
    while at + length < len(data) and data[at + length] == data[at + length - back]:
        length += 1
    return length


def _sequence(literals: bytes, back: int, length: int) -> bytes:
    short = min(15, max(0, length - 4))
    out = bytes([min(15, len(literals)) << 4 | short]) + _more(len(literals)) + literals
    return out + (struct.pack("<H", back) + _more(length - 4) if back else b"")


def _more(length: int) -> bytes:
    if length < 15:
        return b""
    return b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255])
