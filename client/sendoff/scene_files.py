"""Which files a scene needs: found by reading the scene and its libraries, each given a place in the job's folder.

No Blender is needed. Nothing here may run on the main thread of a host: files may lie on a slow share.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import blend_paths, fbx_textures, usd_layers
from .blend_dna import CannotDecompress
from .blend_links import Used, used_of_libraries
from .blend_paths import OWN_CACHE, PathField
from .blend_scene_frames import KINDS as SCENE_FRAMES_KINDS
from .errors import BlendFileError, InputError, Stopped
from .file_spelling import FileSpelling
from .host import file_patterns
from .names import UDIM, readable, safe_name, safe_pattern
from .regular_files import is_readable, why_unreadable
from .usd_files import UsdFiles

PATHS_NAME = "sendoff-paths.json"
PATHS_ROLE = "paths"
#: Libraries of libraries: more than this is a loop that no one makes on purpose.
_MOST_HOLDERS = 10_000
_WORDS = {"cache_file": "cache", "mesh_cache": "cache", "point_cache": "cache", "fluid": "cache", "ocean": "cache",
          "gn_bake": "bake", "movieclip": "movie clip", "ies": "IES profile", "osl": "script", "socket": "input of",
          "multires": "multires data of"}  # fmt: skip
#: What Blender writes into the folder of each kind of cache, so that other files beside it stay.
_CACHE_FILES = {
    "ocean": ("disp_*.exr", "foam_*.exr", "normal_*.exr", "spray_*.exr", "spray_inverse_*.exr"),
    "fluid": tuple(f"{name}/*" for name in ("config", "data", "guiding", "mesh", "noise", "particles", "script")),
    OWN_CACHE: ("**/*",),
    "point_cache": ("*.bphys", "*.bobj.gz", "*.vdb"),
    "gn_bake": ("meta/*", "blobs/*", "*/meta/*", "*/blobs/*", "*/*/meta/*", "*/*/blobs/*"),
}


@dataclass(frozen=True)
class SceneFile:
    """One file to send: where it lies here, its path in the job's folder, and what it is for."""

    source: Path
    path: str
    #: "scene" for the one the task opens, "external" for a texture, a cache, a library.
    role: str = "external"


@dataclass(frozen=True)
class Collected:
    """The files that a scene needs, and what the artist should know."""

    #: Without the scene; with sendoff-paths.json, if there is anything in it and a folder for it.
    files: tuple[SceneFile, ...] = ()
    #: The scene's path in the job's folder.
    place: str = ""
    #: What is sent as the scene, if it is a copy with other paths; None for the scene itself.
    scene: Path | None = None
    #: "/p/textures/paint.png (image “Paint”)": named and not there.
    missing: tuple[str, ...] = ()
    #: The content of sendoff-paths.json.
    paths: dict[str, Any] = field(default_factory=dict)
    #: Sentences: what could not be looked up.
    notes: tuple[str, ...] = ()


def collect(
    scene: Path,
    *,
    base: Path | None = None,
    folder: Path | None = None,
    place: str = "",
    stem: str = "",
    is_saved: bool = True,
    stop: Callable[[], bool] | None = None,
) -> Collected:
    """Find all files that a scene needs, and those that these need: of a .blend, a USD or an FBX file; of others none.

    Args:
        scene: The file that is sent; it may be a copy in a temporary folder.
        base: The folder that `//` means in the scene: that of the artist's file. By default the scene's own.
        folder: Where sendoff-paths.json is written, and copies of USD layers with absolute paths; without one neither.
        place: The scene's path in the job's folder; by default its safe name.
        stem: Name of the artist's file without suffix, which its folder of point caches has; by default the scene's.
        is_saved: Whether the artist ever saved the scene; if not, its relative paths are named as they are stored.
        stop: Asked from time to time; Stopped is raised if it says yes.

    Raises:
        BlendFileError: The scene is damaged.
        InputError: sendoff-paths.json or a copy of a layer cannot be written.
        Stopped: `stop` said yes.
        OSError: The scene cannot be read.
    """
    suffix = Path(place or safe_name(scene.name)).suffix.lower()
    if suffix in usd_layers.SUFFIXES:
        return _of_usd(scene, folder, stop)
    if suffix == ".fbx":
        return _of_fbx(scene, folder)
    if suffix != ".blend":
        return Collected(place=place or safe_name(scene.name))
    found = _Collection(folder, stop)
    start = _Holder(
        file=scene,
        place=place or safe_name(scene.name),
        base=Path(os.path.abspath(base if base is not None else scene.parent)),  # noqa: PTH100 - keeps links
        origin="//",
        stem=stem or scene.stem,
        is_saved=is_saved,
    )
    try:
        found.add_scene(start)
    except CannotDecompress as error:
        return Collected(place=start.place, notes=(str(error),))
    while found.waiting:
        found.add_blend(found.waiting.pop(0))
    return found.result(folder)


