"""Which of a library's datablocks a scene uses: only their files are sent, not those of the whole library.

In a file every pointer to another datablock holds the address that this one had in memory, and a block's head says at
which address it was. So what a datablock needs is found without knowing what the pointers are for.
"""

from __future__ import annotations

import os
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .blend_dna import BlendFile, Block, Dna, Field, Struct
from .blend_path_field import absolute
from .errors import BlendFileError, Stopped

_RAW = 0
#: Pointers that lead back, or are set when the file is read.
_LEADING_BACK = frozenset({
    "next", "prev", "first", "last", "newid", "orig_id", "py_instance", "lib", "runtime", "from",
})  # fmt: skip
_DEEPEST = 8
#: An array of pointers to datablocks is not larger.
_MOST_POINTER_BYTES = 1024 * 1024
#: Of a compressed library larger than this, all is taken for used.
_MOST_LOADED_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Used:
    """What of a library is used."""

    #: Names with their two letters; None if all has to be taken for used.
    names: frozenset[str] | None
    #: The stored paths of the libraries that these link.
    libraries: frozenset[str] = frozenset()

    def holds(self, owner_code: str, owner: str, path: str) -> bool:
        """Whether a path of the library matters, given by the datablock that holds it."""
        if self.names is None or not owner_code:
            return True
        return path in self.libraries if owner_code == "LI" else owner_code + owner in self.names


@dataclass
class Links:
    """What the datablocks of one file need, by their names with the two letters: "OBCube"."""

    #: Of each datablock the others of the same file.
    own: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Of each datablock what it links: the library's stored path, and the name there.
    linked: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    #: All that the file links.
    all_linked: set[tuple[str, str]] = field(default_factory=set)

    def used(self, names: Iterable[str]) -> set[str]:
        """These datablocks, and all that they need in the same file."""
        found = set(names)
        waiting = list(found)
        while waiting:
            for name in self.own.get(waiting.pop(), ()):
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return found


def used_of_libraries(scene: Path, base: Path, *, stop: Callable[[], bool] | None = None) -> dict[str, Used]:
    """The datablocks of each library that a scene uses, also through other libraries.

    Args:
        scene: The .blend; all that it links counts as used.
        base: The folder that `//` means in it.
        stop: Asked from time to time.

    Returns:
        Real path of a library -> what is used of it.

    Raises:
        Stopped: `stop` said yes.
    """
    links: dict[str, Links | None] = {}
    used: dict[str, set[str]] = defaultdict(set)
    waiting: list[tuple[Path, set[tuple[str, str]]]] = []
    start = _read(scene, stop, whole=True)
    if start is None:
        return {}
    waiting.append((base, start.all_linked))
    while waiting:
        folder, linked = waiting.pop()
        for path in {path for path, _ in linked}:
            file = absolute(path, folder)
            key = os.path.realpath(file)
            if key not in links:
                links[key] = _read(file, stop)
            of_file = links[key]
            if of_file is None:
                continue
            before = set(used[key])
            used[key] |= of_file.used({name for of_path, name in linked if of_path == path})
            fresh = used[key] - before
            further = {one for name in fresh for one in of_file.linked.get(name, ())}
            if further:
                waiting.append((file.parent, further))
    return {key: _used(of_file, used[key]) for key, of_file in links.items()}


def _used(links: Links | None, names: set[str]) -> Used:
    if links is None:
        return Used(None)
    return Used(frozenset(names), frozenset(path for name in names for path, _ in links.linked.get(name, ())))


def _read(file: Path, stop: Callable[[], bool] | None, *, whole: bool = False) -> Links | None:
    """The links of a file; None if they cannot be read. With `whole` only what the file links as a whole."""
    try:
        with BlendFile(file, stop=stop) as blend:
            return _Reader(blend, stop).links(whole=whole)
    except Stopped:
        raise
    except (BlendFileError, OSError, ValueError):
        return None


