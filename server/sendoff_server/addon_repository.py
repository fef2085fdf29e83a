"""The add-on's extension repository, as scripts/build_repository.py makes it.

It is read anew for each request: the files are small, and a newer add-on is then served without a restart.
"""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .problems import Problem, not_found
from .static_files import StaticFile

log = logging.getLogger("sendoff.server")

LIST = "index.json"
PAGE = "index.html"
_STYLE = "index.css"
_ADDON = "sendoff"
_ARCHIVE = re.compile(r"\./([A-Za-z0-9][A-Za-z0-9._+-]*\.zip)")


class AddonRepository:
    """The repository in a folder, which may also be missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def version(self) -> str | None:
        """The add-on's version; None where there is no repository, or none that can be read."""
        try:
            found = [str(entry["version"]) for entry in self._entries() if entry["id"] == _ADDON]
        except Problem:
            return None
        return found[0] if found else None

    def read(self, name: str) -> StaticFile:
        """A file of the repository: the list, the page with its style, or a zip that the list names.

        Raises Problem 404 for anything else, and where there is no repository.
        """
        if name not in {LIST, PAGE, _STYLE, *self._archives()}:
            raise not_found(f"The add-on's repository has no file {name[:100]!r}. Its list is /addon/{LIST}.")
        try:
            return StaticFile(name, (self._folder / name).read_bytes())
        except OSError as error:
            raise self._damaged(error) from error

    def _archives(self) -> list[str]:
        urls = [_ARCHIVE.fullmatch(unquote(str(entry.get("archive_url")))) for entry in self._entries()]
        return [url[1] for url in urls if url]

    def _entries(self) -> list[dict[str, Any]]:
        try:
            listed = json.loads((self._folder / LIST).read_bytes())
            return [entry for entry in listed["data"] if isinstance(entry["id"] + entry["version"], str)]
        except (FileNotFoundError, NotADirectoryError):
            raise not_found(
                "This server has no add-on to give: an administrator makes it with `make addon-repository` and names "
                "its folder in SENDOFF_ADDON_DIR."
            ) from None
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> Problem:
        log.error("The add-on's repository in %s cannot be read (%r). Make it anew with `make addon-repository`",
                  self._folder, error, extra={"action": "addon.unreadable"})  # fmt: skip
        return not_found(
            "The add-on's repository on this server cannot be read: an administrator makes it anew with "
            "`make addon-repository`."
        )
