"""Which scene files a folder holds, and which Blender can open each."""

from __future__ import annotations

import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import zstandard

KINDS = {".blend", ".usd", ".usda", ".usdc", ".usdz", ".fbx"}
_HEAD = re.compile(rb"BLENDER(?:[0-9]{2})?[_-](?:[0-9]{2})?[vV]([0-9]{3,4})")


@dataclass(frozen=True, kw_only=True)
class SceneFile:
    """One scene of the folder."""

    path: Path
    name: str
    """Its path in the folder."""
    version: int
    """Of the Blender that saved it: 405 for 4.5; 0 for other kinds and for heads that cannot be read."""

    @property
    def is_blend(self) -> bool:
        """Whether it is a .blend file."""
        return self.path.suffix.lower() == ".blend"

    def is_newer_than(self, series: str) -> bool:
        """Whether a Blender of this series cannot know the file's version."""
        return self.version > number_of(series)


def number_of(series: str) -> int:
    """A series as a .blend names it: 405 for "4.5"."""
    major, _, minor = series.partition(".")
    return int(major) * 100 + int(minor)


def scenes_of(folder: Path) -> list[SceneFile]:
    """All scene files below a folder, in the order of their names; a file that is named is taken alone.

    Files in folders called `external`, which other scenes name, are not scenes.
    """
    if folder.is_file():
        return [SceneFile(path=folder, name=folder.name, version=version_of(folder))]
    found = []
    for path in sorted(folder.rglob("*"), key=os.fspath):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() in KINDS and path.is_file() and "external" not in parts[:-1]:
            found.append(SceneFile(path=path, name=str(path.relative_to(folder)), version=version_of(path)))
    return found


def version_of(path: Path) -> int:
    """The version in a .blend's head, also of a compressed one; 0 if there is none."""
    if path.suffix.lower() != ".blend":
        return 0
    with path.open("rb") as file:
        start = file.read(1 << 18)
    try:
        if start[:2] == b"\x1f\x8b":
            start = zlib.decompressobj(31).decompress(start, 64)
        elif start[:4] == b"\x28\xb5\x2f\xfd":
            start = zstandard.ZstdDecompressor().decompressobj().decompress(start)[:64]
    except (zlib.error, zstandard.ZstdError):
        return 0
    head = _HEAD.match(start)
    return int(head[1]) if head else 0
