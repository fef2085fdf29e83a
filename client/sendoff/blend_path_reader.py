"""Walks through a .blend: finds the structs that hold paths, and what they point to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .blend_dna import BlendFile, Block, Struct
from .blend_path_field import PathField, Spot, decode, looks_like_path, names_no_file

RAW = 0
SMALL_BYTES = 4096
_IDP_STRING = 0
#: Blocks whose struct means nothing.
_NO_STRUCTS = frozenset({b"TEST", b"DNA1"})
#: Structs that others point to.
_POINTED_TO = ("ImageTile", "ImageView", "Strip", "StripElem", "NodesModifierBake", "IDProperty")


@dataclass
class Run:
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
class At:
    """One struct in a block: the block's bytes, and where the struct begins in them."""

    struct: Struct
    data: bytes
    base: int
    #: Offset of the struct in the file.
    offset: int


class Reader:
    """Finds the paths of one file."""

    def __init__(self, blend: BlendFile, handlers: Mapping[str, Handler]) -> None:
        self._blend = blend
        self._dna = blend.dna
        self._handlers: dict[int, tuple[Struct, Handler]] = {}
        for name, handler in handlers.items():
            index = blend.dna.index.get(name)
            if index is not None and blend.dna.structs[index].size:
                self._handlers[index] = (blend.dna.structs[index], handler)
        self._libraries, self._emptied = _libraries(blend)
        helping = {blend.dna.index[name] for name in _POINTED_TO if name in blend.dna.index}
        if blend.head.compressed:
            wanted: set[int] = set()
            for run in self._runs():
                wanted.add(run.head.offset)
                wanted.update(block.offset for block in run.parts)
                wanted.update(
                    block.offset
                    for block in run.members
                    if block.struct in helping or (block.struct == RAW and block.size <= SMALL_BYTES)
                )
            blend.load(lambda block: block.offset in wanted)

    def fields(self) -> Iterator[PathField]:
        """Every path, in the file's order."""
        for run in self._runs():
            yield from self._of_run(run)

    def _runs(self) -> Iterator[Run]:
        """The IDs that hold paths, each with its blocks."""
        handlers = self._handlers
        run = Run(Block(b"", 0, 0, 0, 0, 0))
        for block in self._blend.blocks():
            if block.code != b"DATA":
                if run.parts:
                    yield run
                run = Run(block)
            else:
                run.members.append(block)
            if block.struct in handlers and block.code not in _NO_STRUCTS:
                run.parts.append(block)
        if run.parts:
            yield run

    def _of_run(self, run: Run) -> Iterator[PathField]:
        run.code = run.head.code[:2].decode("latin-1") if run.head.code[2:] == b"\0\0" else ""
        if run.code:
            run.name, run.library = self._id(run.head)
        for block in run.parts:
            of_struct, handler = self._handlers[block.struct]
            for at in self.each(block, of_struct):
                for found in handler(self, run, at):
                    if found.kind == "strip" or (found.is_folder and found.path) or not names_no_file(found.path):
                        yield replace(found, owner_code=run.code, owner=run.name, library=run.library)

    def each(self, block: Block, of_struct: Struct) -> Iterator[At]:
        """The structs in a block: its head says how many, its size how many there can be."""
        data = self._blend.body(block)
        for number in range(min(max(block.items, 0), len(data) // of_struct.size)):
            base = number * of_struct.size
            yield At(of_struct, data, base, block.offset + base)

    def number(self, at: At, name: str, default: int = 0) -> int:
        """The number in a field; `default` if the struct does not have it."""
        one = at.struct.fields.get(name)
        return default if one is None else self._dna.value(at.data, at.base, one)

    def first(self, at: At, name: str) -> int:
        """The address that a list begins with; 0 if it is empty."""
        one = at.struct.fields.get(name)
        return 0 if one is None else self._dna.value(at.data, at.base, replace(one, pointers=1))

    def text(self, at: At, *names: str) -> tuple[str, Spot]:
        """What the first of these fields that the struct has holds, and where it lies."""
        for name in names:
            one = at.struct.fields.get(name)
            if one is not None and not one.pointers:
                start = at.base + one.offset
                return decode(at.data[start : start + one.size]), Spot(at.offset + one.offset, one.size)
        return "", Spot(0, 0)

    def fixed(self, at: At, kind: str, *names: str) -> PathField:
        """The field of a path in an array of fixed size."""
        path, spot = self.text(at, *names)
        return PathField(kind, "", "", path, room=max(0, spot.size - 1), spot=spot)

    def pointed(self, run: Run, at: At, kind: str, name: str) -> PathField:
        """The field of a path that lies in a block of its own."""
        one = at.struct.fields.get(name)
        block = self.at_address(run, self.number(at, name)) if one is not None and one.pointers == 1 else None
        if block is None or block.size > SMALL_BYTES:
            return PathField(kind, "", "", "")
        data = self._blend.body(block)
        path = decode(data)
        return PathField(kind, "", "", path, room=max(0, block.size - 1), spot=Spot(block.offset, block.size))

    def at_address(self, run: Run, address: int) -> Block | None:
        """The block of this run that was at an address."""
        if not address:
            return None
        if run.addresses is None:
            run.addresses = {block.address: block for block in run.members}
        return run.addresses.get(address)

    def listed(self, run: Run, address: int, name: str) -> Iterator[At]:
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

    def array(self, run: Run, address: int, name: str) -> Iterator[At]:
        """The structs of the array at an address."""
        of_struct, block = self._dna.find(name), self.at_address(run, address)
        if of_struct is not None and of_struct.size and block is not None and block.struct == self._dna.index[name]:
            yield from self.each(block, of_struct)

    def strings(self, run: Run) -> Iterator[PathField]:
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
                if target is None or target.size > SMALL_BYTES:
                    continue
                path = decode(self._blend.body(target))
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
        return decode(data[name.offset : name.offset + name.size])[2:], self._libraries.get(address, "")


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
                packed[last] = decode(data[path.offset : path.offset + path.size])
                parents.add(blend.dna.value(data, 0, parent))
        elif block.code == b"ID\0\0":
            linking.add(last)
    return packed, parents - linking


Handler = Callable[[Reader, Run, At], Iterator[PathField]]