def _of_usd(scene: Path, folder: Path | None, stop: Callable[[], bool] | None) -> Collected:
    found = UsdFiles(scene, stop, folder=folder)
    files = [SceneFile(source=source, path=place) for place, source in found.places.items()]
    paths: dict[str, Any] = {}
    if found.missing_paths:
        paths = {"version": 2, "holders": {}, "origins": {}, "missing": found.missing_paths}
        if folder is not None and PATHS_NAME not in found.places:
            files.append(write_paths(paths, folder))
    return Collected(
        files=tuple(files),
        place=found.place,
        scene=found.scene,
        missing=found.missing,
        paths=paths,
        notes=found.notes,
    )


def _of_fbx(scene: Path, folder: Path | None) -> Collected:
    """The textures of an FBX file, which go beside it: there the importer looks for them at last."""
    place = safe_name(scene.name)
    places: dict[str, Path] = {}
    missing = []
    told: dict[str, str] = {}
    for texture in fbx_textures.textures(scene):
        file = texture.find(scene.parent)
        if file is None or safe_name(file.name) != file.name or not is_readable(file):
            told[texture.paths[-1]] = f"texture of “{readable(scene.name)}”"
            missing.append(f"{readable(texture.paths[-1])} ({told[texture.paths[-1]]})")
        elif file.name != place:
            places[file.name] = file
    files = [SceneFile(source=source, path=name) for name, source in places.items()]
    paths: dict[str, Any] = {}
    if told:
        paths = {"version": 2, "holders": {}, "origins": {}, "missing": {place: told}}
        if folder is not None:
            files.append(write_paths(paths, folder))
    return Collected(files=tuple(files), place=place, missing=tuple(missing), paths=paths)


def stored_path(place: str, holder: str) -> str:
    """The path that a .blend stores for a file, both given by their places in the job's folder."""
    return "//" + posixpath.relpath(place, posixpath.dirname(holder) or ".")


def write_paths(paths: dict[str, Any], folder: Path) -> SceneFile:
    """Write sendoff-paths.json into a folder; the same scene gives the same bytes.

    It is ASCII, so that paths with bytes that are not UTF-8 survive. Raises InputError if it cannot be written.
    """
    source = folder / PATHS_NAME
    try:
        source.write_text(json.dumps(paths, ensure_ascii=True, indent=1, sort_keys=True), encoding="ascii")
    except OSError as error:
        raise InputError(
            f"The files that the scene uses cannot be listed in {folder}: {error.strerror or error}. Is the disk full?"
        ) from error
    return SceneFile(source=source, path=PATHS_NAME, role=PATHS_ROLE)


@dataclass(frozen=True)
class _Holder:
    """A file that holds paths: where it is here, where in the job's folder, and what `//` means in it."""

    file: Path
    place: str
    base: Path
    #: Its folder as the artist's scene would write it: "//lib/"; absolute if a path on the way is.
    origin: str
    stem: str
    is_saved: bool = True


