"""Writes a copy of a USD layer in which some paths of files are others.

In a text layer the paths are replaced where they are. A binary layer gets a new section of texts at its end, and a new
table of contents: everything else stays where it was, since a text is known by its number. Source: OpenUSD,
`pxr/usd/sdf/crateFile.cpp`; LZ4: "LZ4 Block Format Description".
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

from .errors import InputError
from .regular_files import open_file
from .usd_layers import CRATE, TOKENS, Crate, as_text, plain_path, read_crate, text_paths

_TOC_OFFSET = 16
_COMPRESSED_SINCE = (0, 4, 0)


def rewrite(layer: Path, target: Path, changes: Mapping[str, str]) -> None:
    """Write a copy of a layer.

    Args:
        layer: A text or binary layer that can be read.
        target: The file to write.
        changes: The path of a file as the layer has it, without arguments -> the new one.

    Raises:
        InputError: The layer is damaged.
        OSError: A file cannot be read or written.
    """
    with open_file(layer) as file:
        is_crate = file.read(len(CRATE)) == CRATE
    try:
        if is_crate:
            _rewrite_crate(layer, target, changes)
        else:
            target.write_bytes(_rewritten_text(layer.read_bytes(), changes))
    except (ValueError, IndexError, struct.error, OverflowError) as error:
        raise InputError(f"The USD layer {layer.name!r} is damaged.") from error


def _changed(path: str, changes: Mapping[str, str]) -> str:
    """A path with what stands behind the file's name."""
    plain = plain_path(path)
    return changes[plain] + path[len(plain) :] if plain in changes else path


def _rewritten_text(text: bytes, changes: Mapping[str, str]) -> bytes:
    parts, at = [], 0
    for start, end, path in text_paths(text):
        new = _changed(path, changes)
        if new == path:
            continue
        data = new.encode("utf-8", "surrogateescape")
        if text[start - 3 : start] == b"@@@":
            data = data.replace(b"@@@", b"\\@@@")
        elif text[start - 1 : start] == b"@" and b"@" in data:  # needs the longer marks
            start, end, data = start - 1, end + 1, b"@@@" + data.replace(b"@@@", b"\\@@@") + b"@@@"  # noqa: PLW2901
        parts += [text[at:start], data]
        at = end
    return b"".join((*parts, text[at:]))


def _rewrite_crate(layer: Path, target: Path, changes: Mapping[str, str]) -> None:
    with open_file(layer) as file:
        crate = read_crate(file)
    shutil.copyfile(layer, target)
    section = _section(crate, changes)
    with target.open("r+b") as out:
        begin = out.seek(0, 2)
        out.write(section)
        toc = struct.pack("<Q", len(crate.sections))
        for name, at, size in crate.sections:
            is_tokens = name.rstrip(b"\0") == TOKENS
            toc += struct.pack("<16sqq", name, *((begin, len(section)) if is_tokens else (at, size)))
        out.write(toc)
        out.seek(_TOC_OFFSET)
        out.write(struct.pack("<q", begin + len(section)))


def _section(crate: Crate, changes: Mapping[str, str]) -> bytes:
    tokens = [_changed(as_text(token), changes).encode("utf-8", "surrogateescape") for token in crate.tokens]
    data = b"\0".join(tokens)
    count = len(tokens) - 1  # behind the last one is a zero byte too
    if crate.version < _COMPRESSED_SINCE:
        return struct.pack("<QQ", count, len(data)) + data
    packed = b"\0" + _as_literals(data)
    return struct.pack("<QQQ", count, len(data), len(packed)) + packed


def _as_literals(data: bytes) -> bytes:
    """A valid LZ4 block that holds the bytes as they are."""
    if len(data) < 15:
        return bytes([len(data) << 4]) + data
    return b"\xf0" + b"\xff" * ((len(data) - 15) // 255) + bytes([(len(data) - 15) % 255]) + data
