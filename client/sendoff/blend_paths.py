"""Every path that a .blend file stores: read without Blender, and rewritten in place.

Which structs hold paths was taken from Blender's DNA headers (`source/blender/makesdna/`) and from what its own
`BKE_bpath` and Flamenco's asset tracer visit. Files keep the old names of renamed fields (`Image.name` for what Python
calls `filepath`), so both names are listed.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import blend_frames
from .blend_dna import BlendFile, Block, Struct, decompressed
from .errors import BlendFileError
from .names import readable, safe_name

#: A path that Blender itself fills: its built-in font.
BUILTIN = "<builtin>"
#: Blender brings its own brushes with it, in any place.
_BLENDERS_OWN = re.compile(r"[/\\]datafiles[/\\]assets[/\\]brushes[/\\]")

_RAW = 0
_SMALL_BYTES = 4096
_IMAGE_SEQUENCE, _IMAGE_GENERATED, _IMAGE_TILED = 2, frozenset({4, 5}), 6
_CLIP_SEQUENCE = 1
_STRIP_SOUND = frozenset({4, 5})
_DISK_CACHE, _EXTERNAL_CACHE = 1 << 6, 1 << 9
_FILE_PATH_SUBTYPE = 1
_FLUID_BAKED = 0b10_1010_1010
_IDP_STRING = 0
#: Blocks whose struct means nothing.
_NO_STRUCTS = frozenset({b"TEST", b"DNA1"})
#: Structs in arrays that others point to.
_ARRAYS = ("Strip", "StripElem", "NodesModifierBake")
_EXTERNAL_MODE = 1


@dataclass(frozen=True)
class Spot:
    """Where a path lies in the file: offset and size of its bytes, and of the field that holds their number."""

    offset: int
    size: int
    length_offset: int = 0
    #: Offset and size of the names of a strip's further files, and of the first one's.
    names: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class PathField:
    """One path that a .blend stores."""

    #: "library", "image", "movieclip", "sound", "font", "cache_file", "volume", "mesh_cache", "ocean", "fluid",
    #: "point_cache", "gn_bake", "multires", "ies", "osl", "text", "strip", "socket", "global".
    kind: str
    #: Two letters of the ID that holds it ("IM", "LI", "OB", "MA"); "" if none does.
    owner_code: str
    #: Name of that ID without its two letters.
    owner: str
    #: As stored; bytes that are not UTF-8 are lone surrogates.
    path: str
    #: What it names is in the .blend itself; nobody reads the path.
    is_packed: bool = False
    #: It names a folder: all that is in it belongs to it.
    is_folder: bool = False
    #: It is one of numbered frames.
    is_sequence: bool = False
    #: The frames of a sequence that are used; None for all.
    frames: frozenset[int] | None = None
    #: The numbers of a tiled image's tiles.
    tiles: tuple[int, ...] = ()
    #: The file names of a strip's further images, beside `path`.
    names: tuple[str, ...] = ()
    #: The scene is complete without it: a cache that is made again, a text that may be no path.
    is_optional: bool = False
    #: Bytes that a path in its place may have; 0 if it is not stored but follows from the file's own name.
    room: int = 0
    #: Stored path of the library that the ID came from, for linked data that is packed into the file (Blender 5): a
    #: relative path is relative to that library.
    library: str = ""
    spot: Spot = field(default=Spot(0, 0), compare=False, repr=False)

    @property
    def key(self) -> str:
        """What names it in sendoff-paths.json: its path, and behind a line feed the library that it came from."""
        return f"{self.path}\n{self.library}" if self.library else self.path


def read_paths(file: Path, *, stop: Callable[[], bool] | None = None) -> list[PathField]:
    """Every path that a .blend stores, in the file's order; empty ones are left out.

    Raises BlendFileError (CannotDecompress if it is compressed and cannot be read here), Stopped, OSError.
    """
    with BlendFile(file, stop=stop) as blend:
        return blend_frames.with_frames(blend, list(_Reader(blend).fields()))


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
        for one in blend_frames.with_frames(blend, list(_Reader(blend).fields())):
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
        yield one.spot.length_offset, struct.pack(order + "i", len(_encode(new)) + 1)


def _text_change(one: PathField, text: str, offset: int, size: int) -> Iterator[tuple[int, bytes]]:
    data = _encode(text)
    if len(data) >= size:
        raise BlendFileError(
            f"The path {readable(text)!r} is too long for its place in the .blend ({size - 1} bytes), which belongs to "
            f"the {one.kind} “{readable(one.owner)}”. Give its file a shorter name."
        )
    yield offset, data.ljust(size, b"\0")


def _decompress(file: Path) -> None:
    with file.open("rb") as start:
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


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def absolute(path: str, base: Path) -> Path:
    """The path of a file as the .blend means it; `base` is the folder of the .blend."""
    relative = path.startswith("//")
    text = path.lstrip("/").replace("\\", "/") if relative else path
    if not relative and os.sep == "/" and "\\" in path and not Path(path).exists():
        text = path.replace("\\", "/")
    return Path(os.path.normpath(os.path.join(base, text)))  # noqa: PTH118 - keeps what is absolute


def is_blenders_own(path: str) -> bool:
    """Whether a path names a file that every Blender has: it is not sent, and nobody misses it."""
    return _BLENDERS_OWN.search(path) is not None


def looks_like_path(text: str) -> bool:
    """Whether a text that may be anything is a path: relative to the .blend, or absolute on any system."""
    return len(text) > 2 and (text[0] in "/\\" or (text[1] == ":" and text[2] in "/\\")) and "\n" not in text


@dataclass
class _Run:
    """An ID with the blocks that follow it."""

    head: Block
    members: list[Block] = field(default_factory=list)
    parts: list[Block] = field(default_factory=list)
    code: str = ""
    name: str = ""
    library: str = ""
    addresses: dict[int, Block] | None = None
    has_strings: bool = False


@dataclass(frozen=True)
class _At:
    """One struct in a block: the block's bytes, and where the struct begins in them."""

    struct: Struct
    data: bytes
    base: int
    #: Offset of the struct in the file.
    offset: int


