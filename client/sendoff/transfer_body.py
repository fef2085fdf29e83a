"""The body of an upload's request, read in small pieces, and the progress that comes of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from .encodings import Buffer

#: Called with the bytes that the server has, the bytes of all files, and the bytes sent over the wire so far.
#: Calls come from several threads, one at a time, at most about 20 a second and once at the end.
UploadProgress = Callable[[int, int, int], None]

_PIECE_BYTES = 64 * 1024
_REPORT_SECONDS = 0.05


class Body:
    """A pack that is read by `requests` in small pieces, so that a slow network is no broken one."""

    def __init__(self, parts: Sequence[Buffer], raw_bytes: int, progress: Progress, check: Callable[[], None]) -> None:
        self._size = sum(len(part) for part in parts)
        self._pieces = _pieces(parts)
        self._raw_bytes = raw_bytes
        self._progress = progress
        self._check = check
        self._at = 0
        self._counted = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Buffer]:
        while True:
            piece = self.read()
            if not piece:
                return
            yield piece

    def read(self, _size: int = -1) -> Buffer:
        """The next piece, of a size that we choose."""
        self._check()
        piece = next(self._pieces, b"")
        self._at += len(piece)
        counted = self._raw_bytes * self._at // max(1, self._size)
        self._progress.add(done=counted - self._counted, wire=len(piece))
        self._counted = counted
        return piece

    def take_back(self) -> None:
        """Count what was read as not arrived."""
        self._progress.add(done=-self._counted)
        self._counted = 0

    def settle(self) -> None:
        """Count all of it as arrived."""
        self._progress.add(done=self._raw_bytes - self._counted)
        self._counted = self._raw_bytes


class Progress:
    """What was sent so far, of all threads together.

    The number of bytes never goes back: what did not arrive is sent again, and until then the number stands still.
    """

    def __init__(self, callback: UploadProgress | None) -> None:
        self._callback = callback
        self._lock = threading.Lock()
        self._done = self._shown = self._wire = 0
        self._reported_at = 0.0
        self.total = 0

    def add(self, *, done: int = 0, wire: int = 0) -> None:
        """Count bytes of the files that arrived, and bytes on the wire."""
        with self._lock:
            self._done += done
            self._wire += wire
            now = time.monotonic()
            if self._callback and now - self._reported_at >= _REPORT_SECONDS:
                self._reported_at = now
                self._shown = max(self._shown, min(self._done, self.total))
                self._callback(self._shown, self.total, self._wire)

    def sent(self, wire: int) -> None:
        """Count bytes on the wire."""
        self.add(wire=wire)

    def finish(self) -> None:
        """Everything arrived."""
        with self._lock:
            if self._callback:
                self._callback(self.total, self.total, self._wire)


def _pieces(parts: Iterable[Buffer]) -> Iterator[Buffer]:
    """The same bytes in pieces of about 64 KiB: small parts together, large ones apart."""
    small: list[Buffer] = []
    size = 0
    for part in parts:
        view = memoryview(part)
        while size + len(view) >= _PIECE_BYTES:
            small.append(view[: _PIECE_BYTES - size])
            view = view[_PIECE_BYTES - size :]
            yield small[0] if len(small) == 1 else b"".join(small)
            small, size = [], 0
        if view:
            small.append(view)
            size += len(view)
    if small:
        yield b"".join(small)
