"""Folders that somebody else's program has filled, and how to be rid of them."""

from __future__ import annotations

import contextlib
import logging
import shutil
import subprocess
import sys
from pathlib import Path

log = logging.getLogger("sendoff.worker")

_SECONDS = 600


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, however deep or closed it was made; what cannot be is logged."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists() and sys.platform != "win32":
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run([*command, "--", str(folder)], capture_output=True, timeout=_SECONDS, check=False)
    if folder.exists():
        log.warning("The folder %s cannot be removed", folder, extra={"action": "folder.left"})
