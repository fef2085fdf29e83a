"""What an FBX file says of itself: its unit, its up-axis and the names of its nodes.

Blender's importer keeps none of these. Geometry is skipped over, not read. The layout of the binary form is that of
Blender's notes on it (code.blender.org, "FBX binary file format specification", 2013).
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"Kaydara FBX Binary  \x00\x1a\x00"
#: From this version on, lengths have 64 bits.
_LONG_FROM = 7500
_SCALARS = {b"Y": "<h", b"C": "<?", b"B": "<?", b"I": "<i", b"F": "<f", b"D": "<d", b"L": "<q"}
_ARRAYS, _TEXTS = b"fdlibc", b"SR"
#: Of an ASCII file, so much of its start is looked through: its settings stand before its objects.
_ASCII_BYTES = 1 << 20
_ASCII_SETTING = r'"%s"\s*,\s*"\w*"\s*,\s*"\w*"\s*,\s*"\w*"\s*,\s*(-?[\d.eE+-]+)'


@dataclass(frozen=True)
class FbxFile:
    """What stands in the file; where it says nothing, what FBX means by that: centimetres, Y up."""

    centimetres_per_unit: float = 1.0
    #: "X", "Y" or "Z".
    up_axis: str = "Y"
    #: How many nodes have each name; empty for an ASCII file.
    names: Counter[str] = field(default_factory=Counter)


def read(path: Path) -> FbxFile:
    """Read a file's settings and names; what cannot be made out is as if it were not said."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
        settings: dict[str, float] = {}
        names: Counter[str] = Counter()
        try:
            if start != MAGIC:
                return _made(_ascii_settings(start + file.read(_ASCII_BYTES)), names)
            reader = _Reader(file, path.stat().st_size)
            for name, end in reader.records(path.stat().st_size):
                if name == b"GlobalSettings":
                    settings = dict(reader.settings(end))
                elif name == b"Objects":
                    names.update(reader.model_names(end))
        except (struct.error, ValueError) as error:
            print(f"{path}: {error}")
        return _made(settings, names)


def _made(settings: dict[str, float], names: Counter[str]) -> FbxFile:
    unit = settings.get("UnitScaleFactor", 1.0)
    axis = settings.get("UpAxis", 1)
    return FbxFile(
        centimetres_per_unit=unit if 1e-6 < unit < 1e9 else 1.0,
        up_axis="XYZ"[int(axis)] if axis in (0, 1, 2) else "Y",
        names=names,
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

    def model_names(self, end: int) -> Iterator[str]:
        """The name of each node of the record of all objects."""
        for name, _ in self.records(end):
            values = self._values() if name == b"Model" else []
            if len(values) > 1 and isinstance(values[1], bytes):
                yield values[1].partition(b"\x00\x01")[0].decode("utf-8", "replace")

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
