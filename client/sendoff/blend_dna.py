"""The structs of a .blend file: what its DNA1 block says of their fields, and the blocks that hold them.

A .blend describes its own layout: the DNA1 block lists every struct with the types, the names and so the offsets of
its fields. A block's head names the struct that the block holds. So a file of any Blender can be read with one code.
Source: Blender, `source/blender/makesdna/intern/dna_genfile.cc` and `BLO_core_bhead.hh`.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple

from .blendfile import BlendHead, block_head_struct, parse_head
from .errors import BlendFileError, Stopped
from .names import readable
from .regular_files import open_file

try:
    import zstandard as _zstandard
except ImportError:
    _zstandard = None  # type: ignore[assignment]

_START_BYTES = 160 * 1024
_READ_BYTES = 1024 * 1024
_MAX_DNA_BYTES = 16 * 1024 * 1024
#: A block with paths that is larger than this is damaged.
MAX_BODY_BYTES = 64 * 1024 * 1024
_MAX_BLOCKS = 16_000_000
#: A scene unpacks to no more than this, or than so many times its size: real ones to fifty times at most.
_LARGE_BYTES = 1024 * 1024 * 1024
_MOST_TIMES = 500
_STOP_BLOCKS = 4096
_DECODE_ERRORS: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, ValueError)
if _zstandard is not None:
    _DECODE_ERRORS = (*_DECODE_ERRORS, _zstandard.ZstdError)
_NAME = re.compile(r"\(?(\**)([A-Za-z_][A-Za-z_0-9]*)\)?((?:\[\d+\])*)")
_SCALARS = {"char": "b", "uchar": "B", "int8_t": "b", "uint8_t": "B", "short": "h", "ushort": "H", "int": "i",
            "uint": "I", "int64_t": "q", "uint64_t": "Q", "float": "f", "double": "d"}  # fmt: skip


class CannotDecompress(BlendFileError):
    """The file is compressed, and this Python lacks the module that reads it."""


class Block(NamedTuple):
    """One block of the file: its code, where its body lies, and what its head says of it."""

    code: bytes
    #: Bytes from the start of the (uncompressed) file to the body.
    offset: int
    size: int
    #: Where it was in memory when it was saved: what pointers hold.
    address: int
    struct: int
    #: How many of the struct it holds.
    items: int


@dataclass(frozen=True)
class Field:
    """A field of a struct: `name` without stars and brackets; `count` is how many there are in its array."""

    name: str
    type: str
    offset: int
    size: int
    pointers: int
    count: int


@dataclass
class Struct:
    """A struct as the file's own Blender had it."""

    name: str
    size: int
    fields: dict[str, Field] = field(default_factory=dict)


class Dna:
    """The structs of a file, by their index and by name."""

    def __init__(self, body: bytes, head: BlendHead) -> None:
        """Read the body of a DNA1 block; raises BlendFileError if it is damaged."""
        self.order = "<" if head.little_endian else ">"
        self.pointer_bytes = head.pointer_bytes
        self.structs: list[Struct] = []
        self.index: dict[str, int] = {}
        try:
            self._parse(body)
        except (struct.error, IndexError, ValueError, OverflowError) as error:
            raise BlendFileError(
                "The .blend file is damaged: its description of structs cannot be read. Save it again in Blender."
            ) from error

    def find(self, name: str) -> Struct | None:
        """The struct of this name, or None if the file does not know it."""
        index = self.index.get(name)
        return None if index is None else self.structs[index]

    def value(self, data: bytes, base: int, one: Field) -> int:
        """The number that a field holds; `base` is where its struct begins in `data`. Pointers are addresses."""
        code = ("Q" if self.pointer_bytes == 8 else "I") if one.pointers else _SCALARS.get(one.type, "i")
        try:
            return int(struct.unpack_from(self.order + code, data, base + one.offset)[0])
        except (struct.error, ValueError, OverflowError):
            return 0

    def _parse(self, body: bytes) -> None:
        if body[:8] != b"SDNANAME":
            raise ValueError(body[:8])
        names, at = self._texts(body, 8)
        at = self._tag(body, at, b"TYPE")
        types, at = self._texts(body, at)
        at = self._tag(body, at, b"TLEN")
        sizes = struct.unpack_from(f"{self.order}{len(types)}H", body, at)
        at = self._tag(body, at + 2 * len(types), b"STRC")
        (count,) = struct.unpack_from(self.order + "I", body, at)
        at += 4
        parsed = [_parse_name(name) for name in names]
        for index in range(count):
            of_type, fields = struct.unpack_from(self.order + "HH", body, at)
            numbers = struct.unpack_from(f"{self.order}{2 * fields}H", body, at + 4)
            at += 4 + 4 * fields
            one = Struct(types[of_type], sizes[of_type])
            offset = 0
            for type_number, name_number in zip(numbers[0::2], numbers[1::2]):
                name, pointers, length = parsed[name_number]
                size = length * (self.pointer_bytes if pointers else sizes[type_number])
                one.fields[name] = Field(name, types[type_number], offset, size, pointers, length)
                offset += size
            self.structs.append(one)
            self.index[one.name] = index

    def _texts(self, body: bytes, at: int) -> tuple[list[str], int]:
        (count,) = struct.unpack_from(self.order + "I", body, at)
        at += 4
        texts = []
        for _ in range(count):
            end = body.index(b"\0", at)
            texts.append(body[at:end].decode("latin-1"))
            at = end + 1
        return texts, at

    def _tag(self, body: bytes, at: int, tag: bytes) -> int:
        at += -at % 4
        if body[at : at + 4] != tag:
            raise ValueError(tag)
        return at + 4


