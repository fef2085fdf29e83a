"""Which files a USD scene needs, and where they go in the job's folder so that USD finds them by the same paths.

USD layers are not rewritten. All files keep their places relative to each other, below the lowest folder that holds
them all; so a scene that names files above its own folder lies deeper in the job's folder. A file that is named by an
absolute path cannot be found on another machine: it is named as missing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from .errors import ManifestError, Stopped
from .manifest import check_path
from .names import UDIM, readable, safe_name
from .usd_layers import NAMING_SUFFIXES, UsdLayerError, asset_paths

_CLIP_NUMBER = re.compile(r"#+(?:\.#+)?")


class UsdFiles:
    """The files of a USD scene: their places, what is missing, and what could not be looked up."""

    def __init__(self, scene: Path, stop: Callable[[], bool] | None = None) -> None:
        """Read the scene and all layers that it names; raises Stopped."""
        self._scene = Path(os.path.abspath(scene))  # noqa: PTH100 - keeps links
        self._found: dict[Path, None] = {self._scene: None}
        self._missing: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        waiting = [self._scene]
        while waiting:
            if stop is not None and stop():
                raise Stopped("Stopped while the scene's files were looked up.")
            for path in self._named_by(waiting.pop(0)):
                if path not in self._found:
                    self._found[path] = None
                    if path.suffix.lower() in NAMING_SUFFIXES:
                        waiting.append(path)
        #: The scene's path in the job's folder.
        self.place = ""
        #: Path in the job's folder -> file, without the scene.
        self.places = self._placed()
        self.missing = tuple(self._missing)
        self.notes = tuple(self._notes)

    def _named_by(self, layer: Path) -> list[Path]:
        try:
            paths = asset_paths(layer)
        except UsdLayerError as error:
            self._notes[str(error)] = None
            return []
        except OSError as error:
            self._notes[f"The USD layer {readable(layer.name)} cannot be read: {error.strerror or error}."] = None
            return []
        found = []
        for path in paths:
            if _is_absolute(path):
                self._miss(path, layer, ": an absolute path, make it relative")
                continue
            target = Path(os.path.normpath(layer.parent / path.replace("\\", "/")))
            there = _files(target)
            found += there
            if not there:
                self._miss(str(target), layer)
        return found

    def _miss(self, path: str, layer: Path, why: str = "") -> None:
        self._missing[f"{readable(path)} (layer “{readable(layer.name)}”{why})"] = None

    def _placed(self) -> dict[str, Path]:
        folder = Path(os.path.commonpath([path.parent for path in self._found]))
        places: dict[str, Path] = {}
        for path in self._found:
            place = path.relative_to(folder).as_posix()
            try:
                check_path(place)
            except ManifestError:
                if path != self._scene:
                    self._missing[f"{readable(str(path))} (a name that other systems cannot store: rename it)"] = None
                    continue
                place = "/".join(map(safe_name, place.split("/")))
            if path == self._scene:
                self.place = place
            else:
                places[place] = path
        return places


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", path) is not None


def _files(path: Path) -> list[Path]:
    """The files that a path means: all tiles of `<UDIM>`, all clips of a template with `#`, or the one."""
    name = path.name
    if UDIM in name:
        pattern = re.escape(name).replace(re.escape(UDIM), r"\d{4}")
    elif not path.exists() and _CLIP_NUMBER.search(name):
        parts = _CLIP_NUMBER.split(name, maxsplit=1)
        pattern = re.escape(parts[0]) + r"\d+(?:\.\d+)?" + re.escape(parts[1])
    else:
        return [path] if _is_readable(path) else []
    matcher = re.compile(pattern)
    try:
        with os.scandir(path.parent) as entries:
            return sorted(path.with_name(entry.name) for entry in entries if matcher.fullmatch(entry.name))
    except OSError:
        return []


def _is_readable(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except (OSError, ValueError):
        return False
