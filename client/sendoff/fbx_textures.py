"""Which textures an FBX file names and does not hold itself; read without an FBX library.

Blender's importer looks for a texture at its relative path and, if nothing is there, beside the FBX file by its name
alone. So the textures go beside the file. Source: Blender, `io_scene_fbx/import_fbx.py` and the notes on the binary
form at https://code.blender.org/2013/08/fbx-binary-file-format-specification/.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .regular_files import open_file

_BINARY = b"Kaydara FBX Binary"
#: A node's name with its length, and the first property's type: a text, or bytes.
_BINARY_PATH = re.compile(rb"\x10RelativeFilenameS|\x08(?:File|file)[nN]ameS")
_BINARY_CONTENT = b"\x07ContentR"
_TEXT_PATH = re.compile(rb'\b(RelativeFilename|File[nN]ame)\s*:\s*"([^"\n]*)"')
_TEXT_CONTENT = re.compile(rb"\bContent\s*:\s*,?\s*\"")
#: The content of a texture follows its paths at once.
_NEAR_BYTES = 2048
_LONGEST_PATH = 4096
#: An FBX file names other files too, such as its takes.
_IMAGE_SUFFIXES = frozenset({
    ".avif", ".bmp", ".cin", ".dds", ".dpx", ".exr", ".gif", ".hdr", ".ico", ".iff", ".j2c", ".jp2", ".jpeg", ".jpg",
    ".pcx", ".pic", ".png", ".psd", ".rgb", ".sgi", ".tga", ".tif", ".tiff", ".tx", ".webp",
})  # fmt: skip
_MAX_BYTES = 4 * 1024 * 1024 * 1024


@dataclass(frozen=True)
class FbxTexture:
    """A texture: its paths as the file has them, the relative one first."""

    paths: tuple[str, ...]

    def find(self, folder: Path) -> Path | None:
        """The texture's file, looked for from the folder of the FBX file; None if there is none."""
        for path in self.paths:
            plain = path.replace("\\", "/")
            for candidate in (folder / plain, folder / plain.rpartition("/")[2]):
                try:
                    if candidate.is_file():
                        return candidate
                except (OSError, ValueError):
                    continue
        return None


def textures(file: Path) -> list[FbxTexture]:
    """The textures that an FBX file names and does not hold, each once; raises OSError if it cannot be read."""
    with open_file(file) as opened:
        data = opened.read(_MAX_BYTES)
    found = _of_binary(data) if data.startswith(_BINARY) else _of_text(data)
    held: dict[str, bool] = {}
    named: dict[str, dict[str, None]] = {}
    for path, is_held in found:
        key = path.replace("\\", "/").rpartition("/")[2].lower()
        named.setdefault(key, {})[path] = None
        held[key] = held.get(key, False) or is_held
    return [
        FbxTexture(tuple(paths))
        for key, paths in named.items()
        if Path(key).suffix in _IMAGE_SUFFIXES and not held[key]
    ]


def _of_binary(data: bytes) -> Iterator[tuple[str, bool]]:
    for match in _BINARY_PATH.finditer(data):
        at = match.end()
        if at + 4 > len(data):
            return
        (length,) = struct.unpack_from("<I", data, at)
        if 0 < length < _LONGEST_PATH:
            content = data.find(_BINARY_CONTENT, at + 4 + length, at + 4 + length + _NEAR_BYTES)
            size_at = content + len(_BINARY_CONTENT)
            has_size = content >= 0 and size_at + 4 <= len(data)
            is_held = has_size and struct.unpack_from("<I", data, size_at)[0] > 0
            yield data[at + 4 : at + 4 + length].decode("utf-8", "surrogateescape"), is_held


def _of_text(data: bytes) -> Iterator[tuple[str, bool]]:
    for match in _TEXT_PATH.finditer(data):
        is_held = _TEXT_CONTENT.search(data, match.end(), match.end() + _NEAR_BYTES) is not None
        if match[2]:
            yield match[2].decode("utf-8", "surrogateescape"), is_held
