"""Every path that a .blend file stores: read without Blender, and rewritten in place."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from . import blend_frames
from .blend_dna import BlendFile, decompressed
from .blend_path_field import OWN_CACHE, PathField, absolute, encode, is_blenders_own, looks_like_path, names_no_file
from .blend_path_reader import Reader
from .blend_path_structs import HANDLERS
from .blend_scene_frames import with_scene_frames
from .errors import BlendFileError
from .names import readable, safe_name
from .regular_files import open_file

__all__ = [
    "OWN_CACHE",
    "PathField",
    "absolute",
    "is_blenders_own",
    "looks_like_path",
    "names_no_file",
    "read_paths",
    "rewrite_paths",
]


def read_paths(file: Path, *, stop: Callable[[], bool] | None = None) -> list[PathField]:
    """Every path that a .blend stores, in the file's order; empty ones are left out.

    Raises BlendFileError (CannotDecompress if it is compressed and cannot be read here), Stopped, OSError.
    """
    with BlendFile(file, stop=stop) as blend:
        fields = blend_frames.with_frames(blend, list(Reader(blend, HANDLERS).fields()))
        return with_scene_frames(blend, fields)


def rewrite_paths(file: Path, change: Callable[[PathField], str | None]) -> list[PathField]:
    """Replace paths in the file itself; a compressed file becomes an uncompressed one.

    Args:
        file: The .blend.
        change: Gives the new path of a field, or None to keep it. For a strip it is the path of its first file: the
            others lie beside it, each under its `safe_name`.

    Returns:
        The fields that were changed, as they were.

    Raises:
        BlendFileError: The file is damaged, or a new path is longer than the place of the old one; then nothing was
            changed.
        OSError: The file cannot be read or written.
    """
    _decompress(file)
    changes: list[tuple[int, bytes]] = []
    changed = []
    with BlendFile(file) as blend:
        order = blend.dna.order
        for one in blend_frames.with_frames(blend, list(Reader(blend, HANDLERS).fields())):
            new = change(one) if one.room else None
            if new is not None and new != one.path:
                changes += _changes(one, new, order)
                changed.append(one)
    if changes:
        with file.open("r+b") as out:
            for offset, data in changes:
                out.seek(offset)
                out.write(data)
    return changed


def _changes(one: PathField, new: str, order: str) -> Iterator[tuple[int, bytes]]:
    if one.kind == "strip":
        folder, _, name = new.rpartition("/")
        yield from _text_change(one, folder + "/", one.spot.offset, one.spot.size)
        for text, (offset, size) in zip((name, *map(safe_name, one.names)), one.spot.names):
            yield from _text_change(one, text, offset, size)
        return
    yield from _text_change(one, new, one.spot.offset, one.spot.size)
    if one.spot.length_offset:
        yield one.spot.length_offset, struct.pack(order + "i", len(encode(new)) + 1)


def _text_change(one: PathField, text: str, offset: int, size: int) -> Iterator[tuple[int, bytes]]:
    data = encode(text)
    if len(data) >= size:
        raise BlendFileError(
            f"The path {readable(text)!r} is too long for its place in the .blend ({size - 1} bytes), which belongs to "
            f"the {one.kind} “{readable(one.owner)}”. Give its file a shorter name."
        )
    yield offset, data.ljust(size, b"\0")


def _decompress(file: Path) -> None:
    with open_file(file) as start:
        if start.read(7) == b"BLENDER":
            return
    with BlendFile(file):
        pass  # says what is wrong with it
    part = file.with_name(f"{file.name}.part")
    try:
        with decompressed(file) as stream, part.open("wb") as out:
            while data := stream.read(1024 * 1024):
                out.write(data)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
