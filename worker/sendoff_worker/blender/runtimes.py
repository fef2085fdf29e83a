"""Which Blenders this worker has: each is a command, probed once for its version."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import sendoff
from sendoff_store.scene_needs import SceneNeeds, order

log = logging.getLogger("sendoff.worker")

INSIDE = Path(__file__).resolve().parent.parent / "inside"
#: The SDK's folder, of which the scripts inside Blender use what reads files.
SDK = Path(sendoff.__file__).resolve().parent
_PROBE_SECONDS = 120
_SAYS = "sendoff-runtime "
#: What our in-Blender scripts need has to be there as well. The folders are Python's and Blender's own, and those of
#: all libraries that are loaded, wherever they come from.
_PROBE = """
import bpy, importlib.util, json, numpy, os, sys
own = [bpy.utils.resource_path(kind) for kind in ("LOCAL", "SYSTEM")]
program = bpy.app.binary_path
paths = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *sys.path, *own, program}
paths.add(os.path.dirname(program))
try:
    with open("/proc/self/maps") as maps:
        paths.update(os.path.dirname(line.split(None, 5)[5].rstrip()) for line in maps if "/" in line)
except OSError:
    pass
try:
    bpy.utils.expose_bundled_modules()  # Blender as a module, 4.5 and later
except Exception:
    pass
lacks = [] if importlib.util.find_spec("pxr") else ["usd"]
known = sorted(path for path in paths if path.startswith("/") and not path.startswith("/dev/") and os.path.exists(path))
said = {"version": "%d.%d.%d" % bpy.app.version, "folders": known, "lacks": lacks}
print("sendoff-runtime " + json.dumps(said), flush=True)
"""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """One Blender: its series ("4.5"), its version, and the executable that is it."""

    series: str
    version: str
    executable: Path
    #: Whether the executable is a Python with the module bpy; else it is `blender`.
    is_python: bool
    #: The folders and files that it is made of and loads.
    folders: tuple[Path, ...] = ()
    #: The families of files that it cannot read: "usd".
    lacks: tuple[str, ...] = ()

    def command(self, channel: int) -> list[str]:
        """The command that runs our in-Blender script with a channel on an inherited file descriptor."""
        main, own = str(INSIDE / "main.py"), ["--channel", str(channel), "--sdk", str(SDK)]
        if self.is_python:
            return [str(self.executable), "-I", "-u", main, *own]
        return [str(self.executable), "--background", "--factory-startup", "--disable-autoexec", "-noaudio",
                "--python-exit-code", "1", "--python", main, "--", *own]  # fmt: skip


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
    path = Path(text.strip()).expanduser().absolute()  # it is started from another folder
    if path.is_dir():
        path = next((found for found in _inside_folder(path) if found.exists()), path)
    if not path.is_file():
        _say_unusable(text, "there is no such file")
        return None
    is_python = path.name.lower().startswith("python")
    command = [str(path), "-I", "-c", _PROBE] if is_python else [
        str(path), "--background", "--factory-startup", "-noaudio", "--python-expr", _PROBE]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="sendoff-probe-") as home:  # what the worker's user has set up is not asked
        environment = os.environ | {"HOME": home, "XDG_CONFIG_HOME": home, "BLENDER_USER_RESOURCES": home}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False, env=environment
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            _say_unusable(text, str(error))
            return None
    for line in done.stdout.splitlines():
        if line.startswith(_SAYS):
            said = json.loads(line.removeprefix(_SAYS))
            series = ".".join(said["version"].split(".")[:2])
            folders = [Path(part) for part in said["folders"]]
            return Runtime(
                series=series,
                version=said["version"],
                executable=path,
                is_python=is_python,
                folders=tuple(_outermost([*folders, *(folder.resolve() for folder in folders)])),
                lacks=tuple(said["lacks"]),
            )
    errors = [line for line in (done.stderr + done.stdout).splitlines() if "Error" in line]
    _say_unusable(text, errors[-1] if errors else f"it did not say its version (status {done.returncode})")
    return None


def _outermost(paths: Iterable[Path]) -> Iterator[Path]:
    """Without what lies in another one, which comes with it."""
    outermost: set[Path] = set()
    for path in sorted(set(paths)):
        if not outermost.intersection(path.parents):
            outermost.add(path)
            yield path


def candidates(runtimes: Iterable[Runtime], needs: SceneNeeds) -> list[Runtime]:
    """The runtimes that may open a scene, the best first.

    For a .blend that is its own series, then each newer one; anything else is best read by the newest.
    """
    is_newest_best = not needs.series and needs.family != "blend"
    fitting = [runtime for runtime in runtimes if needs.fit(runtime.series, runtime.lacks)]
    return sorted(fitting, key=lambda runtime: order(runtime.series), reverse=is_newest_best)


def _inside_folder(folder: Path) -> list[Path]:
    return [folder / "bin" / "python", folder / "Scripts" / "python.exe", folder / "blender", folder / "blender.exe"]


def _say_unusable(text: str, why: str) -> None:
    log.warning("The Blender %s cannot be used: %s", text, why, extra={"action": "blender.unusable"})
