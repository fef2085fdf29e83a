"""Which Blenders this worker has: each is a command, probed once for its version."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("sendoff.worker")

INSIDE = Path(__file__).resolve().parent.parent / "inside"
_PROBE_SECONDS = 120
#: What our in-Blender scripts need has to be there as well.
_PROBE = "import bpy, numpy; print('sendoff-version %d.%d.%d' % bpy.app.version)"


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """One Blender: its series ("4.5"), its version, and the executable that is it."""

    series: str
    version: str
    executable: Path
    #: Whether the executable is a Python with the module bpy; else it is `blender`.
    is_python: bool

    def command(self, channel: int) -> list[str]:
        """The command that runs our in-Blender script with a channel on an inherited file descriptor."""
        main = str(INSIDE / "main.py")
        if self.is_python:
            return [str(self.executable), "-I", "-u", main, "--channel", str(channel)]
        return [str(self.executable), "--background", "--factory-startup", "--disable-autoexec", "-noaudio",
                "--python-exit-code", "1", "--python", main, "--", "--channel", str(channel)]  # fmt: skip


def find_runtimes(text: str) -> list[Runtime]:
    """Probe what SENDOFF_BLENDERS names; what does not answer is logged and left out. One per series, oldest first."""
    named = [part for part in text.split(os.pathsep) if part.strip()]
    if not named:
        found = shutil.which("blender")
        named = [found] if found else []
    with ThreadPoolExecutor(max_workers=4) as threads:
        probed = list(threads.map(probe, named))
    by_series: dict[str, Runtime] = {}
    for runtime in probed:
        if runtime is not None:
            by_series.setdefault(runtime.series, runtime)
    return sorted(by_series.values(), key=lambda runtime: order(runtime.series))


def probe(text: str) -> Runtime | None:
    """Start a runtime once to ask for its version; None (and a log line that says why) where that fails."""
    path = Path(text.strip()).expanduser()
    if path.is_dir():
        path = next((found for found in _inside_folder(path) if found.exists()), path)
    if not path.is_file():
        _say_unusable(text, "there is no such file")
        return None
    is_python = path.name.lower().startswith("python")
    command = [str(path), "-I", "-c", _PROBE] if is_python else [
        str(path), "--background", "--factory-startup", "-noaudio", "--python-expr", _PROBE]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        _say_unusable(text, str(error))
        return None
    for line in done.stdout.splitlines():
        if line.startswith("sendoff-version "):
            version = line.split()[1]
            series = ".".join(version.split(".")[:2])
            return Runtime(series=series, version=version, executable=path, is_python=is_python)
    said = [line for line in (done.stderr + done.stdout).splitlines() if "Error" in line]
    _say_unusable(text, said[-1] if said else f"it did not say its version (status {done.returncode})")
    return None


def choose(runtimes: Iterable[Runtime], series: str) -> Runtime | None:
    """The oldest runtime that is of a series or newer; the newest where no series is wanted, as for a USD scene."""
    if not series:
        return max(runtimes, key=lambda runtime: order(runtime.series), default=None)
    fitting = [runtime for runtime in runtimes if order(runtime.series) >= order(series)]
    return min(fitting, key=lambda runtime: order(runtime.series), default=None)


def order(series: str) -> tuple[int, ...]:
    """A series as something to sort by."""
    return tuple(int(part) for part in series.split("."))


def _inside_folder(folder: Path) -> list[Path]:
    return [folder / "bin" / "python", folder / "Scripts" / "python.exe", folder / "blender", folder / "blender.exe"]


def _say_unusable(text: str, why: str) -> None:
    log.warning("The Blender %s cannot be used: %s", text, why, extra={"action": "blender.unusable"})
