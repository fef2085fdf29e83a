"""Chunks in a folder: `chunks/ab/cd/<sha256>`, written to a temporary name, fsynced, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .errors import ChunkMissing, DiskFull

_CHECK_EVERY_SECONDS = 1.0


class LocalBlobs:
    """A folder on a disk that server and workers share."""

    def __init__(self, folder: Path, *, reserve_bytes: int = 0) -> None:
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self._checked_at = 0.0
        folder.mkdir(parents=True, exist_ok=True)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of the names that are not here; asking touches the others, so that garbage collection leaves them."""
        lacking = []
        for name in names:
            try:
                os.utime(self._path(name))
            except FileNotFoundError:
                lacking.append(name)
        return lacking

    def put(self, name: str, data: bytes) -> bool:
        """Keep a chunk if it is not here yet. Raises DiskFull before the disk is completely full."""
        path = self._path(name)
        if path.exists():
            return False
        self._check_space()
        folder = path.parent
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{name[:16]}-{secrets.token_hex(6)}"
        try:
            handle = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o644)
            try:
                with memoryview(data) as view:
                    written = 0
                    while written < len(view):
                        written += os.write(handle, view[written:])
                os.fsync(handle)
            finally:
                os.close(handle)
            temporary.rename(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _full() from error
            raise
        return True

    def get(self, name: str) -> bytes:
        """A chunk's bytes."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            raise ChunkMissing(name) from None

    def delete(self, name: str) -> None:
        """Forget a chunk."""
        self._path(name).unlink(missing_ok=True)

    def ages(self) -> Iterator[tuple[str, int, float]]:
        """Every chunk with its size and the time it was last asked for; what was left half-written is removed."""
        for path in self._folder.glob("??/??/*"):
            try:
                status = path.stat()
                if path.name.startswith("."):
                    if time.time() - status.st_mtime > 3600:
                        path.unlink(missing_ok=True)
                    continue
            except FileNotFoundError:
                continue
            yield path.name, status.st_size, status.st_mtime

    def check_writable(self) -> None:
        """See that there is space and that the folder takes a file."""
        self._checked_at = 0.0
        self._check_space()
        probe = self._folder / f".probe-{secrets.token_hex(6)}"
        probe.touch()
        probe.unlink()

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name[2:4] / name

    def _check_space(self) -> None:
        now = time.monotonic()
        if now - self._checked_at < _CHECK_EVERY_SECONDS:
            return
        if shutil.disk_usage(self._folder).free < self._reserve_bytes:
            raise _full()
        self._checked_at = now


def _full() -> DiskFull:
    return DiskFull(
        "The server's disk is full, so the upload was not taken. Nothing is lost: ask an administrator to free space "
        "(sendoff-server gc), then submit again; only what is missing will be sent."
    )
