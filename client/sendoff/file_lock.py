"""A lock on an open file, which the system lets go of when the process ends, however it ends."""

from __future__ import annotations

import sys
from typing import IO


def take(file: IO[bytes]) -> bool:
    """Take the lock; False where it is taken.

    A file system without locks is taken for one that nobody else uses.
    """
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.lockf(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
