"""The Blenders that are artists' here: those that scripts/setup.py made, and the one in the window system."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORPUS_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Installed:
    """One Blender."""

    series: str
    runtime: Path
    """What the worker is told."""
    command: tuple[str, ...]
    """What runs a Python with bpy."""

    def artist(self, *arguments: object) -> list[str]:
        """The command of an artist's process."""
        return [*self.command, str(HERE / "artist.py"), *map(str, arguments)]

    def make_corpus(self, folder: Path, only: str) -> None:
        """Make the tool's own scenes in a folder."""
        folder.mkdir(parents=True)
        done = subprocess.run(
            [*self.command, str(HERE / "make_corpus.py"), str(folder), only],
            capture_output=True, text=True, errors="replace", timeout=CORPUS_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"Blender {self.series} could not make the scenes:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def installed(wanted: Iterable[str]) -> list[Installed]:
    """All, or those that are wanted, the oldest first."""
    found = []
    for stamp in (ROOT / "build").glob("bpy-*/sendoff-stamp"):
        series = stamp.parent.name.removeprefix("bpy-")
        python = stamp.parent / "bin" / "python"
        if python.exists() and (not wanted or series in wanted):
            found.append(Installed(series=series, runtime=stamp.parent, command=(str(python),)))
    return sorted(found, key=lambda one: tuple(map(int, one.series.split("."))))


def plain_environment(**more: str) -> dict[str, str]:
    """This environment without Sendoff's settings and without another Python's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SENDOFF_", "PYTHON"))}
    return kept | more