class _Reader:
    def __init__(self, blend: BlendFile, stop: Callable[[], bool] | None) -> None:
        self._blend, self._stop = blend, stop
        dna = blend.dna
        self._id_types = {one.name for one in dna.structs if _is_id(one)} | {"ID"}
        self._plans = _Plans(dna, self._id_types)
        self._name = None if dna.find("ID") is None else dna.structs[dna.index["ID"]].fields.get("name")
        #: Address -> name of a datablock of this file, or the library and the name of a linked one.
        self._own: dict[int, str] = {}
        self._linked: dict[int, tuple[str, str]] = {}
        blend.load(lambda block: block.code != b"DATA")
        library = ""
        path = _field(dna.find("Library"), "name", "filepath")
        for block in blend.blocks():
            if block.code == b"LI\0\0" and path is not None:
                library = _text(blend.body(block)[path.offset : path.offset + path.size])
            elif block.code == b"ID\0\0":
                self._linked[block.address] = (library, self._name_of(block))
            elif block.code[2:] == b"\0\0" and self._plans.is_id(block.struct):
                self._own[block.address] = self._name_of(block)

    def links(self, *, whole: bool) -> Links | None:
        found = Links(all_linked=set(self._linked.values()))
        if whole:
            return found
        pointing = self._plans
        if self._blend.head.compressed:
            wanted = [block for block in self._blend.blocks() if self._is_needed(block)]
            if sum(block.size for block in wanted) > _MOST_LOADED_BYTES:
                return None
            self._blend.load(self._is_needed)
        owner = ""
        raw: dict[int, Block] = {}
        arrays: set[int] = set()
        for number, block in enumerate(self._blend.blocks()):
            if not number % 4096 and self._stop is not None and self._stop():
                raise Stopped("Stopped while the libraries were looked through.")
            if block.code != b"DATA":
                self._arrays(found, owner, raw, arrays)
                owner, raw, arrays = self._own.get(block.address, ""), {}, set()
            if not owner:
                continue
            if block.struct == _RAW:
                raw[block.address] = block
                continue
            plan = pointing.of(block.struct)
            if plan is not None:
                data = self._blend.body(block)
                for base in range(0, min(max(block.items, 0) * plan.size, len(data) - plan.size + 1), plan.size):
                    for address in plan.pointers(data, base):
                        self._add(found, owner, address)
                    arrays.update(plan.arrays(data, base))
        self._arrays(found, owner, raw, arrays)
        return found

    def _is_needed(self, block: Block) -> bool:
        if block.struct == _RAW:
            return block.size <= _MOST_POINTER_BYTES
        return self._plans.of(block.struct) is not None

    def _arrays(self, found: Links, owner: str, raw: dict[int, Block], arrays: set[int]) -> None:
        """Arrays of pointers lie in blocks without a struct."""
        for address in arrays:
            block = raw.get(address)
            if block is not None and block.size <= _MOST_POINTER_BYTES:
                for pointer in self._plans.all_pointers(self._blend.body(block)):
                    self._add(found, owner, pointer)

    def _add(self, found: Links, owner: str, address: int) -> None:
        name = self._own.get(address)
        if name is not None:
            found.own[owner].add(name)
        elif address in self._linked:
            found.linked[owner].add(self._linked[address])

    def _name_of(self, block: Block) -> str:
        if self._name is None:
            return ""
        return _text(self._blend.body(block)[self._name.offset : self._name.offset + self._name.size])


@dataclass(frozen=True)
class _Plan:
    """Where in a struct pointers are that may lead to a datablock."""

    size: int
    #: Of pointers to one.
    single: tuple[int, ...]
    #: Of pointers to an array of them.
    double: tuple[int, ...]
    unpack: Callable[[bytes, int], tuple[int, ...]]

    def pointers(self, data: bytes, base: int) -> list[int]:
        """The addresses that one struct holds."""
        return [self.unpack(data, base + offset)[0] for offset in self.single]

    def arrays(self, data: bytes, base: int) -> list[int]:
        """The addresses of the arrays that it points to."""
        return [self.unpack(data, base + offset)[0] for offset in self.double]


class _Plans:
    """The plans of all structs of a file, made when they are first asked for."""

    def __init__(self, dna: Dna, id_types: set[str]) -> None:
        self._dna, self._id_types = dna, id_types
        self._plans: dict[int, _Plan | None] = {}
        self._pointer = struct.Struct(dna.order + ("Q" if dna.pointer_bytes == 8 else "I"))

    def is_id(self, index: int) -> bool:
        """Whether a struct is a datablock."""
        return 0 <= index < len(self._dna.structs) and self._dna.structs[index].name in self._id_types

    def of(self, index: int) -> _Plan | None:
        """The plan of a struct, or None if no pointer of it can lead to a datablock."""
        if index not in self._plans:
            plan = None
            if 0 <= index < len(self._dna.structs) and self._dna.structs[index].size:
                one = self._dna.structs[index]
                single, double = self._offsets(one, 0)
                if single or double:
                    plan = _Plan(one.size, tuple(single), tuple(double), self._pointer.unpack_from)
            self._plans[index] = plan
        return self._plans[index]

    def all_pointers(self, data: bytes) -> list[int]:
        """What an array of pointers holds."""
        whole = len(data) - len(data) % self._pointer.size
        return [pointer for (pointer,) in self._pointer.iter_unpack(data[:whole])]

    def _offsets(self, of_struct: Struct, depth: int) -> tuple[list[int], list[int]]:
        single: list[int] = []
        double: list[int] = []
        for one in of_struct.fields.values():
            inner = self._dna.find(one.type)
            if one.name in _LEADING_BACK or one.offset + one.size > of_struct.size:
                continue
            if one.pointers:
                if one.type in self._id_types or one.type == "void":
                    step = self._pointer.size
                    at = [one.offset + step * number for number in range(one.count)]
                    (single if one.pointers == 1 else double).extend(at)
            elif inner is not None and inner.size and depth < _DEEPEST and inner is not of_struct:
                inner_single, inner_double = self._offsets(inner, depth + 1)
                for number in range(one.count):
                    base = one.offset + number * inner.size
                    single += [base + offset for offset in inner_single]
                    double += [base + offset for offset in inner_double]
        return single, double


def _is_id(one: Struct) -> bool:
    first = next(iter(one.fields.values()), None)
    return first is not None and first.name == "id" and first.type == "ID" and not first.pointers


def _field(of_struct: Struct | None, *names: str) -> Field | None:
    found = (of_struct.fields.get(name) for name in names) if of_struct is not None else ()
    return next((one for one in found if one is not None), None)


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
