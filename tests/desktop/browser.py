"""A real Chromium with a window beside Blender's, to see a page and to drag out of it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts import desktop
from tests.desktop.reading import Rect

#: It speaks to nobody but the page's server, and asks nothing.
_OPTIONS = (
    "--no-sandbox", "--test-type", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--password-store=basic",
)  # fmt: skip


def command(folder: Path, url: str, place: Rect) -> list[str]:
    """What opens a page in a window without tabs, at a place; all that it writes is in `folder`."""
    own = [f"HOME={folder}", f"TMPDIR={folder}"]
    window = [f"--window-position={place.x},{place.y}", f"--window-size={place.width},{place.height}"]
    return ["env", *own, "chromium", f"--user-data-dir={folder / 'profile'}", *_OPTIONS, *window, f"--app={url}"]


@contextmanager
def browser_folder() -> Iterator[Path]:
    """A folder for it, removed at the end. Its socket's path may have 107 characters, too few for a test's folder."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def opened(display: str, url: str, place: Rect, log: Path) -> Iterator[None]:
    """The page is open; what the browser says of itself goes to the log."""
    with browser_folder() as folder, log.open("wb") as console:
        process = subprocess.Popen(
            desktop.command(command(folder, url, place), DISPLAY=display), stdout=console, stderr=console
        )
        try:
            yield
        finally:
            process.kill()  # its namespace, and so every process in it, ends with it
            process.wait(10)
