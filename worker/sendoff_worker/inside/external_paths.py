"""The files beside the scene: textures, libraries, fonts and the like, at their place in the worker's workspace."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from .job import Job, JobFailed

COLLECTIONS = ("libraries", "images", "movieclips", "sounds", "fonts", "cache_files", "volumes")
LIBRARY_DEPTH = 8
"""Libraries that link libraries: how deep they are followed."""


@dataclass
class ExternalPaths:
    """What was changed after loading, so that a result can carry the artist's own paths."""

    originals: list[tuple[str, Any, str]] = field(default_factory=list)
    """(collection, datablock, the path that the file held)."""
    library_paths: dict[Any, str] = field(default_factory=dict)
    """The same of the libraries, kept also once the paths are put back."""

    @classmethod
    def apply(cls, job: Job, paths: Path | None, *, root: Path) -> ExternalPaths:
        """Point the open scene's datablocks to the files that came along, and nowhere else.

        Args:
            job: Gets a warning for what the list names and the workspace lacks.
            paths: sendoff-paths.json, or None where nothing came along.
            root: The workspace's folder, the only one that the scene may read from.

        Raises:
            JobFailed: The list cannot be read.
        """
        self = cls()
        root = root.resolve()
        entries = _read(paths) if paths is not None else []
        self._apply_libraries(job, entries, root)
        for entry in entries:
            if entry["collection"] == "libraries":
                continue
            target = _inside(root, entry["path"])
            if target is None:
                job.warn(f"The path of “{entry['name']}” in the list of external files is not usable.")
                continue
            for block in _blocks(entry["collection"], entry["name"]):
                self._point(entry["collection"], block, target)
        self._confine(job, root)
        return self

    def restore(self) -> None:
        """Put the artist's own paths back: a result must not hold the worker's."""
        for _collection, block, path in self.originals:
            try:
                block.filepath = path
            except (ReferenceError, AttributeError, RuntimeError) as error:
                print(f"A path could not be put back ({path}): {error}")
        self.originals.clear()

    def _apply_libraries(self, job: Job, entries: list[dict[str, str]], root: Path) -> None:
        """Libraries first, and again for those that only appear once another one has been read."""
        self._drop_foreign_libraries(job, root)
        waiting = {entry["name"]: entry["path"] for entry in entries if entry["collection"] == "libraries"}
        for _ in range(LIBRARY_DEPTH):
            found = [name for name in waiting if _blocks("libraries", name)]
            for name in found:
                target = _inside(root, waiting.pop(name))
                if target is None or not target.is_file():
                    job.warn(f"The linked library “{name}” did not come along; what it holds is missing.")
                    continue
                for library in _blocks("libraries", name):
                    self._reload_library(job, library, target)
            self._drop_foreign_libraries(job, root)
            if not found:
                break

    def _reload_library(self, job: Job, library: Any, target: Path) -> None:
        name, original = library.name, library.filepath
        try:
            library.filepath = str(target)
            library.reload()
        except RuntimeError as error:
            print(error)
            job.warn(f"The linked library “{name}” cannot be opened; what it holds is missing.")
            return
        self.originals += [("libraries", block, original) for block in _blocks("libraries", name)]
        self.library_paths |= dict.fromkeys(_blocks("libraries", name), original)

    def _point(self, collection: str, block: Any, target: Path) -> None:
        original = block.filepath
        try:
            block.filepath = str(target)
            if collection == "images" and block.source in {"FILE", "SEQUENCE", "MOVIE", "TILED"}:
                block.reload()
        except (AttributeError, RuntimeError) as error:
            print(f"The path of {collection} {block.name!r} cannot be set: {error}")
            return
        self.originals.append((collection, block, original))

    def _drop_foreign_libraries(self, job: Job, root: Path) -> None:
        """A scene may name any path: what lies outside its workspace belongs to the machine or to other people."""
        for library in [one for one in bpy.data.libraries if _is_foreign(one, root)]:
            job.warn(f"The linked library “{library.name}” did not come along; what it holds is missing.")
            bpy.data.libraries.remove(library)

    def _confine(self, job: Job, root: Path) -> None:
        for collection in COLLECTIONS[1:]:
            for block in getattr(bpy.data, collection):
                if _is_foreign(block, root):
                    job.warn(f"The file of “{block.name}” did not come along and is left out.")
                    self._point(collection, block, root / "not-sent" / Path(block.filepath).name)


def _read(paths: Path) -> list[dict[str, str]]:
    try:
        document = json.loads(paths.read_text(encoding="utf-8"))
        if document["version"] != 1:
            raise ValueError(f"version {document['version']}")  # noqa: TRY301
        entries = [{key: str(one[key]) for key in ("collection", "name", "path")} for one in document["files"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        print(f"{paths}: {error!r}")
        raise JobFailed(
            "The list of the scene's external files cannot be read; update the Sendoff add-on and send the scene again."
        ) from error
    return [one for one in entries if one["collection"] in COLLECTIONS]


def _blocks(collection: str, name: str) -> list[Any]:
    """The datablocks of this name: the scene's own, or else those of its libraries."""
    named = [block for block in getattr(bpy.data, collection) if block.name == name]
    return [block for block in named if block.library is None] or named


def _inside(root: Path, relative: str) -> Path | None:
    target = (root / relative).resolve()
    return target if target.is_relative_to(root) else None


def _is_foreign(block: Any, root: Path) -> bool:
    """Whether the datablock reads an existing file from outside the workspace."""
    if not block.filepath or block.filepath == "<builtin>" or getattr(block, "packed_file", None):
        return False
    library = block.library if block.bl_rna.identifier != "Library" else None
    path = Path(bpy.path.abspath(block.filepath, library=library))
    path = path.resolve()
    if path.is_relative_to(root):
        return False
    if path.is_relative_to(Path(bpy.utils.resource_path("LOCAL")).resolve()):
        return False  # Blender's own assets
    return path.exists() or "<UDIM>" in path.name
