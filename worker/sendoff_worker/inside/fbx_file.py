"""What an FBX file says of itself: its unit, its up-axis, the names of its nodes and its LOD groups.

Blender's importer keeps none of these. Geometry is skipped over, not read. The layout of the binary form is that of
Blender's notes on it (code.blender.org, "FBX binary file format specification", 2013).
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"Kaydara FBX Binary  \x00\x1a\x00"
#: From this version on, lengths have 64 bits.
_LONG_FROM = 7500
_SCALARS = {b"Y": "<h", b"C": "<?", b"B": "<?", b"I": "<i", b"F": "<f", b"D": "<d", b"L": "<q"}
_ARRAYS, _TEXTS = b"fdlibc", b"SR"
#: Geometry that is no mesh, with its name in a sentence.
_OTHER_SHAPES = {
    b"NurbsCurve": "NURBS curve",
    b"NurbsSurface": "NURBS surface",
    b"NurbsPatch": "NURBS surface",
    b"TrimNurbsSurface": "trimmed NURBS surface",
    b"Nurb": "NURBS surface",
    b"Patch": "patch",
    b"Line": "line",
}
#: Of an ASCII file, so much of its start is looked through: its settings stand before its objects.
_ASCII_BYTES = 1 << 20
_ASCII_SETTING = r'"%s"\s*,\s*"\w*"\s*,\s*"\w*"\s*,\s*"\w*"\s*,\s*(-?[\d.eE+-]+)'


@dataclass(frozen=True)
class LodGroup:
    """A node with the attribute "LodGroup"."""

    name: str
    #: The names of its nodes, the finest level first.
    members: tuple[str, ...]


@dataclass(frozen=True)
class FbxFile:
    """What stands in the file; where it says nothing, what FBX means by that: centimetres, Y up."""

    centimetres_per_unit: float = 1.0
    #: "X", "Y" or "Z".
    up_axis: str = "Y"
    #: How many nodes have each name; empty for an ASCII file.
    names: Counter[str] = field(default_factory=Counter)
    #: Groups of which an application shows one member at a time.
    lod_groups: tuple[LodGroup, ...] = ()
    #: By the name of each texture's file, in lower case: its path as the file has it, a relative one if there is one.
    textures: Mapping[str, str] = field(default_factory=dict)
    #: Shapes that are no meshes, by their type: how many there are.
    other_shapes: Mapping[str, int] = field(default_factory=dict)


def read(path: Path) -> FbxFile:
    """Read a file's settings and names; what cannot be made out is as if it were not said."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
        settings: dict[str, float] = {}
        nodes = _Nodes()
        try:
            if start != MAGIC:
                return _made(_ascii_settings(start + file.read(_ASCII_BYTES)), nodes)
            reader = _Reader(file, path.stat().st_size)
            for name, end in reader.records(path.stat().st_size):
                if name == b"GlobalSettings":
                    settings = dict(reader.settings(end))
                elif name == b"Objects":
                    reader.read_objects(end, nodes)
                elif name == b"Connections":
                    reader.read_connections(end, nodes)
        except (struct.error, ValueError) as error:
            print(f"{path}: {error}")
        return _made(settings, nodes)


@dataclass
class _Nodes:
    """The nodes of a binary file."""

    #: The name of each node by its number, in the order of the file; nodes of very old files have no numbers.
    names: list[tuple[Any, str]] = field(default_factory=list)
    #: The numbers of attributes that make a node a LOD group.
    lod_attributes: set[Any] = field(default_factory=set)
    #: What is connected to what: (child, parent).
    connections: list[tuple[Any, Any]] = field(default_factory=list)
    textures: dict[str, str] = field(default_factory=dict)
    other_shapes: Counter[str] = field(default_factory=Counter)

    def lod_groups(self) -> Iterator[LodGroup]:
        """The LOD groups of the file."""
        by_number = dict(self.names)
        groups = [parent for child, parent in self.connections if child in self.lod_attributes]
        members: dict[Any, list[str]] = {group: [] for group in groups if group in by_number}
        for child, parent in self.connections:
            if parent in members and child in by_number:
                members[parent].append(by_number[child])
        for group, names in members.items():
            yield LodGroup(by_number[group], tuple(names))


def _made(settings: dict[str, float], nodes: _Nodes) -> FbxFile:
    unit = settings.get("UnitScaleFactor", 1.0)
    axis = settings.get("UpAxis", 1)
    return FbxFile(
        centimetres_per_unit=unit if 1e-6 < unit < 1e9 else 1.0,
        up_axis="XYZ"[int(axis)] if axis in (0, 1, 2) else "Y",
        names=Counter(name for _, name in nodes.names),
        lod_groups=tuple(nodes.lod_groups()),
        textures=nodes.textures,
        other_shapes=dict(nodes.other_shapes),
    )


