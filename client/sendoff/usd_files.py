"""Which files a USD scene needs, and where they go in the job's folder so that USD finds them by the same paths.

All files keep their places relative to each other, below the lowest folder that holds them all; so a scene that names
files above its own folder lies deeper in the job's folder. Absolute paths mean nothing on another machine: a layer that
has some is sent as a copy, in which they are relative.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from .errors import InputError, ManifestError, Stopped
from .manifest import check_path
from .names import UDIM, readable, safe_name
from .regular_files import is_readable, why_unreadable
from .usd_layers import LAYER_SUFFIXES, NAMING_SUFFIXES, UsdLayerError, asset_paths, is_address
from .usd_rewriting import rewrite

#: A larger layer is not copied.
_MOST_REWRITTEN_BYTES = 4 * 1024 * 1024 * 1024
_CLIP_NUMBER = re.compile(r"#+(?:\.#+)?")


class UsdFiles:
    """The files of a USD scene: their places, what is missing, and what could not be looked up."""

    def __init__(self, scene: Path, stop: Callable[[], bool] | None = None, *, folder: Path | None = None) -> None:
        """Read the scene and all layers that it names.

        Args:
            scene: The layer to begin with.
            stop: Asked from time to time; Stopped is raised if it says yes.
            folder: Where copies of layers with absolute paths are written; without one these paths count as missing.

        Raises:
            InputError: A copy cannot be written.
            Stopped: `stop` said yes.
        """
        self._scene = Path(os.path.abspath(scene))  # noqa: PTH100 - keeps links
        self._folder = folder
        self._found: dict[Path, None] = {self._scene: None}
        #: Of each layer its absolute paths, and what they mean here.
        self._absolute: dict[Path, dict[str, Path]] = {}
        #: What is named by absolute paths and names nothing itself: the path -> its files.
        self._leaves: dict[Path, list[Path]] = {}
        #: Of each layer the paths that it names, and the files that are there for them.
        self._named: dict[Path, dict[str, list[Path]]] = {}
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
        #: The scene's path in the job's folder, and the file to send as the scene.
        self.place, self.scene = "", scene
        #: Path in the job's folder -> file, without the scene.
        self.places: dict[str, Path] = {}
        self._place_all()
        place_of = {self._scene: self.place, **{file: place for place, file in self.places.items()}}
        self._rewrite_layers(place_of)
        #: By the place of a layer: each path that it names and that is not sent, with what names it.
        self.missing_paths = self._missing_paths(place_of)
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
            if is_address(path):
                self._named.setdefault(layer, {})[path] = []
                self._miss(path, layer, ": an address, not the path of a file")
                continue
            is_absolute = _is_absolute(path)
            target = Path(os.path.normpath(layer.parent / path.replace("\\", "/")))
            there = self._named.setdefault(layer, {})[path] = _files(target)
            if not there:
                why = why_unreadable(target)
                self._miss(path if is_absolute else str(target), layer, why and f": {why}")
            elif not is_absolute:
                found += there
            elif not self._can_rewrite(layer):
                self._miss(path, layer, ": an absolute path, make it relative")
            else:
                self._absolute.setdefault(layer, {})[path] = target
                if target.suffix.lower() in NAMING_SUFFIXES:
                    found += there
                else:
                    self._leaves[target] = there
        return found

    def _can_rewrite(self, layer: Path) -> bool:
        is_layer = layer.suffix.lower() in LAYER_SUFFIXES
        return self._folder is not None and is_layer and layer.stat().st_size <= _MOST_REWRITTEN_BYTES

    def _miss(self, path: str, layer: Path, why: str = "") -> None:
        self._missing[f"{readable(path)} (layer “{readable(layer.name)}”{why})"] = None

    def _place_all(self) -> None:
        drives = {path.anchor for path in self._found}
        folder = Path(os.path.commonpath([path.parent for path in self._found])) if len(drives) == 1 else None
        for path in self._found:
            # Files of several drives of Windows have no folder in common: each drive gets one.
            place = (
                path.relative_to(folder).as_posix()
                if folder is not None
                else "/".join((safe_name(path.drive), *path.parts[1:]))
            )
            self._set(place, path)
        for number, files in enumerate(self._leaves.values()):
            for file in files:
                if file not in self._found:
                    self._set(f"external/{number:02d}/{file.name}", file)

    def _set(self, place: str, path: Path) -> None:
        try:
            check_path(place)
        except ManifestError:
            if path != self._scene:
                self._missing[f"{readable(str(path))} (a name that other systems cannot store: rename it)"] = None
                return
            place = "/".join(map(safe_name, place.split("/")))
        if path == self._scene:
            self.place = place
        else:
            self.places.setdefault(place, path)

    def _missing_paths(self, place_of: Mapping[Path, str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for layer, named in self._named.items():
            for path, there in named.items():
                if layer in place_of and not any(file in place_of for file in there):
                    found.setdefault(place_of[layer], {})[path] = f"layer “{readable(layer.name)}”"
        return found

    def _rewrite_layers(self, place_of: Mapping[Path, str]) -> None:
        """Write copies of the layers that name files by absolute paths, with relative ones."""
        for number, (layer, named) in enumerate(self._absolute.items()):
            changes = {}
            for path, target in named.items():
                first = (self._leaves.get(target) or [target])[0]
                if layer in place_of and first in place_of:
                    place = posixpath.join(posixpath.dirname(place_of[first]), target.name)
                    relative = posixpath.relpath(place, posixpath.dirname(place_of[layer]) or ".")
                    changes[path] = relative if relative.startswith("../") else f"./{relative}"
            if changes and self._folder is not None:
                copy = self._folder / f"usd-{number:03d}" / safe_name(layer.name)
                try:
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    rewrite(layer, copy, changes)
                except OSError as error:
                    raise InputError(
                        f"The copy of the USD layer {readable(layer.name)} cannot be written in {self._folder}: "
                        f"{error.strerror or error}. Is the disk full?"
                    ) from error
                if layer == self._scene:
                    self.scene = copy
                else:
                    self.places[place_of[layer]] = copy


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", path) is not None


def _files(path: Path) -> list[Path]:
    """The files that a path means: all tiles of `<UDIM>`, all clips of a template with `#`, or the one."""
    name = path.name
    if UDIM in name:
        pattern = re.escape(name).replace(re.escape(UDIM), r"\d{4}")
    elif not os.path.exists(path) and _CLIP_NUMBER.search(name):  # noqa: PTH110 - also of a name that is too long
        parts = _CLIP_NUMBER.split(name, maxsplit=1)
        pattern = re.escape(parts[0]) + r"\d+(?:\.\d+)?" + re.escape(parts[1])
    else:
        return [path] if is_readable(path) else []
    matcher = re.compile(pattern)
    try:
        with os.scandir(path.parent) as entries:
            found = sorted(path.with_name(entry.name) for entry in entries if matcher.fullmatch(entry.name))
            return list(filter(is_readable, found))
    except (OSError, ValueError):
        return []
