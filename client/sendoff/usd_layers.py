"""Which files a USD layer names: sublayers, references, payloads, clips, textures; read without the USD library.

A text layer (.usda) has them between `@`. A binary one (.usdc) has every text of the layer in its TOKENS section:
of these the ones are taken that look like files. A package (.usdz) holds all that it needs. Source: OpenUSD,
`pxr/usd/sdf/crateFile.cpp` and `pxr/base/tf/fastCompression.cpp`; LZ4: "LZ4 Block Format Description".
"""

from __future__ import annotations

import html
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .errors import InputError
from .names import readable
from .regular_files import open_file, what_begins

#: Suffixes of layers, which name further files.
LAYER_SUFFIXES = frozenset({".usd", ".usda", ".usdc"})
SUFFIXES = LAYER_SUFFIXES | {".usdz"}
#: Files that a layer names and that name others.
NAMING_SUFFIXES = LAYER_SUFFIXES | {".mtlx"}
#: What else a layer reads.
_MEDIA_SUFFIXES = frozenset({
    ".abc", ".avif", ".bmp", ".cin", ".dds", ".dpx", ".exr", ".gif", ".glslfx", ".hdr", ".ies", ".jpeg", ".jpg", ".ktx",
    ".mtlx", ".osl", ".oso", ".png", ".ptex", ".ptx", ".rat", ".sgi", ".svg", ".tex", ".tga", ".tif", ".tiff", ".tx",
    ".vdb", ".webp", ".wav", ".mp3", ".m4a",
})  # fmt: skip
_MAX_TEXT_BYTES = 1024 * 1024 * 1024
_MAX_TOKEN_BYTES = 256 * 1024 * 1024
_MAX_SECTIONS = 64
_LONGEST_PATH = 4096
CRATE = b"PXR-USDC"
TOKENS = b"TOKENS"
#: What begins something in a text layer: a long string, a string, a comment, an asset path.
_BEGINS = re.compile(rb"\"\"\"|'''|@@@|[\"'#@]")
_XML_VALUE = re.compile(rb"\b(fileprefix|href|value)\s*=\s*\"([^\"]*)\"")
_ARGUMENTS = ":SDF_FORMAT_ARGS:"


class UsdLayerError(InputError):
    """A USD layer is damaged."""


def asset_paths(layer: Path) -> list[str]:
    """The paths of files that a layer names, as they are in it, each once.

    Raises UsdLayerError if it is damaged or no layer, OSError if it cannot be read.
    """
    with open_file(layer) as file:
        start = file.read(88)
        found: Iterable[str]
        try:
            if start.startswith(CRATE):
                found = filter(looks_like_file, map(as_text, read_crate(file).tokens))
            elif start.startswith(b"PK\x03\x04"):
                return []
            elif layer.suffix.lower() == ".mtlx":
                file.seek(0)
                found = _of_material_x(file.read(_MAX_TEXT_BYTES))
            elif start.lstrip().startswith(b"#usda"):
                file.seek(0)
                found = (path for _, _, path in text_paths(file.read(_MAX_TEXT_BYTES)))
            else:
                raise ValueError("unknown start")  # noqa: TRY301
            return list(dict.fromkeys(filter(None, map(plain_path, found))))
        except (ValueError, IndexError, struct.error, OverflowError) as error:
            raise UsdLayerError(
                f"The USD layer {readable(layer.name)} {_what_it_is(start)}, so the files that it names could not be "
                f"looked up. Save it again."
            ) from error


def _what_it_is(start: bytes) -> str:
    if not start:
        return "is empty"
    kind = what_begins(start).partition(":")[0]
    return f"is {kind}" if kind else "is damaged"


def _of_material_x(text: bytes) -> Iterator[str]:
    """The files that a MaterialX document names: includes, and the values of its inputs."""
    prefix = ""
    for match in _XML_VALUE.finditer(text):
        value = html.unescape(match[2].decode("utf-8", "surrogateescape"))
        if match[1] == b"fileprefix":
            prefix = value
        elif looks_like_file(value):
            yield value if match[1] == b"href" else prefix + value


def plain_path(path: str) -> str:
    """A path without the arguments of its format, and without the place inside a package: `a.usdz[b.usd]`."""
    path = path.partition(_ARGUMENTS)[0]
    if path.endswith("]") and ".usdz[" in path:
        path = path.partition("[")[0]
    return "" if path.startswith("anon:") or "\n" in path or "\0" in path else path


def is_address(path: str) -> bool:
    """Whether a path is an address such as https://a/b.usd or file:///a/b.usd: USD by itself opens none."""
    return "://" in path


