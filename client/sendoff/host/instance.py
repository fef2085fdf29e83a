"""Which run of the host application keeps which jobs: each holds a lock, so that a second one leaves its jobs alone."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .. import file_lock

_SUFFIX = ".lock"
#: The lock of the Blender that takes up jobs; no instance has this name.
_BEGINNING = f"beginning{_SUFFIX}"
_LOOK_SECONDS = 0.02


def is_locked(folder: Path, name: str) -> bool:
    """Whether the host application of that name runs, by its lock in a folder; what is left of one that ended goes."""
    path = folder / f"{name}{_SUFFIX}"
    try:
        with path.open("rb+") as file:
            if not file_lock.take(file):
                return True
    except OSError:
        return False
    with contextlib.suppress(OSError):
        path.unlink()
    return False


@contextlib.contextmanager
def alone(folder: Path, timeout_seconds: float) -> Iterator[None]:
    """Take up jobs with no other instance doing the same at this moment: two would take the same ones.

    One that waited so long goes on all the same. Raises OSError if the folder cannot be written.
    """
    deadline = time.monotonic() + timeout_seconds
    with (folder / _BEGINNING).open("wb") as file:
        while not file_lock.take(file) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        yield


class Instance:
    """This run of the host application, by a name of its own.

    Holds a file's lock for as long as the process lives or until `close`.
    """

    def __init__(self, folder: Path) -> None:
        """Take a lock in a folder. Raises OSError where the folder cannot be written."""
        self.name = uuid.uuid4().hex
        self._folder = folder
        self._path = folder / f"{self.name}{_SUFFIX}"
        self._file: IO[bytes] | None = self._path.open("wb")
        file_lock.take(self._file)

    def is_alive(self, name: str) -> bool:
        """Whether the host application of that name still runs; the trace of one that does not is removed."""
        return name == self.name or is_locked(self._folder, name)

    def close(self) -> None:
        """Let go of the lock: whoever starts next may take the jobs."""
        if self._file is not None:
            self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                self._path.unlink()
