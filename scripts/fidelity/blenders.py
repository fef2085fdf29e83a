"""The Blenders that are artists' here: those that scripts/setup.py made, and the one in the window system."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import desktop

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

    def make_corpus(self, folder: Path, only: Sequence[str]) -> None:
        """Make the tool's own scenes in a folder."""
        folder.mkdir(parents=True)
        done = subprocess.run(
            [*self.command, str(HERE / "make_corpus.py"), str(folder), *only],
            capture_output=True, text=True, errors="replace", timeout=CORPUS_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"Blender {self.series} could not make the scenes:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def in_the_window_system(folder: Path) -> Installed | None:
    """The Blender of build/desktop, or None if there is none or it cannot be entered.

    The worker gets a Python that enters it: a script in `folder`, since the worker knows nothing of the window system.
    """
    if desktop.why_not():
        return None
    python = str(desktop.MODULE / "bin" / "python")
    script = folder / "window" / "bin" / "python"
    script.parent.mkdir(parents=True)
    script.write_text(_ENTER.format(main=sys.executable, scripts=str(ROOT / "scripts"), python=python))
    script.chmod(0o755)
    return Installed(series=desktop.SERIES, runtime=script.parent.parent, command=(str(script),))


#: The kernel would end it with the thread that started it, so the part of the command that asks for that is left out.
_ENTER = """#!{main}
import os, sys
sys.path.insert(0, {scripts!r})
import desktop
kept = ("BLENDER_", "SENDOFF_", "HOME", "TMPDIR", "XDG_")
given = {{name: value for name, value in os.environ.items() if name.startswith(kept)}}
command = desktop.command([{python!r}, *sys.argv[1:]], **given)
command = command[command.index("unshare"):]
os.execvp(command[0], command)
"""


def installed(wanted: Sequence[str], folder: Path) -> list[Installed]:
    """All that scripts/setup.py made, or those that are wanted, the oldest first; `folder` is for what is written."""
    found = []
    for stamp in (ROOT / "build").glob("bpy-*/sendoff-stamp"):
        series = stamp.parent.name.removeprefix("bpy-")
        python = stamp.parent / "bin" / "python"
        if python.exists() and (not wanted or series in wanted):
            found.append(Installed(series=series, runtime=stamp.parent, command=(str(python),)))
    if desktop.SERIES in wanted and desktop.SERIES not in {one.series for one in found}:
        found += [one for one in [in_the_window_system(folder)] if one is not None]
    return sorted(found, key=lambda one: tuple(map(int, one.series.split("."))))


def plain_environment(**more: str) -> dict[str, str]:
    """This environment without Sendoff's settings and without another Python's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SENDOFF_", "PYTHON"))}
    return kept | more
