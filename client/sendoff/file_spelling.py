"""Files that are there under a name that only reads alike: Windows and macOS find them by it, Linux does not.

Capitals may differ, or how letters with marks are stored.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from .regular_files import is_readable


class FileSpelling:
    """Looks for such files; lists each folder once."""

    def __init__(self) -> None:
        #: By folder: its names, by how they read.
        self._names: dict[str, dict[str, set[str]]] = {}

    def other(self, path: Path) -> str:
        """The path of the file as it is really written; "" if there is none that reads alike."""
        found = path.anchor
        for part in path.parts[1:]:
            names = self._in(found).get(_alike(part), set())
            if not names:
                return ""
            found = os.path.join(found, part if part in names else min(names))  # noqa: PTH118 - a text
        return found if found != str(path) and is_readable(Path(found)) else ""

    def _in(self, folder: str) -> dict[str, set[str]]:
        names = self._names.get(folder)
        if names is None:
            names = self._names[folder] = {}
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        names.setdefault(_alike(entry.name), set()).add(entry.name)
            except (OSError, ValueError):
                pass  # nothing is known of it
        return names


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
