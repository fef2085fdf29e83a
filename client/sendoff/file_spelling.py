"""Files that are there but for capitals: a scene from Windows or macOS names them in a way that Linux does not find."""

from __future__ import annotations

import os
from pathlib import Path

from .regular_files import is_readable


class FileSpelling:
    """Looks for such files; lists each folder once."""

    def __init__(self) -> None:
        #: By folder: its names, by how they read without capitals.
        self._names: dict[str, dict[str, set[str]]] = {}

    def other(self, path: Path) -> str:
        """The path of the file as it is really written; "" if there is none but for capitals."""
        found = path.anchor
        for part in path.parts[1:]:
            names = self._in(found).get(part.casefold(), set())
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
                        names.setdefault(entry.name.casefold(), set()).add(entry.name)
            except (OSError, ValueError):
                pass  # nothing is known of it
        return names