class _Collection:
    """What was found so far."""

    def __init__(self, folder: Path | None, stop: Callable[[], bool] | None) -> None:
        self._folder = folder
        self.waiting: list[_Holder] = []
        #: Place in the job's folder -> the file here.
        self.places: dict[str, Path] = {}
        self._stop = stop
        self._by_file: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._holders: dict[str, dict[str, str]] = {}
        self._origins: dict[str, str] = {}
        self._missing: dict[str, dict[str, str]] = {}
        self._unused: dict[str, list[str]] = {}
        self._used: dict[str, Used] = {}
        self._labels: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        self._read_once: set[str] = set()
        self._spelling = FileSpelling()
        self._count = 0

    def add_scene(self, holder: _Holder) -> None:
        """Begin with the scene, which has its place."""
        self.places[holder.place] = holder.file
        self._by_file[_real(holder.file)] = holder.place
        self._read_once.add(_real(holder.file))
        fields = blend_paths.read_paths(holder.file, stop=self._stop)
        if any(one.kind == "library" and not one.is_packed for one in fields):
            self._used = used_of_libraries(holder.file, holder.base, stop=self._stop)
        self._add_fields(holder, fields)

    def add_blend(self, holder: _Holder) -> None:
        """Read a library, and place what it names."""
        try:
            self._add_fields(holder, blend_paths.read_paths(holder.file, stop=self._stop))
        except CannotDecompress as error:
            self._notes[str(error)] = None
        except (BlendFileError, OSError) as error:
            self._notes[f"The library {readable(str(holder.file))} cannot be looked into: {_reason(error)}"] = None

    def _add_fields(self, holder: _Holder, fields: list[PathField]) -> None:
        used = self._used.get(_real(holder.file))
        unused: set[str] = set()
        for one in fields:
            if self._stop is not None and self._stop():
                raise Stopped("Stopped while the scene's files were looked up.")
            if one.kind == "global" or one.is_packed or blend_paths.is_blenders_own(one.path):
                continue
            if used is None or used.holds(one.owner_code, one.owner, one.path):
                # Which frames of a library's clips and caches are shown is up to the scene that links it.
                is_up_to_scene = holder.place != next(iter(self.places)) and one.kind in SCENE_FRAMES_KINDS
                self._add(holder, replace(one, frames=None) if is_up_to_scene else one)
            elif one.room:
                unused.add(one.key)
        unused -= {*self._holders.get(holder.place, ()), *self._missing.get(holder.place, ())}
        if unused:
            self._unused[holder.place] = sorted(unused)

    def result(self, folder: Path | None) -> Collected:
        """All that was found."""
        paths: dict[str, Any] = {
            "version": 2, "holders": self._holders, "origins": self._origins, "missing": self._missing
        }  # fmt: skip
        if self._unused:
            paths["unused"] = self._unused
        files = [SceneFile(source=source, path=place) for place, source in list(self.places.items())[1:]]
        if folder is not None and (self._holders or self._missing):
            files.append(write_paths(paths, folder))
        return Collected(
            files=tuple(files),
            place=next(iter(self.places)),
            missing=tuple(self._labels),
            paths=paths,
            notes=tuple(self._notes),
        )

    def _add(self, holder: _Holder, one: PathField) -> None:
        if one.path == OWN_CACHE:
            self._add_own_cache(holder, one)
            return
        path = blend_paths.absolute(one.path, _base(holder, one))
        is_usd = one.kind == "cache_file" and path.suffix.lower() in usd_layers.LAYER_SUFFIXES
        if is_usd and not one.is_sequence and is_readable(path):
            place = self._place_usd(path)
        elif one.is_folder:
            # An empty path is stored as the way to the root: no one means to send all that is there.
            files = list(_cache_files(path, one.kind)) if path != Path(path.anchor) else []
            place = self._place_folder(holder, one, path, files) if files else ""
            if not files and not one.is_optional:
                self._miss(holder, one, [path], why=_why_no_cache(path))
        else:
            there, missing = _files(path, one)
            place = self._place_files(holder, one, path, there) if there else ""
            if missing and not one.is_optional:
                self._miss(holder, one, missing, why=self._why_missing(missing), is_all=not there)
        if place:
            self._holders.setdefault(holder.place, {})[one.key] = place
            self._origins.setdefault(place, _origin(holder, one, path))

    def _why_missing(self, paths: list[Path]) -> str:
        """Why none of these can be read, if that is the same for all; "" if they are not there."""
        reasons = set(map(why_unreadable, paths))
        why = reasons.pop() if len(reasons) == 1 else ""
        if not why and len(paths) == 1:
            other = self._spelling.other(paths[0])
            why = f"there is only {readable(other)}" if other else ""
        return why

    def _add_own_cache(self, holder: _Holder, one: PathField) -> None:
        path = holder.base / f"blendcache_{holder.stem}"
        parent, name = posixpath.split(holder.place)
        target = posixpath.join(parent, f"blendcache_{posixpath.splitext(name)[0]}")
        files = list(_cache_files(path, OWN_CACHE))
        for file in files:
            self._set(f"{target}/{_safe_relative(file, path)}", file)
        if not one.is_optional and not any(file.suffix == ".bphys" for file in files):
            self._miss(holder, replace(one, path=f"//{path.name}"), [path], why=_why_no_cache(path), is_all=False)

    def _place_files(self, holder: _Holder, one: PathField, path: Path, files: list[Path]) -> str:
        is_tiled = _is_tiled(path, one)
        is_group = one.is_sequence or is_tiled or bool(one.names)
        key = _group_key(path, one) if is_group else _real(path)
        known = (self._groups if is_group else self._by_file).get(key)
        name = safe_pattern(path.name) if is_tiled else safe_name(path.name)
        if known is None:
            known = self._new_place(holder, one, name)
            (self._groups if is_group else self._by_file)[key] = known
        place = f"{posixpath.dirname(known)}/{name}".lstrip("/") if is_group else known
        for file in files:
            self._set(f"{posixpath.dirname(place)}/{safe_name(file.name)}".lstrip("/") if is_group else place, file)
        if one.kind == "library" and self.places.get(place) == path and len(self._read_once) <= _MOST_HOLDERS:
            self._wait(holder, one, path, place)
        return place

    def _wait(self, holder: _Holder, one: PathField, path: Path, place: str) -> None:
        """A library is read once, however many files link it."""
        key = _real(path)
        if key in self._read_once:
            return
        self._read_once.add(key)
        origin = _origin(holder, one, path).rpartition("/")[0] + "/"
        self.waiting.append(_Holder(path, place, path.parent, origin, path.stem))

    def _place_folder(self, holder: _Holder, one: PathField, path: Path, files: list[Path]) -> str:
        key = _real(path) + "/"
        place = self._groups.get(key)
        if place is None:
            place = self._groups[key] = self._new_place(holder, one, safe_name(path.name))
        for file in files:
            self._set(f"{place}/{_safe_relative(file, path)}", file)
        return place

    def _place_usd(self, path: Path) -> str:
        """A USD cache goes with its layers and textures, each at its place relative to it."""
        key = _real(path)
        place = self._by_file.get(key)
        if place is None:
            found = UsdFiles(path, self._stop, folder=self._copies(self._count))
            folder = f"external/{self._count:02d}"
            self._count += 1
            place = self._by_file[key] = f"{folder}/{found.place}"
            self._set(place, found.scene)
            for inner, file in found.places.items():
                self._set(f"{folder}/{inner}", file)
            self._labels.update(dict.fromkeys(found.missing))
            self._notes.update(dict.fromkeys(found.notes))
        return place

    def _copies(self, number: int) -> Path | None:
        """The folder for copies of a cache's layers."""
        return None if self._folder is None else self._folder / f"cache-{number:03d}"

    def _new_place(self, holder: _Holder, one: PathField, name: str) -> str:
        place = f"external/{self._count:02d}/{name}"
        if len(stored_path(place, holder.place).encode()) > one.room:
            # Its place in the .blend is short: beside the file that names it the path is as short as can be.
            near = posixpath.join(posixpath.dirname(holder.place), name)
            if near not in self.places and not any(taken.startswith(f"{near}/") for taken in self.places):
                return near
        self._count += 1
        return place

    def _set(self, place: str, file: Path) -> None:
        if self.places.setdefault(place, file) != file and _real(self.places[place]) != _real(file):
            self._notes[f"The file {readable(str(file))} is not sent: another one has its name on other systems."] = (
                None
            )

    def _miss(self, holder: _Holder, one: PathField, paths: list[Path], *, why: str = "", is_all: bool = True) -> None:
        path = _listed(paths)
        if re.match(r"[A-Za-z]:[\\/]|\\\\", one.path) and os.sep == "/":
            path = one.path  # of Windows
        elif one.path.startswith("//") and not holder.is_saved:
            path = one.path  # the folder is one for the copy, which means nothing to the artist
        label = f"{_WORDS.get(one.kind, one.kind)} “{readable(one.owner)}”{why and f': {why}'}"
        self._labels[f"{readable(path)} ({label})"] = None
        if is_all:
            self._missing.setdefault(holder.place, {})[one.key] = label


