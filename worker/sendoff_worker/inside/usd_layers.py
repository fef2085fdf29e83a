"""The layers of a USD scene, loaded and mended in memory, before a stage is made of them.

Only what lies in the job's folder is opened. A path that `sendoff-paths.json` lists leads to the file that came along.
Metadata of a wrong type, as some exporters write it, is converted: Pixar's library raises for it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .pxr_library import pxr

PATHS_FILE = "sendoff-paths.json"
#: Below the job's folder: a place without files, for what did not come along.
NOT_SENT = "not-sent"
#: Metadata of a layer that USD wants as a number, and what is meant if there is none.
_NUMBERS = {
    "metersPerUnit": 0.01,
    "startTimeCode": None,
    "endTimeCode": None,
    "timeCodesPerSecond": 24.0,
    "framesPerSecond": 24.0,
}
_POSITIVE = ("metersPerUnit", "timeCodesPerSecond", "framesPerSecond")
_FORMAT_ARGUMENTS = ":SDF_FORMAT_ARGS:"


@dataclass
class UsdLayers:
    """The layers of one scene."""

    root: Path
    """The job's folder."""
    warn: Callable[[str], None]
    """Gets a sentence for the artist."""
    scene: Path
    """The file that was sent."""
    artists: dict[str, str] = field(default_factory=dict)
    """For a path that was changed: the path as the artist's scene would write it."""
    layers: dict[str, Any] = field(default_factory=dict)
    """All layers by identifier. They have to stay loaded, or they are read again without the changes."""
    told: set[str] = field(default_factory=set)
    """Paths, as the layers have them now, of missing files that the artist knows of since the scene was sent."""
    not_sent: dict[str, int] = field(default_factory=dict)
    """Numbers of the paths that lead outside the job's folder."""
    damaged: list[str] = field(default_factory=list)
    """Names of files that cannot be read as USD."""

    def open(self) -> Any:
        """Load the scene's layer and all that it refers to; None if the scene cannot be read."""
        self._places, self._origins, self._missing = read_paths(self.root)
        layer = self._load(str(self.scene))
        waiting = [layer] if layer else []
        while waiting:
            for identifier in self._dependencies(waiting.pop()):
                if identifier not in self.layers and (found := self._load(identifier)):
                    waiting.append(found)
        return layer

    def artists_path(self, layer: Any, path: str) -> str:
        """A path in a layer as the artist's scene would write it, without any folder of the worker."""
        if path in self.artists:
            return self.artists[path]
        file = Path(layer.realPath.partition("[")[0] or self.scene)
        if "[" in layer.identifier or file.parent == self.scene.parent or not path or _is_absolute(path):
            return path
        place = (file.parent / path).resolve()
        if not place.is_relative_to(self.root):
            return path
        relative = os.path.relpath(place, self.scene.parent).replace(os.sep, "/")
        return relative if relative.startswith("../") else f"./{relative}"

    def _load(self, identifier: str) -> Any:
        try:
            layer = pxr().Sdf.Layer.FindOrOpen(identifier)
        except Exception as error:
            print(f"{identifier}: {error}")
            layer = None
        if not layer:
            if Path(identifier.partition("[")[0]).is_file() and identifier != str(self.scene):
                self.damaged.append(Path(identifier).name)
            return None
        self.layers[identifier] = self.layers[layer.identifier] = layer
        self._mend(layer)
        if "[" not in layer.identifier and Path(layer.realPath).suffix.lower() != ".usdz":
            pxr().UsdUtils.ModifyAssetPaths(layer, lambda path: self._led(layer, path))
        return layer

    def _dependencies(self, layer: Any) -> list[str]:
        """The identifiers of all layers that a layer refers to and that are there."""
        found = []
        for path in layer.GetCompositionAssetDependencies():
            if not path:
                continue
            identifier = layer.ComputeAbsolutePath(path)
            if self._is_inside(identifier) and Path(_file_of(identifier)).is_file():
                found.append(identifier)
        return found

    def _led(self, layer: Any, path: str) -> str:
        """Where a path in a layer leads to in the job's folder."""
        if not path or path in self.artists:
            return path
        plain, mark, arguments = path.partition(_FORMAT_ARGUMENTS)
        own = Path(layer.realPath).resolve()
        holder = own.relative_to(self.root.resolve()).as_posix() if own.is_relative_to(self.root.resolve()) else ""
        if plain in self._missing.get(holder, {}):
            self.told.update((plain, f"./{plain}", os.path.normpath(own.parent / plain), self._not_sent(plain)))
        place = self._places.get(holder, {}).get(plain)
        if place is not None:
            led = str(self.root / place)
            self.artists[led] = _usd_path(self._origins.get(place, plain))
        elif self._is_inside(str(own.parent / plain)) and not _is_remote(plain):
            # A path without a dot before it is also looked for in the worker's folders, unless it says where it is.
            if plain.startswith(".") or _is_absolute(plain) or (own.parent / _file_of(plain)).is_file():
                return path
            led = f"./{plain}"
            self.artists[led] = plain
        else:
            led = self._not_sent(plain)
            self.artists[led] = plain
        return f"{led}{mark}{arguments}"

    def _not_sent(self, path: str) -> str:
        """Where a path leads to, if its file did not come along and would lie outside the job's folder."""
        number = self.not_sent.setdefault(path, len(self.not_sent))  # files may have equal names
        return str(self.root / NOT_SENT / f"{number:04d}" / path.replace("\\", "/").rpartition("/")[2])

    def _is_inside(self, path: str) -> bool:
        return Path(_file_of(path)).resolve().is_relative_to(self.root.resolve())

    def _mend(self, layer: Any) -> None:
        """Give each number among the layer's metadata the type that USD wants."""
        info = layer.pseudoRoot
        for key, default in _NUMBERS.items():
            if not info.HasInfo(key):
                continue
            value = _number(info.GetInfo(key))
            if value is not None and (value > 0 or key not in _POSITIVE):
                info.SetInfo(key, value)
                continue
            info.ClearInfo(key)
            if default is not None:
                name = Path(layer.realPath or layer.identifier).name
                self.warn(f"“{key}” in {name} is not a number that USD allows; {default:g} is used.")
        if info.HasInfo("upAxis"):
            axis = str(info.GetInfo("upAxis")).strip().upper()
            if axis in ("Y", "Z"):
                info.SetInfo("upAxis", axis)
            else:
                info.ClearInfo("upAxis")
                self.warn(f"“upAxis” in {Path(layer.realPath or layer.identifier).name} is not Y or Z; Y is used.")


_ByHolder = dict[str, dict[str, str]]


def read_paths(root: Path) -> tuple[_ByHolder, dict[str, str], _ByHolder]:
    """What the file that lists the scene's files says.

    The places by holder and stored path, the origins of these places, and what is missing, as the places.
    """
    try:
        document = json.loads((root / PATHS_FILE).read_bytes())
        places, missing = (
            {str(holder): {str(path): str(text) for path, text in paths.items()} for holder, paths in of_all.items()}
            for of_all in (document.get("holders", {}), document.get("missing", {}))
        )
        return places, {str(place): str(path) for place, path in document.get("origins", {}).items()}, missing
    except FileNotFoundError:
        return {}, {}, {}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        print(f"{root / PATHS_FILE}: {error!r}")
        return {}, {}, {}


def _usd_path(path: str) -> str:
    """As USD writes what Blender writes with "//"."""
    return f"./{path[2:]}" if path.startswith("//") else path


def _file_of(path: str) -> str:
    """The file of an asset path, without format arguments and without the place in a package."""
    return path.partition(_FORMAT_ARGUMENTS)[0].partition("[")[0]


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or path[1:2] == ":" or _is_remote(path)


def _is_remote(path: str) -> bool:
    return "://" in path or path.startswith("anon:")


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None
