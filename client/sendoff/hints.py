"""Which chunks a server was seen to have, kept on this machine, so that a submit need not ask for them again.

A hint may be wrong: the server's answer to the submit then names what is missing, and everything is asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from .signins import normal_url

#: Servers keep what was asked for in the last 7 days; a hint is dropped long before.
KEEP_DAYS = 3
MOST_HINTS = 100_000

_RECORD = struct.Struct("<I32s")
_SECONDS_PER_DAY = 86_400


class ChunkHints:
    """The hints for one server; a file that cannot be read or written only means that there are none."""

    def __init__(self, url: str) -> None:
        self._path = cache_folder() / f"chunks-{hashlib.sha256(normal_url(url).encode()).hexdigest()[:16]}.bin"

    def read(self) -> frozenset[str]:
        """The sha256 in hex of the chunks that the server had in the last days."""
        return frozenset(self._read())

    def add(self, names: Iterable[str]) -> None:
        """Note that the server has these chunks now."""
        today = _today()
        days = self._read()
        days.update(dict.fromkeys(names, today))
        newest = sorted(days.items(), key=lambda item: item[1], reverse=True)[:MOST_HINTS]
        body = b"".join(_RECORD.pack(day, bytes.fromhex(name)) for name, day in newest)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".chunks-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(body)
                Path(temporary).replace(self._path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

    def forget(self) -> None:
        """Drop all of them: one was wrong."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _read(self) -> dict[str, int]:
        try:
            body = self._path.read_bytes()[: MOST_HINTS * _RECORD.size]
        except OSError:
            return {}
        whole = len(body) - len(body) % _RECORD.size
        oldest, today = _today() - KEEP_DAYS, _today()
        return {name.hex(): day for day, name in _RECORD.iter_unpack(body[:whole]) if oldest <= day <= today}


def cache_folder() -> Path:
    """SENDOFF_HOME, or `sendoff` in the platform's folder for what can be made again."""
    home = os.environ.get("SENDOFF_HOME")
    if home:
        return Path(home) / "cache"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "sendoff" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sendoff"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sendoff"


def _today() -> int:
    return int(time.time() // _SECONDS_PER_DAY)