def _parse_name(name: str) -> tuple[str, int, int]:
    match = _NAME.match(name)
    if match is None:
        raise ValueError(name)
    stars, plain, brackets = match.groups()
    length = 1
    for number in re.findall(r"\d+", brackets):
        length *= int(number)
    return plain, len(stars) or int(name.startswith("(")), length


class BlendFile:
    """An open .blend file: its structs, and the heads and bodies of its blocks. Use it in a `with`."""

    def __init__(self, path: Path, *, stop: Callable[[], bool] | None = None) -> None:
        """Read the heads of all blocks and the structs.

        Args:
            path: The file; it may be compressed, if this Python can decompress it.
            stop: Asked from time to time; Stopped is raised if it says yes.

        Raises:
            CannotDecompress: The file is compressed in a way that this Python cannot read.
            BlendFileError: It is not a .blend file, or it is damaged.
            OSError: It cannot be read.
        """
        self.path = path
        self._stop = stop
        self._bodies: dict[int, bytes] = {}
        self._file = open_file(path, 64 * 1024)
        try:
            self._name = f"The file {readable(path.name)}"
            self.head = parse_head(self._file.read(_START_BYTES), self._name)
            if self.head.compressed:
                # Some tools write one empty pointer size in compressed heads; the plain head inside is what counts.
                with decompressed(path) as stream:
                    self.head = replace(parse_head(stream.read(64), self._name), compressed=self.head.compressed)
            self._block_head = block_head_struct(self.head)
            self._heads = bytearray()
            self.dna = self._walk()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> BlendFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self._heads) // self.head.block_head_bytes

    def blocks(self) -> Iterator[Block]:
        """Every block of the file, in order, but for the end mark."""
        offset = self.head.head_bytes
        head_bytes, modern = self.head.block_head_bytes, self.head.block_head_bytes == 32
        for code, a, b, c, d in self._block_head.iter_unpack(self._heads):
            offset += head_bytes
            if code[:2] == b"\0\0":  # a big-endian file has the two letters of an ID behind the zeros
                code = code[2:] + b"\0\0"  # noqa: PLW2901
            # From 5.0 a head is code, struct, address, size, count; before code, size, address, struct, count.
            block = Block(code, offset, c, b, a, d) if modern else Block(code, offset, a, b, c, d)
            yield block
            offset += block.size

    def load(self, is_wanted: Callable[[Block], bool]) -> None:
        """Keep the bodies that will be asked for: a compressed file can only be read from its beginning."""
        if not self.head.compressed:
            return
        wanted = [block for block in self.blocks() if block.size <= MAX_BODY_BYTES and is_wanted(block)]
        with decompressed(self.path) as stream:
            at = 0
            for block in wanted:
                at += _skip(stream, block.offset - at, self._check_stop)
                self._bodies[block.offset] = stream.read(block.size)
                at += block.size

    def body(self, block: Block) -> bytes:
        """The bytes of a block; of a compressed file only of a block that was loaded, else b""."""
        if block.size > MAX_BODY_BYTES:
            return b""
        if self.head.compressed:
            return self._bodies.get(block.offset, b"")
        self._file.seek(block.offset)
        return self._file.read(block.size)

    def _check_stop(self) -> None:
        if self._stop is not None and self._stop():
            raise Stopped(f"Stopped while {readable(self.path.name)} was read.")

    def _walk(self) -> Dna:
        if not self.head.compressed:
            end = self._file.seek(0, io.SEEK_END)
            self._file.seek(self.head.head_bytes)
            return self._walk_stream(self._file, end)
        with decompressed(self.path) as stream:
            stream.read(self.head.head_bytes)
            return self._walk_stream(stream, None)

    def _walk_stream(self, stream: BinaryIO | Decompressed, end: int | None) -> Dna:
        head_bytes, unpack = self.head.block_head_bytes, self._block_head.unpack
        size_field = 3 if head_bytes == 32 else 1
        heads, read = self._heads, stream.read
        dna: Dna | None = None
        at, count = self.head.head_bytes, 0
        while True:
            raw = read(head_bytes)
            if raw[:4] == b"ENDB":
                break
            if len(raw) < head_bytes:
                raise self._damaged()
            size = unpack(raw)[size_field]
            at += head_bytes + size
            if size < 0 or (end is not None and at > end):
                raise self._damaged()
            heads += raw
            count += 1
            if not count % _STOP_BLOCKS:
                self._check_stop()
                if count > _MAX_BLOCKS:
                    raise BlendFileError(f"{self._name} has more than {_MAX_BLOCKS} blocks: it is damaged.")
            if raw[:4] == b"DNA1" and size <= _MAX_DNA_BYTES:
                dna = Dna(read(size), self.head)
            elif isinstance(stream, Decompressed):
                if _skip(stream, size, self._check_stop) < size:
                    raise self._damaged()
            elif size:
                stream.seek(size, io.SEEK_CUR)
        if dna is None:
            raise BlendFileError(
                f"{self._name} is damaged: it does not describe its structs. Save it again in Blender."
            )
        return dna

    def _damaged(self) -> BlendFileError:
        return BlendFileError(
            f"{self._name} is damaged or not completely written: it has no end mark. Save it again in Blender."
        )


