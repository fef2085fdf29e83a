"""What the open file reads from other files: found, given a place in the job's folder, or listed as missing.

Packed files are in the .blend already, and Blender's own brushes are on every machine; both are left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import bpy

from .sendoff import SceneFile
from .sendoff.host import file_patterns

if TYPE_CHECKING:
    _Reader = (
        bpy.types.Library
        | bpy.types.Image
        | bpy.types.MovieClip
        | bpy.types.Sound
        | bpy.types.VectorFont
        | bpy.types.CacheFile
        | bpy.types.Volume
    )
_Block = TypeVar("_Block", bound=bpy.types.ID)

PATHS_NAME = "sendoff-paths.json"
_BUILTIN = "<builtin>"


@dataclass(frozen=True)
class Reference:
    """A datablock that reads a file: where it is in bpy.data, the path it names, and the files meant by it."""

    collection: str
    name: str
    #: Absolute; holds the token of a tiled image, or one frame of a sequence.
    path: Path
    files: tuple[Path, ...]


@dataclass(frozen=True)
class ExternalFiles:
    """The files to send along, what tells the worker whose they are, and what the artist should know."""

    files: tuple[SceneFile, ...]
    #: The content of sendoff-paths.json.
    paths: dict[str, Any]
    #: "textures/paint.png (image “Paint”)": named by the scene and not there.
    missing: tuple[str, ...]
    #: Images with changes that are only in memory, which a saved file does not hold.
    unsaved: tuple[str, ...]

    def write_paths(self, folder: Path) -> SceneFile:
        """Write sendoff-paths.json into a folder; the same scene gives the same bytes."""
        source = folder / PATHS_NAME
        source.write_text(json.dumps(self.paths, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
        return SceneFile(source=source, path=PATHS_NAME, role="paths")


def collect() -> ExternalFiles:
    """Look through the open file; changes nothing."""
    placed: dict[Path, str] = {}
    files: dict[str, SceneFile] = {}
    entries: list[dict[str, str]] = []
    missing: list[str] = []
    for reference in references():
        found = [path for path in reference.files if _is_readable(path)]
        missing += [_missing(path, reference) for path in reference.files if path not in found]
        if not found:
            continue
        folder = placed.setdefault(reference.path, f"external/{len(placed):02d}")
        for path in found:
            place = f"{folder}/{file_patterns.safe_name(path.name)}"
            files.setdefault(place, SceneFile(source=path, path=place))
        entries.append(
            {
                "collection": reference.collection,
                "name": reference.name,
                "path": f"{folder}/{file_patterns.safe_name(reference.path.name)}",
            }
        )
    return ExternalFiles(
        files=tuple(files.values()),
        paths={"version": 1, "files": entries},
        missing=tuple(dict.fromkeys(missing)),
        unsaved=tuple(image.name for image in bpy.data.images if image.is_dirty and image.users and not _packed(image)),
    )


def references() -> Iterator[Reference]:
    """Every datablock of the open file that reads another file, in bpy.data's order."""
    for library in bpy.data.libraries:
        if not _packed(library) and not getattr(library, "is_archive", False):
            yield from _reference("libraries", library)
    for image in _used(bpy.data.images):
        if image.source == "TILED":
            yield from _reference("images", image, tiles=[tile.number for tile in image.tiles])
        elif image.source in {"FILE", "MOVIE", "SEQUENCE"}:
            yield from _reference("images", image, sequence=image.source == "SEQUENCE")
    for clip in _used(bpy.data.movieclips):
        yield from _reference("movieclips", clip, sequence=clip.source == "SEQUENCE")
    for sound in _used(bpy.data.sounds):
        yield from _reference("sounds", sound)
    for font in _used(bpy.data.fonts):
        yield from _reference("fonts", font)
    for cache in _used(bpy.data.cache_files):
        yield from _reference("cache_files", cache, sequence=cache.is_sequence)
    for volume in _used(bpy.data.volumes):
        yield from _reference("volumes", volume, sequence=volume.is_sequence)


def _used(blocks: Iterable[_Block]) -> Iterator[_Block]:
    return (block for block in blocks if block.users and not _packed(block))


def _packed(block: bpy.types.ID) -> bool:
    return bool(getattr(block, "packed_file", None) or len(getattr(block, "packed_files", ())))


def _reference(
    collection: str, block: _Reader, *, tiles: list[int] | None = None, sequence: bool = False
) -> Iterator[Reference]:
    if not block.filepath or block.filepath == _BUILTIN:
        return
    # A path is relative to the file that holds it: for a linked datablock that is the library's.
    holder = block.parent if isinstance(block, bpy.types.Library) else block.library
    path = Path(os.path.normpath(bpy.path.abspath(block.filepath, library=holder)))
    if _is_blenders_own(path):
        return
    files = [path]
    if tiles is not None:
        files = file_patterns.tiles(path, tiles)
    elif sequence:
        files = file_patterns.frames(path)
    yield Reference(collection=collection, name=block.name, path=path, files=tuple(files))


def _is_blenders_own(path: Path) -> bool:
    """Whether it is one of the brushes that come with Blender (4.3 and later link them from their own files)."""
    roots = {bpy.utils.resource_path(kind) for kind in ("LOCAL", "SYSTEM")} - {""}
    return "brushes" in path.parts and any(Path(root) in path.parents for root in roots)


def _is_readable(path: Path) -> bool:
    return path.is_absolute() and path.is_file() and os.access(path, os.R_OK)


def _missing(path: Path, reference: Reference) -> str:
    kind = {"libraries": "library", "cache_files": "cache"}.get(reference.collection, reference.collection[:-1])
    return f"{path} ({kind} “{reference.name}”)"
