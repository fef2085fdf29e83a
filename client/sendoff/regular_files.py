"""Opens files that a scene names, and says why one cannot be read.

Only regular files are opened: opening a named pipe can take for ever, and a device may have no end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
#: How other files begin that are often taken for a scene.
_STARTS = (
    (b"PK\x03\x04", "a zip archive: unpack it and send the file inside"),
    (b"\x37\x7a\xbc\xaf\x27\x1c", "a 7z archive: unpack it and send the file inside"),
    (b"Rar!\x1a\x07", "a RAR archive: unpack it and send the file inside"),
    (b"version https://git-lfs.github.com/", "a pointer of Git LFS: fetch the file itself with “git lfs pull”"),
    (b"/annex/objects/", "a pointer of git-annex: fetch the file itself with “git annex get”"),
    (b"<!DOCTYPE html", "a web page: download the file again"),
    (b"<!doctype html", "a web page: download the file again"),
    (b"<html", "a web page: download the file again"),
)


def is_readable(path: Path) -> bool:
    """Whether a path names a regular file that may be read."""
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except (OSError, ValueError):  # a name too long for the system, or with a zero byte
        return False


def kind_of(path: Path) -> str:
    """What a path names that is no regular file: "a folder", "a named pipe"; "" for a file. Raises OSError."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        return ""
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), "no regular file")


def why_unreadable(path: Path) -> str:
    """Why a path cannot be read, for example "a folder, not a file"; "" if there is nothing, or it can be read."""
    try:
        kind = kind_of(path)
    except PermissionError:
        return "no permission to read its folder"
    except (OSError, ValueError):
        return ""
    if kind:
        return f"{kind}, not a file"
    return "" if os.access(path, os.R_OK) else "no permission to read it"


def open_file(path: Path, buffering: int = -1) -> BinaryIO:
    """Open a regular file to read its bytes; raises OSError, also if it is something else."""
    kind = kind_of(path)
    if kind:
        raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))
    file: BinaryIO = path.open("rb", buffering=buffering)
    return file


def what_begins(start: bytes) -> str:
    """What a file is by its first bytes, and what to do about it; "" if that is not known."""
    return next((kind for begin, kind in _STARTS if start.startswith(begin)), "")