class Decompressed:
    """What is in a compressed .blend, from its beginning to its end."""

    def __init__(self, path: Path, file: BinaryIO, reader: Any) -> None:
        self._path = path
        self._file = file
        self._reader = reader
        self._left = max(_LARGE_BYTES, _MOST_TIMES * os.fstat(file.fileno()).st_size)

    def read(self, size: int) -> bytes:
        """The next bytes, at most as many as asked for; fewer at the end. Raises BlendFileError if they are damaged."""
        parts = []
        while size > 0:
            try:
                part = self._reader.read(min(size, _READ_BYTES))
            except _DECODE_ERRORS as error:
                name = readable(self._path.name)
                raise BlendFileError(
                    f"The file {name} is damaged: it cannot be decompressed. Save it again in Blender."
                ) from error
            if not part:
                break
            parts.append(part)
            size -= len(part)
            self._left -= len(part)
            if self._left < 0:
                name = readable(self._path.name)
                raise BlendFileError(f"The file {name} is damaged: it unpacks to far more than any scene.")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def __enter__(self) -> Decompressed:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def decompressed(path: Path) -> Decompressed:
    """Open a compressed .blend; raises CannotDecompress or OSError."""
    file = open_file(path)
    try:
        magic = file.read(4)
        file.seek(0)
        if magic[:2] == b"\x1f\x8b":
            return Decompressed(path, file, gzip.GzipFile(fileobj=file))
        if _zstandard is None:
            raise CannotDecompress(  # noqa: TRY301 - the file is closed in one place
                f"The file {readable(path.name)} is compressed, so the files that it names could not be looked up. "
                f"Save it without Compress, or send them with it."
            )
        reader = _zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file, read_across_frames=True)
        return Decompressed(path, file, reader)
    except BaseException:
        file.close()
        raise


def _skip(stream: Decompressed, size: int, check: Callable[[], None]) -> int:
    left = size
    while left > 0:
        part = len(stream.read(min(left, _READ_BYTES)))
        if not part:
            break
        left -= part
        if left:
            check()
    return size - left
