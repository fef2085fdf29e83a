"""The files beside the scene: every path that the scene and its libraries store leads to its place in the workspace.

The paths are changed in the files, before Blender opens them. So libraries of libraries, overrides and equal names in
two libraries load as they did on the artist's machine.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import bpy
from sendoff_sdk import blend_names, blend_paths
from sendoff_sdk.errors import BlendFileError
from sendoff_sdk.names import readable
from sendoff_sdk.scene_files import stored_path

from .job import Job, JobFailed

COLLECTIONS = ("images", "movieclips", "sounds", "fonts", "cache_files", "volumes")
NOT_SENT = "not-sent"
SHOWN_NAMES = 3
#: What was changed by an earlier Blender that could not open the scene.
_CHANGES_NAME = "sendoff-changes.json"


@dataclass
class ExternalPaths:
    """What was changed, so that a result can carry the artist's own paths."""

    root: Path
    """The workspace's folder, the only one that the scene may read from."""
    scene: str
    """The scene's place in it."""
    holders: dict[str, dict[str, str]] = field(default_factory=dict)
    """By the place of a file: each path that it stores, and the place of the file that is meant."""
    origins: dict[str, str] = field(default_factory=dict)
    """By the place of a file: its path as the artist's scene would write it."""
    missing: dict[str, dict[str, str]] = field(default_factory=dict)
    """By the place of a file: each path that it stores and that was not found, and what names it."""
    unused: dict[str, list[str]] = field(default_factory=dict)
    """By the place of a library: the paths of it that nothing of the scene uses."""
    changed: dict[str, dict[str, str]] = field(default_factory=dict)
    """By the place of a file: each path that it stores now, and the one that it stored."""

    @classmethod
    def prepare(cls, job: Job, scene: Path, paths: Path | None, *, root: Path) -> ExternalPaths:
        """Point the scene's file and its libraries to the files that came along, and nowhere else.

        Args:
            job: Learns which files are missing.
            scene: The .blend in the workspace; it and its libraries are changed.
            paths: sendoff-paths.json, or None if nothing came along.
            root: The workspace's folder.

        Raises:
            JobFailed: The list cannot be read.
        """
        root = root.resolve()
        self = cls(root=root, scene=scene.resolve().relative_to(root).as_posix())
        if paths is not None:
            self._read(paths)
        self._read_changes()
        waiting, done = [self.scene], set()
        while waiting:
            holder = waiting.pop()
            if holder not in done:
                done.add(holder)
                waiting += self._rewrite(job, holder)
        (root / _CHANGES_NAME).write_text(json.dumps(self.changed), encoding="ascii")
        return self

    def original(self, block: Any) -> str | None:
        """The path of a datablock's file as the artist's scene would write it; None if it was not changed."""
        if block.id_type == "LIBRARY":
            return self._origin_of(Path(bpy.path.abspath(block.filepath)))
        stored = str(getattr(block, "filepath", ""))
        if not stored:
            return None
        if block.library is None:
            return self.changed.get(self.scene, {}).get(stored)
        return self._origin_of(Path(bpy.path.abspath(stored, library=block.library)))

    def confine(self, job: Job) -> None:
        """Let no datablock of the open scene read an existing file from outside the workspace."""
        for collection in COLLECTIONS:
            for block in getattr(bpy.data, collection):
                if self._is_foreign(block):
                    job.warn(f"The file of “{block.name}” did not come along and is left out.")
                    block.filepath = str(self.root / NOT_SENT / Path(block.filepath).name)

    def _rewrite(self, job: Job, holder: str) -> list[str]:
        """Change the paths of one file; returns the places of the libraries that it links."""
        file = self.root / holder
        libraries: list[str] = []
        listed, changed = self.holders.get(holder, {}), self.changed.setdefault(holder, {})
        known: dict[str, str] = {}

        def change(found: Any) -> str | None:
            if found.kind == "global" or found.is_packed:
                return None
            if found.path in changed:  # by an earlier Blender, which could not open the scene
                if f"{NOT_SENT}/" in found.path:
                    place = self._place_of(file.parent, found.path) or ""
                    self._note_missing(job, holder, found, place=place, stored=changed[found.path])
                return None
            if found.key in known:
                return known[found.key]
            target = self._target(holder, found, listed)
            if target is None:
                target = self._not_sent(job, holder, found)
            elif found.kind == "library":
                libraries.append(target)
            if target is None:
                return None
            # What Blender 5 has packed is relative to the library that it came from, which is not here.
            path = str(self.root / target) if found.library else stored_path(target, holder)
            if path == found.path:
                return None
            changed[path], known[found.key] = found.path, path
            return path

        try:
            blend_paths.rewrite_paths(file, change)
            blend_names.mend_names(file)
        except (BlendFileError, OSError) as error:  # Blender says what is wrong with the scene; a library is left out
            print(f"The paths in {holder} cannot be changed: {error}")
            if holder != self.scene:
                job.warn(f"The linked library “{PurePosixPath(holder).name}” cannot be read; what it holds is missing.")
                file.unlink(missing_ok=True)
        # Those that an earlier Blender's turn has changed are no longer named by the list's paths.
        linked = (self._place_of(file.parent, path) for path in changed if path.endswith(".blend"))
        return libraries + [place for place in linked if place and not place.startswith(f"{NOT_SENT}/")]

    def _target(self, holder: str, found: Any, listed: dict[str, str]) -> str | None:
        """The place of the file that a stored path means; None if it did not come along."""
        if found.key in listed:
            place = self._place_of(self.root, listed[found.key])
            if place is not None:
                return place
        if not found.path.startswith("//"):
            return None
        place = self._place_of((self.root / holder).parent, found.path)
        return place if place is not None and _is_there(self.root / place) else None

    def _place_of(self, folder: Path, path: str) -> str | None:
        """A path as a place in the workspace; None if it leads out of it."""
        full = os.path.normpath(folder / path.removeprefix("//").replace("\\", "/"))
        real = Path(os.path.realpath(full))
        return real.relative_to(self.root).as_posix() if real.is_relative_to(self.root) else None

    def _not_sent(self, job: Job, holder: str, found: Any) -> str | None:
        """A place where nothing is, for a file that did not come along; None for a text that may be no path."""
        if found.is_optional and not (self.root / holder).parent.joinpath(found.path).exists():
            return None
        number = sum(len(changes) for changes in self.changed.values())
        name = found.path.replace("\\", "/").rstrip("/").rpartition("/")[2] or "file"
        place = f"{NOT_SENT}/{number:04d}/{name}"
        if len(stored_path(place, holder).encode("utf-8", "surrogateescape")) >= found.room:
            place = f"{NOT_SENT}/{number}"
        self._note_missing(job, holder, found, place=place, stored=found.path)
        return place

    def _note_missing(self, job: Job, holder: str, found: Any, *, place: str, stored: str) -> None:
        """Tell the job of a file that did not come along, unless nothing uses it or every Blender has it."""
        self.origins[place] = self._as_the_scene_writes(holder, stored)
        key = f"{stored}\n{found.library}" if found.library else stored
        if found.is_optional or key in self.unused.get(holder, ()) or blend_paths.is_blenders_own(stored):
            return
        known = self.missing.get(holder, {}).get(key)
        what = known or f"{found.kind.replace('_', ' ')} “{found.owner}”"
        job.missing(readable(stored), readable(what), is_told=known is not None)

    def _as_the_scene_writes(self, holder: str, stored: str) -> str:
        """A path that a file stores, relative to the artist's scene instead of that file."""
        base = self.origins.get(holder, "")
        if not stored.startswith("//") or holder == self.scene or not base:
            return stored
        folder = base.replace("\\", "/").rpartition("/")[0]
        if not base.startswith("//"):
            return os.path.normpath(f"{folder}/{stored[2:]}")
        return "//" + os.path.normpath(f"{folder[2:]}/{stored[2:]}").lstrip("/")

    def _origin_of(self, path: Path) -> str | None:
        place = self._place_of(self.root, os.path.normpath(path))
        return None if place is None else self.origins.get(place)

    def _is_foreign(self, block: Any) -> bool:
        if block.filepath == "<builtin>" or getattr(block, "packed_file", None):
            return False
        if blend_paths.names_no_file(block.filepath):  # empty, or as Blender stores an empty path
            return False
        path = Path(bpy.path.abspath(block.filepath, library=block.library)).resolve()
        own = Path(bpy.utils.resource_path("LOCAL")).resolve()
        return not path.is_relative_to(self.root) and not path.is_relative_to(own) and _is_there(path)

    def _read(self, paths: Path) -> None:
        try:
            document = json.loads(paths.read_text(encoding="utf-8"))
            if document["version"] != 2:
                raise ValueError(f"version {document['version']}")  # noqa: TRY301
            self.holders = _texts_of_texts(document["holders"])
            self.origins = _texts(document.get("origins") or {})
            self.missing = _texts_of_texts(document.get("missing") or {})
            self.unused = {str(key): list(map(str, value)) for key, value in (document.get("unused") or {}).items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            print(f"{paths}: {error!r}")
            raise JobFailed(
                "The list of the scene's external files cannot be read; update the Sendoff add-on or command and "
                "send the scene again."
            ) from error

    def _read_changes(self) -> None:
        path = self.root / _CHANGES_NAME
        if path.is_file():
            self.changed = _texts_of_texts(json.loads(path.read_text(encoding="ascii")))


def _is_there(path: Path) -> bool:
    """Whether a path leads to something: for the token of a tiled image, to any of its tiles."""
    if "<" in path.name:
        return path.parent.is_dir() and any(path.parent.glob(path.name.partition("<")[0] + "*"))
    return path.exists()


def _texts(value: dict[Any, Any]) -> dict[str, str]:
    return {str(key): str(item) for key, item in value.items()}


def _texts_of_texts(value: dict[Any, Any]) -> dict[str, dict[str, str]]:
    return {str(key): _texts(item) for key, item in value.items()}