def _files(path: Path, one: PathField) -> tuple[list[Path], list[Path]]:
    """The files that a path means: those that are there, and those that are not."""
    if one.tiles:
        wanted = file_patterns.tiles(path, one.tiles)
    elif _is_tiled(path, one):
        wanted = file_patterns.all_tiles(path)
    elif one.names:
        wanted = [path, *(path.with_name(name) for name in one.names)]
    elif one.is_sequence:
        there = [file for file in file_patterns.frames(path, one.frames) if is_readable(file)]
        return there, _missing_frames(path, one, there) if there else [path]
    else:
        wanted = [path]
    there = [file for file in wanted if is_readable(file)]
    known = set(there)
    return there, [file for file in wanted if file not in known]


def _is_tiled(path: Path, one: PathField) -> bool:
    """Whether a path is a pattern of tiles: a file may really have the token in its name."""
    return bool(one.tiles) or (UDIM in path.name and not is_readable(path) and bool(file_patterns.all_tiles(path)))


def _missing_frames(path: Path, one: PathField, there: list[Path]) -> list[Path]:
    """The used frames of a sequence that are not there."""
    parts = file_patterns.split_number(path.name)
    if one.frames is None or parts is None or one.kind in SCENE_FRAMES_KINDS:  # a scene may go on behind a clip
        return []
    head, digits, tail = parts
    found = {int(file.name[len(head) : len(file.name) - len(tail)]) for file in there}
    # The first of a range is shown before the sequence begins: it is often not there, and no one misses it.
    missing = sorted(frame for frame in one.frames - found if frame - 1 in one.frames and frame >= 0)
    return [path.with_name(f"{head}{frame:0{len(digits)}d}{tail}") for frame in missing]


