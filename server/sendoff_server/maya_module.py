"""The plug-in for Maya that the server gives: the zip that scripts/build_maya.py makes, and how to install it.

It is read anew for each request: a newer plug-in is then served without a restart.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from .problems import not_found
from .static_files import StaticFile

PAGE = "index.html"
_ZIP = re.compile(r"sendoff-maya-(\d+(?:\.\d+)*)\.zip")
_TEXT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sendoff for Maya</title>
<h1>Sendoff {version} for Maya 2023 and later</h1>
<p><a href="{name}">{name}</a></p>
<h2>For yourself</h2>
<ol>
<li>Unpack the archive.</li>
<li>Drag <code>install_sendoff.py</code> from it into the viewport of a running Maya. An update works the same way.</li>
<li>Open <b>Sendoff &gt; Jobs</b> and put this server into <b>Server</b>: <code>{server}</code></li>
</ol>
<h2>For a studio</h2>
<p>Put the folder <code>sendoff</code> of the archive where all machines can read it, and set for each Maya:</p>
<pre>MAYA_MODULE_PATH=(that folder)
SENDOFF_URL={server}</pre>
"""


class MayaModule:
    """The newest zip in a folder, which may also be missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def version(self) -> str | None:
        """The plug-in's version; None where there is none."""
        newest = self._newest()
        return newest[1] if newest is not None else None

    def read(self, name: str, *, server: str) -> StaticFile:
        """The page, or the zip that it names; raises Problem 404 for anything else, and where there is none.

        Args:
            name: The file's name.
            server: This server's URL as the caller has it, for the page.
        """
        newest = self._newest()
        if newest is None:
            raise not_found(
                "This server has no plug-in for Maya to give: an administrator makes it with `make maya` and names "
                "the folder of the zip in SENDOFF_MAYA_DIR."
            )
        path, version = newest
        if name == PAGE:
            text = _TEXT.format(version=version, name=html.escape(path.name), server=html.escape(server))
            return StaticFile(PAGE, text.encode())
        if name != path.name:
            raise not_found(f"There is no file {name[:100]!r} here. The plug-in for Maya is /maya/{path.name}.")
        return StaticFile(path.name, path.read_bytes())

    def _newest(self) -> tuple[Path, str] | None:
        try:
            there = [(path, match[1]) for path in self._folder.iterdir() if (match := _ZIP.fullmatch(path.name))]
        except OSError:
            return None
        return max(there, key=lambda one: [int(part) for part in one[1].split(".")], default=None)