def _ascii_settings(start: bytes) -> dict[str, float]:
    text = start.decode("utf-8", "replace")
    found = {name: re.search(_ASCII_SETTING % name, text) for name in ("UnitScaleFactor", "UpAxis")}
    return {name: float(match[1]) for name, match in found.items() if match is not None}


class _Reader:
    """Walks through the records of a binary file; every offset is checked, so that it ends."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        (version,) = struct.unpack("<I", file.read(4))
        self._lengths = "<QQQB" if version >= _LONG_FROM else "<IIIB"
        self._properties = (0, 0)

    def records(self, end: int) -> Iterator[tuple[bytes, int]]:
        """The name and end of each record up to an offset; its properties can be asked for until the next one."""
        while True:
            place = self._file.tell()
            header = self._file.read(struct.calcsize(self._lengths))
            record_end, count, length, name_length = struct.unpack(self._lengths, header)
            if record_end == 0 or place >= end:
                return
            name = self._file.read(name_length)
            if not place < record_end <= end or self._file.tell() + length > record_end:
                raise ValueError(f"a record at {place} ends outside of what it is in")
            self._properties = (self._file.tell(), count)
            self._file.seek(length, 1)
            yield name, record_end
            self._file.seek(record_end)
            if record_end >= end:
                return

    def settings(self, end: int) -> Iterator[tuple[str, float]]:
        """Each number of the record's property table."""
        for name, table_end in self.records(end):
            if name == b"Properties70":
                for _, _ in self.records(table_end):
                    values = self._values()
                    if len(values) > 4 and isinstance(values[0], bytes) and isinstance(values[4], (int, float)):
                        yield values[0].decode("utf-8", "replace"), float(values[4])

    def read_objects(self, end: int, nodes: _Nodes) -> None:
        """The nodes of the record of all objects."""
        for name, record_end in self.records(end):
            values = self._values() if name in (b"Model", b"NodeAttribute", b"Geometry") else []
            if name in (b"Texture", b"Video"):
                self._read_texture(record_end, nodes)
            if name == b"Model" and len(values) > 1 and isinstance(values[1], bytes):
                nodes.names.append((values[0], values[1].partition(b"\x00\x01")[0].decode("utf-8", "replace")))
            elif name == b"Geometry" and len(values) > 2 and values[2] in _OTHER_SHAPES:
                nodes.other_shapes[_OTHER_SHAPES[values[2]]] += 1
            elif name == b"NodeAttribute" and len(values) > 2 and values[2] == b"LodGroup":
                nodes.lod_attributes.add(values[0])

    def _read_texture(self, end: int, nodes: _Nodes) -> None:
        for name, _ in self.records(end):
            values = self._values() if name in (b"RelativeFilename", b"FileName", b"Filename") else []
            path = values[0].decode("utf-8", "replace") if values and isinstance(values[0], bytes) else ""
            key = path.replace("\\", "/").rpartition("/")[2].lower()
            if key and (name == b"RelativeFilename" or key not in nodes.textures):
                nodes.textures[key] = path

    def read_connections(self, end: int, nodes: _Nodes) -> None:
        """Which object belongs to which."""
        for _ in self.records(end):
            values = self._values()
            if len(values) > 2 and values[0] == b"OO":
                nodes.connections.append((values[1], values[2]))

    def _values(self) -> list[Any]:
        """The properties of the record that was yielded last; None for an array. The place in the file stays."""
        before = self._file.tell()
        place, count = self._properties
        self._file.seek(place)
        values: list[Any] = []
        for _ in range(min(count, 16)):
            kind = self._file.read(1)
            if kind in _SCALARS:
                (value,) = struct.unpack(_SCALARS[kind], self._file.read(struct.calcsize(_SCALARS[kind])))
            elif kind and kind in _TEXTS:
                (length,) = struct.unpack("<I", self._file.read(4))
                if length > self._size - self._file.tell():
                    raise ValueError("a text is longer than the file")
                value = self._file.read(length)
            elif kind and kind in _ARRAYS:
                _, _, length = struct.unpack("<III", self._file.read(12))
                self._file.seek(length, 1)
                value = None
            else:
                raise ValueError(f"a property of the unknown type {kind!r}")
            values.append(value)
        self._file.seek(before)
        return values