def _cache_files(folder: Path, kind: str) -> Iterator[Path]:
    try:
        for pattern in _CACHE_FILES.get(kind, ("*",)):
            yield from (file for file in sorted(folder.glob(pattern)) if is_readable(file))
    except (OSError, ValueError):
        return


def _why_no_cache(folder: Path) -> str:
    try:
        if not folder.exists():
            return ""
        if not folder.is_dir():
            return "a file, not a folder"
        return "no files of a cache are in it" if os.access(folder, os.R_OK | os.X_OK) else "no permission to read it"
    except (OSError, ValueError):
        return ""


def _listed(paths: list[Path]) -> str:
    named = str(paths[0])
    return named if len(paths) == 1 else f"{named} and {len(paths) - 1} more"


def _base(holder: _Holder, one: PathField) -> Path:
    """The folder that `//` means in a path."""
    return blend_paths.absolute(one.library, holder.base).parent if one.library else holder.base


def _origin(holder: _Holder, one: PathField, path: Path) -> str:
    """The path as the artist's scene would write it."""
    if (
        not holder.origin.startswith("//")
        or not one.path.startswith("//")
        or not (one.library or "//").startswith("//")
    ):
        return path.as_posix()
    parts = [holder.origin[2:], posixpath.dirname(one.library[2:]), one.path[2:].replace("\\", "/")]
    return "//" + posixpath.normpath(posixpath.join(*parts))


def _group_key(path: Path, one: PathField) -> str:
    """The same for every frame of a sequence."""
    parts = file_patterns.split_number(path.name) if not one.tiles else None
    name = path.name if parts is None else f"{parts[0]}#{parts[2]}"
    return os.path.join(_real(path.parent), name)  # noqa: PTH118 - a key


def _safe_relative(file: Path, folder: Path) -> str:
    return "/".join(safe_name(part) for part in file.relative_to(folder).parts)


def _real(path: Path) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return str(path)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or error}."
    return readable(str(error))