class _Reader:
    """Finds the paths of one file."""

    def __init__(self, blend: BlendFile) -> None:
        self._blend = blend
        self._dna = blend.dna
        self._handlers: dict[int, tuple[Struct, _Handler]] = {}
        for name, handler in _HANDLERS.items():
            index = blend.dna.index.get(name)
            if index is not None and blend.dna.structs[index].size:
                self._handlers[index] = (blend.dna.structs[index], handler)
        self._libraries, self._emptied = _libraries(blend)
        helping = {
            blend.dna.index[name]
            for name in ("ImageTile", "ImageView", *_ARRAYS, "IDProperty")
            if name in blend.dna.index
        }
        if blend.head.compressed:
            wanted: set[int] = set()
            for run in self._runs():
                wanted.add(run.head.offset)
                wanted.update(block.offset for block in run.parts)
                wanted.update(
                    block.offset
                    for block in run.members
                    if block.struct in helping or (block.struct == _RAW and block.size <= _SMALL_BYTES)
                )
            blend.load(lambda block: block.offset in wanted)

    def fields(self) -> Iterator[PathField]:
        for run in self._runs():
            yield from self._of_run(run)

    def _runs(self) -> Iterator[_Run]:
        """The IDs that hold paths, each with its blocks."""
        handlers = self._handlers
        run = _Run(Block(b"", 0, 0, 0, 0, 0))
        for block in self._blend.blocks():
            if block.code != b"DATA":
                if run.parts:
                    yield run
                run = _Run(block)
            else:
                run.members.append(block)
            if block.struct in handlers and block.code not in _NO_STRUCTS:
                run.parts.append(block)
        if run.parts:
            yield run

    def _of_run(self, run: _Run) -> Iterator[PathField]:
        run.code = run.head.code[:2].decode("latin-1") if run.head.code[2:] == b"\0\0" else ""
        if run.code:
            run.name, run.library = self._id(run.head)
        for block in run.parts:
            of_struct, handler = self._handlers[block.struct]
            for at in self.each(block, of_struct):
                for found in handler(self, run, at):
                    if found.path or found.kind == "strip":
                        yield replace(found, owner_code=run.code, owner=run.name, library=run.library)

    def each(self, block: Block, of_struct: Struct) -> Iterator[_At]:
        """The structs in a block: its head says how many, its size how many there can be."""
        data = self._blend.body(block)
        for number in range(min(max(block.items, 0), len(data) // of_struct.size)):
            base = number * of_struct.size
            yield _At(of_struct, data, base, block.offset + base)

    def number(self, at: _At, name: str, default: int = 0) -> int:
        one = at.struct.fields.get(name)
        return default if one is None else self._dna.value(at.data, at.base, one)

    def first(self, at: _At, name: str) -> int:
        """The address that a list begins with; 0 if it is empty."""
        one = at.struct.fields.get(name)
        return 0 if one is None else self._dna.value(at.data, at.base, replace(one, pointers=1))

    def text(self, at: _At, *names: str) -> tuple[str, Spot]:
        """What the first of these fields that the struct has holds, and where it lies."""
        for name in names:
            one = at.struct.fields.get(name)
            if one is not None and not one.pointers:
                start = at.base + one.offset
                return _decode(at.data[start : start + one.size]), Spot(at.offset + one.offset, one.size)
        return "", Spot(0, 0)

    def fixed(self, at: _At, kind: str, *names: str) -> PathField:
        """The field of a path in an array of fixed size."""
        path, spot = self.text(at, *names)
        return PathField(kind, "", "", path, room=max(0, spot.size - 1), spot=spot)

    def pointed(self, run: _Run, at: _At, kind: str, name: str) -> PathField:
        """The field of a path that lies in a block of its own."""
        one = at.struct.fields.get(name)
        block = self.at_address(run, self.number(at, name)) if one is not None and one.pointers == 1 else None
        if block is None or block.size > _SMALL_BYTES:
            return PathField(kind, "", "", "")
        data = self._blend.body(block)
        path = _decode(data)
        return PathField(kind, "", "", path, room=max(0, block.size - 1), spot=Spot(block.offset, block.size))

    def at_address(self, run: _Run, address: int) -> Block | None:
        """The block of this run that was at an address."""
        if not address:
            return None
        if run.addresses is None:
            run.addresses = {block.address: block for block in run.members}
        return run.addresses.get(address)

    def listed(self, run: _Run, address: int, name: str) -> Iterator[_At]:
        """The structs of a linked list, from the one at an address."""
        of_struct = self._dna.find(name)
        seen: set[int] = set()
        while of_struct is not None and of_struct.size and address not in seen:
            seen.add(address)
            block = self.at_address(run, address)
            if block is None or block.struct != self._dna.index[name]:
                return
            for at in self.each(block, of_struct):
                yield at
                address = self.number(at, "next")
                break

    def array(self, run: _Run, address: int, name: str) -> Iterator[_At]:
        """The structs of the array at an address."""
        of_struct, block = self._dna.find(name), self.at_address(run, address)
        if of_struct is not None and of_struct.size and block is not None and block.struct == self._dna.index[name]:
            yield from self.each(block, of_struct)

    def strings(self, run: _Run) -> Iterator[PathField]:
        """The texts among an ID's custom properties that are paths: inputs of its geometry nodes."""
        of_struct, index = self._dna.find("IDProperty"), self._dna.index.get("IDProperty", -1)
        data = None if of_struct is None else of_struct.fields.get("data")
        if of_struct is None or data is None or not of_struct.size:
            return
        for block in run.members:
            if block.struct != index:
                continue
            for at in self.each(block, of_struct):
                if self.number(at, "type", -1) != _IDP_STRING:
                    continue
                target = self.at_address(run, self._dna.value(at.data, at.base, replace(data, pointers=1)))
                if target is None or target.size > _SMALL_BYTES:
                    continue
                path = _decode(self._blend.body(target))
                if looks_like_path(path):
                    length = at.struct.fields.get("len")
                    spot = Spot(target.offset, target.size, 0 if length is None else at.offset + length.offset)
                    yield PathField("socket", "", "", path, room=target.size - 1, is_optional=True, spot=spot)

    def is_emptied(self, address: int) -> bool:
        """Whether nothing is linked from a library any more, since what was linked is packed into the file."""
        return address in self._emptied

    def _id(self, block: Block) -> tuple[str, str]:
        """The name of an ID, and the path of the library that it came from."""
        of_struct = self._dna.structs[block.struct] if 0 <= block.struct < len(self._dna.structs) else None
        id_struct = self._dna.find("ID")
        name = None if id_struct is None else id_struct.fields.get("name")
        if (
            of_struct is None
            or id_struct is None
            or name is None
            or not (of_struct.name == "ID" or "id" in of_struct.fields)
        ):
            return "", ""
        data = self._blend.body(block)
        library = id_struct.fields.get("lib")
        address = 0 if library is None else self._dna.value(data, 0, library)
        return _decode(data[name.offset : name.offset + name.size])[2:], self._libraries.get(address, "")


def _libraries(blend: BlendFile) -> tuple[dict[int, str], set[int]]:
    """The stored paths of the libraries whose data is packed into the file, and those that nothing is linked from."""
    of_struct = blend.dna.find("Library")
    parent = None if of_struct is None else of_struct.fields.get("archive_parent_library")
    path = None if of_struct is None else of_struct.fields.get("name") or of_struct.fields.get("filepath")
    if parent is None or path is None:  # before Blender 5
        return {}, set()
    packed: dict[int, str] = {}
    parents: set[int] = set()
    linking: set[int] = set()
    blend.load(lambda block: block.code == b"LI\0\0")
    last = 0
    for block in blend.blocks():
        if block.code == b"LI\0\0":
            last = block.address
            data = blend.body(block)
            if blend.dna.value(data, 0, parent):
                packed[last] = _decode(data[path.offset : path.offset + path.size])
                parents.add(blend.dna.value(data, 0, parent))
        elif block.code == b"ID\0\0":
            linking.add(last)
    return packed, parents - linking


_Handler = Callable[[_Reader, _Run, _At], Iterator[PathField]]


def _plain(kind: str, *names: str) -> _Handler:
    def handler(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
        yield reader.fixed(at, kind, *names)

    return handler


def _packable(kind: str) -> _Handler:
    def handler(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
        found = reader.fixed(at, kind, "name", "filepath")
        packed = bool(reader.number(at, "packedfile")) or found.path == BUILTIN
        yield replace(found, is_packed=packed)

    return handler


def _library(reader: _Reader, run: _Run, at: _At) -> Iterator[PathField]:
    found = reader.fixed(at, "library", "name", "filepath")
    packed = (
        reader.number(at, "packedfile")
        or reader.number(at, "archive_parent_library")
        or reader.is_emptied(run.head.address)
    )
    yield replace(found, is_packed=bool(packed))


def _image(reader: _Reader, run: _Run, at: _At) -> Iterator[PathField]:
    source = reader.number(at, "source", 1)
    packed = bool(reader.number(at, "packedfile") or reader.first(at, "packedfiles")) or source in _IMAGE_GENERATED
    tiles: tuple[int, ...] = ()
    if source == _IMAGE_TILED:
        found = reader.listed(run, reader.first(at, "tiles"), "ImageTile")
        tiles = tuple(sorted({reader.number(tile, "tile_number") for tile in found}))
    first = replace(
        reader.fixed(at, "image", "name", "filepath"),
        is_packed=packed,
        is_sequence=source == _IMAGE_SEQUENCE,
        tiles=tiles,
    )
    yield first
    for view in reader.listed(run, reader.first(at, "views"), "ImageView"):
        yield replace(
            reader.fixed(view, "image", "filepath"),
            is_packed=packed,
            is_sequence=source == _IMAGE_SEQUENCE,
            tiles=tiles,
        )


def _movie_clip(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
    found = reader.fixed(at, "movieclip", "name", "filepath")
    yield replace(found, is_sequence=reader.number(at, "source") == _CLIP_SEQUENCE)


def _cache_file(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
    yield replace(reader.fixed(at, "cache_file", "filepath"), is_sequence=bool(reader.number(at, "is_sequence")))


def _volume(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
    frames = None
    is_sequence = bool(reader.number(at, "is_sequence"))
    count = reader.number(at, "frame_duration")
    if is_sequence and 0 < count <= blend_frames.MOST_FRAMES:
        first = 1 + reader.number(at, "frame_offset")
        frames = frozenset(range(first, first + count))
    yield replace(
        reader.fixed(at, "volume", "filepath"),
        is_packed=bool(reader.number(at, "packedfile")),
        is_sequence=is_sequence,
        frames=frames,
    )


def _ocean(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
    found = reader.fixed(at, "ocean", "cachepath")
    yield replace(found, is_folder=True, is_optional=not reader.number(at, "cached"))


def _fluid(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
    baked = reader.number(at, "cache_flag") & _FLUID_BAKED
    yield replace(reader.fixed(at, "fluid", "cache_directory"), is_folder=True, is_optional=not baked)


def _point_cache(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
    flag = reader.number(at, "flag")
    if flag & _EXTERNAL_CACHE:
        yield replace(reader.fixed(at, "point_cache", "path"), is_folder=True)
    elif flag & _DISK_CACHE:
        yield PathField("point_cache", "", "", OWN_CACHE, is_folder=True, is_optional=True)


#: Beside the file that holds it, and named after it: the folder of its point caches.
OWN_CACHE = "//blendcache_"


def _nodes_modifier(reader: _Reader, run: _Run, at: _At) -> Iterator[PathField]:
    found = reader.pointed(run, at, "gn_bake", "simulation_bake_directory")
    yield replace(found, is_folder=True, is_optional=True)
    for bake in reader.array(run, reader.number(at, "bakes"), "NodesModifierBake"):
        packed = bool(reader.number(bake, "packed"))
        found = reader.pointed(run, bake, "gn_bake", "directory")
        yield replace(found, is_folder=True, is_optional=True, is_packed=packed)
    if not run.has_strings:  # once for an object, however many modifiers it has
        run.has_strings = True
        yield from reader.strings(run)


def _by_mode(kind: str, path: str, mode: str) -> _Handler:
    def handler(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
        yield replace(reader.fixed(at, kind, path), is_packed=reader.number(at, mode) != _EXTERNAL_MODE)

    return handler


def _text(reader: _Reader, run: _Run, at: _At) -> Iterator[PathField]:
    # The lines of a text are in the .blend, also if it was read from a file.
    yield replace(reader.pointed(run, at, "text", "name"), is_packed=True)
    yield replace(reader.pointed(run, at, "text", "filepath"), is_packed=True)


def _strip(reader: _Reader, run: _Run, at: _At) -> Iterator[PathField]:
    for strip in reader.array(run, reader.number(at, "strip" if "strip" in at.struct.fields else "data"), "Strip"):
        folder, spot = reader.text(strip, "dir", "dirpath")
        elements = list(reader.array(run, reader.number(strip, "stripdata"), "StripElem"))
        texts = [reader.text(element, "name", "filename") for element in elements]
        if not texts or not texts[0][0]:
            continue
        names = [text for text, _ in texts]
        yield PathField(
            "strip", "", "",
            folder + ("" if folder.endswith(("/", "\\")) or not folder else "/") + names[0],
            is_packed=reader.number(at, "type") in _STRIP_SOUND,
            names=tuple(names[1:]),
            room=max(0, spot.size - 1),
            spot=replace(spot, names=tuple((one.offset, one.size) for _, one in texts)),
        )  # fmt: skip


def _socket(reader: _Reader, _run: _Run, at: _At) -> Iterator[PathField]:
    found = reader.fixed(at, "socket", "value")
    if looks_like_path(found.path):
        yield replace(found, is_optional=reader.number(at, "subtype") != _FILE_PATH_SUBTYPE)


def _string_node(reader: _Reader, run: _Run, at: _At) -> Iterator[PathField]:
    found = reader.pointed(run, at, "socket", "string")
    if looks_like_path(found.path):
        yield replace(found, is_optional=True)


_HANDLERS: dict[str, _Handler] = {
    "FileGlobal": _plain("global", "filename", "filepath"),
    "Library": _library,
    "Image": _image,
    "MovieClip": _movie_clip,
    "bSound": _packable("sound"),
    "VFont": _packable("font"),
    "CacheFile": _cache_file,
    "CacheFileLayer": _plain("cache_file", "filepath"),
    "Volume": _volume,
    "MeshCacheModifierData": _plain("mesh_cache", "filepath"),
    "OceanModifierData": _ocean,
    "FluidDomainSettings": _fluid,
    "PointCache": _point_cache,
    "NodesModifierData": _nodes_modifier,
    "CustomDataExternal": _plain("multires", "filename"),
    "NodeShaderTexIES": _by_mode("ies", "filepath", "mode"),
    "NodeShaderScript": _by_mode("osl", "filepath", "mode"),
    "Camera": _by_mode("osl", "custom_filepath", "custom_mode"),
    "Text": _text,
    "Sequence": _strip,
    "bNodeSocketValueString": _socket,
    "NodeInputString": _string_node,
}