def text_paths(text: bytes) -> Iterator[tuple[int, int, str]]:
    """Where each path lies in a text layer, from its first byte to behind its last, and the path."""
    at = 0
    while True:
        match = _BEGINS.search(text, at)
        if match is None:
            return
        mark, at = match[0], match.end()
        if mark == b"#":
            end = text.find(b"\n", at)
        elif mark in (b"@", b"@@@"):
            end = _end_of_asset(text, at, mark)
            if end >= 0:
                yield at, end, text[at:end].replace(b"\\@@@", b"@@@").decode("utf-8", "surrogateescape")
        else:
            end = _end_of_string(text, at, mark)
            template = text[at:end].decode("utf-8", "surrogateescape") if end >= 0 else ""
            if "#" in template and looks_like_file(template):
                yield at, end, template  # clips are named by a plain string
        if end < 0:
            return
        at = end + len(mark)


def _end_of_asset(text: bytes, at: int, mark: bytes) -> int:
    end = text.find(mark, at)
    while mark == b"@@@" and end > 0 and text[end - 1 : end] == b"\\":
        end = text.find(mark, end + 3)
    return end


def _end_of_string(text: bytes, at: int, mark: bytes) -> int:
    """Where a string ends: at its mark, if that is not escaped."""
    end = text.find(mark, at)
    while end > at:
        slashes = end
        while slashes > at and text[slashes - 1] == 0x5C:
            slashes -= 1
        if (end - slashes) % 2 == 0:
            break
        end = text.find(mark, end + 1)
    return end


@dataclass(frozen=True)
class Crate:
    """A binary layer as far as it is read here: its sections (name, offset, size), and all its texts."""

    version: tuple[int, ...]
    sections: tuple[tuple[bytes, int, int], ...]
    tokens: tuple[bytes, ...]


def read_crate(file: BinaryIO) -> Crate:
    """Read an open binary layer; raises ValueError or struct.error if it is damaged."""
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(88)
    version = tuple(start[8:11])
    (toc,) = struct.unpack_from("<q", start, 16)
    file.seek(toc if 0 <= toc < size else size)
    (count,) = struct.unpack("<Q", file.read(8))
    sections = tuple(struct.unpack("<16sqq", file.read(32)) for _ in range(min(count, _MAX_SECTIONS)))
    for name, at, length in sections:
        if name.rstrip(b"\0") == TOKENS:
            if not 0 <= at <= at + length <= size:
                raise ValueError(at)
            file.seek(at)
            return Crate(version, sections, tuple(_tokens(file.read(length), version)))
    raise ValueError("no tokens")


def as_text(token: bytes) -> str:
    """A text of a binary layer; bytes that are not UTF-8 become lone surrogates."""
    return token.decode("utf-8", "surrogateescape")


def looks_like_file(text: str) -> bool:
    """Whether a text of a binary layer, which may be anything, is the path of a file that USD reads."""
    plain = plain_path(text)
    stem, _, suffix = plain.rpartition(".")
    if is_address(plain):  # a note may hold one
        return False
    is_known = f".{suffix.lower()}" in SUFFIXES | _MEDIA_SUFFIXES
    return is_known and bool(stem.strip("./\\")) and not plain.startswith("//") and len(plain) < _LONGEST_PATH


def _tokens(section: bytes, version: tuple[int, ...]) -> list[bytes]:
    if version < (0, 4, 0):
        _, length = struct.unpack_from("<QQ", section)
        data = section[16 : 16 + length]
    else:
        _, length, packed = struct.unpack_from("<QQQ", section)
        if length > _MAX_TOKEN_BYTES:
            raise ValueError(length)
        data = _fast_decompress(section[24 : 24 + packed], length)
    return data.split(b"\0")


def _fast_decompress(data: bytes, limit: int) -> bytes:
    """What TfFastCompression made: one LZ4 block, or several with their sizes."""
    chunks = data[0]
    if not chunks:
        return _lz4(data[1:], limit)
    out, at = b"", 1
    for _ in range(chunks):
        (size,) = struct.unpack_from("<i", data, at)
        if size < 0:
            raise ValueError(size)
        out += _lz4(data[at + 4 : at + 4 + size], limit - len(out))
        at += 4 + size
    return out


def _lz4(block: bytes, limit: int) -> bytes:
    out = bytearray()
    at, end = 0, len(block)
    while at < end:
        token = block[at]
        length, at = _length(block, at + 1, token >> 4)
        out += block[at : at + length]
        at += length
        if at >= end:
            break
        offset = block[at] | block[at + 1] << 8
        length, at = _length(block, at + 2, token & 15)
        length += 4
        begin = len(out) - offset
        if not offset or begin < 0 or len(out) + length > limit:
            raise ValueError(offset)
        if offset >= length:
            out += out[begin : begin + length]
        else:  # it goes on into what it writes
            out += (bytes(out[begin:]) * (length // offset + 1))[:length]
    if len(out) > limit:
        raise ValueError(limit)
    return bytes(out)


def _length(block: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while True:
            more = block[at]
            at += 1
            length += more
            if more != 255:
                break
    return length, at
