"""Files that could not be sent as they were read: they are read again, since another program may be writing them."""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError
from .names import readable

#: Pauses before unsteady files are read again: a picture that is being written is complete after some seconds.
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
#: If no request with a whole chunk passes, the files are cut into smaller ones, and once more.
SMALLER_CHUNKS_BYTES = (128 * 1024, 16 * 1024)
#: So many requests with one chunk are cut before a smaller one is tried.
_CUTS = 3


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file."""

    error: InputError
    #: For a list of files that were left out: "it changed while it was sent".
    reason: str


class UnsteadyFiles:
    """Those of one pass over the files; threads may add some at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[Path, Fault | None] = {}
        #: What was cut again: each size with the offsets of the chunks that were too large, by their file.
        self._splits: list[tuple[int, defaultdict[Path, set[int]]]] = []

    def add(self, path: Path, fault: Fault) -> None:
        """A file changed or cannot be read."""
        with self._lock:
            self._faults[path] = fault

    def keeps(self, path: Path, offset: int, size: int) -> bool:
        """Whether a chunk is not to be sent: its file is read again, at least to cut the chunk into smaller ones."""
        with self._lock:
            if self._splits and size > self._splits[-1][0]:
                self._splits[-1][1][path].add(offset)
                self._faults.setdefault(path, None)
                return True
            return self._faults.get(path) is not None

    def cut_off(self, size: int, cuts: int) -> None:
        """So many requests with nothing but a chunk of this size broke: after some, large chunks are cut again."""
        with self._lock:
            tried = self._splits[-1][0] if self._splits else math.inf
            smaller = next((most for most in SMALLER_CHUNKS_BYTES if most < min(size, tried)), None)
            if cuts >= _CUTS and smaller is not None and size <= tried:
                self._splits.append((smaller, defaultdict(set)))

    def splits(self, path: Path) -> list[tuple[int, frozenset[int]]]:
        """Which chunks of a file are cut again: the most bytes of their parts, and their offsets."""
        with self._lock:
            return [(most, frozenset(offsets[path])) for most, offsets in self._splits if path in offsets]

    def take(self) -> dict[Path, Fault | None]:
        """The files with what is wrong with each, or None if it only has to be cut again; forgets them."""
        with self._lock:
            taken, self._faults = self._faults, {}
            return taken


def changed(path: Path) -> Fault:
    """The bytes of a file are not those that were read before."""
    text = f"The file {readable(str(path))} changed while it was sent. Submit it again when it is completely written."
    return Fault(InputError(text), "it changed while it was sent")


def unreadable(path: Path, error: OSError) -> Fault:
    """The system does not let us read a file."""
    reason = f"cannot be read: {error.strerror or error}"
    text = f"The file {readable(str(path))} {reason}. Close what holds it or allow it to be read, then submit it again."
    return Fault(InputError(text), reason)
