"""Whether the packs of an upload are compressed, and how hard."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .encodings import IDENTITY, Buffer, Effort, compress, compress_parts

#: A body is sent compressed only where it shrinks below this share.
WORTHWHILE = 0.95
#: Where the server lacks less than this share of what it was asked for, and less than so many bytes, the packs are
#: few and near-duplicates of each other: worth every effort, on the quickest network too.
_LITTLE_SHARE = 0.25
_LITTLE_BYTES = 64 * 1024 * 1024
#: So much is sent compressed before the speed of the network may speak against it.
_TRIAL_BYTES = 8 * 1024 * 1024
#: A server on this machine takes bytes faster than this, or it is not on this machine but behind a tunnel.
_LOOPBACK_BYTES_PER_SECOND = 50e6
#: Below this speed of a connection the best compression is quicker than the wire.
_SLOW_BYTES_PER_SECOND = 5e6
_SAMPLE_BYTES = 8 * 1024
_SAMPLES = 16


class Compression:
    """Learns from what was sent: compresses at first, later only while that is quicker than the bytes as they are.

    With `loopback`, for a server on this machine, the first bytes go as they are.
    """

    def __init__(self, encoding: str, *, loopback: bool = False) -> None:
        self._encoding = encoding
        self._loopback = loopback
        self._lock = threading.Lock()
        self._asked_bytes = self._lacking_bytes = 0
        self._raw_bytes = 0
        self._encode_rate = 0.0
        self._share = 0.0
        self._wire_rate = 0.0

    def asked(self, raw_bytes: int, lacking_bytes: int) -> None:
        """The server was asked for so many bytes and lacks so many of them."""
        with self._lock:
            self._asked_bytes += raw_bytes
            self._lacking_bytes += lacking_bytes

    def encode(self, parts: Sequence[Buffer], chunks: Sequence[Buffer]) -> tuple[Sequence[Buffer], str]:
        """The parts of a pack of some chunks as they are to be sent, and their Content-Encoding."""
        effort = self._effort()
        if effort is None or (effort is Effort.QUICK and not self._shrinks(chunks)):
            return parts, IDENTITY
        encoded = compress_parts(parts, self._encoding, effort)
        size = sum(len(part) for part in parts)
        return ([encoded], self._encoding) if len(encoded) < size * WORTHWHILE else (parts, IDENTITY)

    def learn(
        self, encoding: str, *, raw_bytes: int, wire_bytes: int, encode_seconds: float, send_seconds: float
    ) -> None:
        """A pack was sent, and took so long."""
        with self._lock:
            self._raw_bytes += raw_bytes
            self._wire_rate = _mean(self._wire_rate, wire_bytes / max(send_seconds, 1e-6))
            if encoding != IDENTITY:
                self._encode_rate = _mean(self._encode_rate, raw_bytes / max(encode_seconds, 1e-6))
                self._share = _mean(self._share, wire_bytes / max(1, raw_bytes))

    def _effort(self) -> Effort | None:
        """How hard to compress the next pack; None for not at all."""
        if self._encoding == IDENTITY:
            return None
        with self._lock:
            if self._lacking_bytes < min(_LITTLE_BYTES, self._asked_bytes * _LITTLE_SHARE):
                return Effort.THOROUGH
            if self._wire_rate and self._wire_rate < _SLOW_BYTES_PER_SECOND:
                return Effort.THOROUGH
            if self._loopback and (not self._wire_rate or self._wire_rate > _LOOPBACK_BYTES_PER_SECOND):
                return None
            if self._raw_bytes < _TRIAL_BYTES or not self._encode_rate or not self._wire_rate:
                return Effort.QUICK
            saved = (1.0 - self._share) / self._wire_rate
            return Effort.QUICK if saved > 1.0 / self._encode_rate else None

    def _shrinks(self, chunks: Sequence[Buffer]) -> bool:
        """Whether a sample from the middle of some chunks gets smaller: noise and JPEGs do not."""
        step = max(1, len(chunks) // _SAMPLES)
        parts = []
        for chunk in chunks[::step]:
            middle = max(0, len(chunk) - _SAMPLE_BYTES) // 2
            parts.append(memoryview(chunk)[middle : middle + _SAMPLE_BYTES])
        sample = b"".join(parts)
        return len(compress(sample, self._encoding, Effort.QUICK)) < len(sample) * WORTHWHILE


def _mean(before: float, now: float) -> float:
    return (before + now) / 2 if before else now
