"""What each mesh object was like when it was sent, as short texts, so that what changed since is said at the import.

A fingerprint is exact where it looks: numbers of vertices, edges and faces, each vertex's position, the object's own
transform and its parents', the kinds of its modifiers. It does not look at UVs, weights or materials, nor at the
settings of a modifier. What an animation moves has no place of its own, so that another frame is no change.
"""

from __future__ import annotations

import array
import ctypes
import functools
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import bpy

from . import library_paths
from .name_of import name_of

try:
    import numpy as _numpy
except ImportError:  # a Blender of a distribution may come without
    _numpy = None  # type: ignore[assignment] # a module, or the lack of it

_FLOATS_PER_VERTEX = 3
_MATRIX_BYTES = 16 * 4
_VERTEX_BYTES = _FLOATS_PER_VERTEX * 4
_LARGE_BYTES = 65_536
#: Positions of large meshes are summed as a table with so many 8-byte words in a row, so many rows at a time.
_WORDS = 512
_ROWS = 256
_ANIMATED = "animated"
#: What is sculpted with dynamic topology has its mesh made when that ends.
_UNKNOWN = "unknown"
_SHOWN = 3
#: Between a name and its library; no name holds it.
_BEHIND_NAME = "\0"

_Meshed: TypeAlias = "tuple[bpy.types.Object, bpy.types.Mesh]"


@dataclass(frozen=True)
class Changes:
    """What is not as it was when it was sent."""

    #: Names, each with what is different: "moved", "reshaped", "other modifiers".
    changed: Mapping[str, str]
    #: Names as they were sent, each with the name of today.
    renamed: Mapping[str, str]
    #: Names of which nothing like it is in the file any more.
    gone: tuple[str, ...]

    def notes(self) -> tuple[str, ...]:
        """Sentences for the artist; none where nothing changed."""
        notes = []
        if self.changed:
            listed = _listed([f"“{name}” ({how})" for name, how in self.changed.items()])
            notes.append(f"Changed since it was sent, and the result shows it as it was: {listed}.")
        if self.renamed:
            listed = _listed([f"“{name}” (now “{today}”)" for name, today in self.renamed.items()])
            notes.append(f"Renamed since it was sent: {listed}.")
        if self.gone:
            listed = _listed([f"“{name}”" for name in self.gone])
            notes.append(f"No longer in this file under the name it was sent with: {listed}.")
        return tuple(notes)


def of_open_file() -> dict[str, str]:
    """The fingerprint of each mesh object of the open file by its `key`.

    In Edit Mode it is that of the mesh as the last save wrote it: to be called after the copy is saved.
    """
    return _of(_meshed(bpy.data.objects))


def key(library: str, name: str) -> str:
    """An object as one text: by the absolute path of its library ("" for the file's own) and its name."""
    return f"{name}{_BEHIND_NAME}{library}" if library else name


def compare(sent: Mapping[str, str], sources: Iterable[tuple[str, str]]) -> Changes:
    """What became of objects, each by library and name, since their fingerprints were taken; others are left out."""
    asked = [source for source in dict.fromkeys(sources) if key(*source) in sent]
    objects = library_paths.objects(asked)
    there = _meshed(objects.values())
    for thing, mesh in there:
        if mesh.is_editmode:
            thing.update_from_editmode()
    now = _of(there)
    missing = [source for source in asked if key(*source) not in now]
    by_print: dict[str, str] = {}
    if missing:
        paths = library_paths.every()
        new = _meshed(thing for thing in bpy.data.objects if key(paths[thing.library], name_of(thing)) not in sent)
        by_print = {text: _name(found) for found, text in reversed(_of(new).items())}
    return Changes(
        changed={
            name: how
            for library, name in asked
            if (today := now.get(key(library, name))) and (how := _difference(sent[key(library, name)], today))
        },
        # One that was made local has its name.
        renamed={one[1]: today for one in missing if (today := by_print.get(sent[key(*one)], one[1])) != one[1]},
        gone=tuple(one[1] for one in missing if sent[key(*one)] not in by_print),
    )


def _name(found: str) -> str:
    return found.partition(_BEHIND_NAME)[0]


def _meshed(things: Iterable[bpy.types.Object]) -> list[_Meshed]:
    """Those among some objects that have a mesh, each with it."""
    return [(thing, mesh) for thing in things if isinstance(mesh := thing.data, bpy.types.Mesh)]


def _of(things: list[_Meshed]) -> dict[str, str]:
    shapes = dict.fromkeys(_dynamic(), f"{_UNKNOWN}|{_UNKNOWN}")
    found: dict[str, str] = {}
    places, paths = _Places(), library_paths.every()
    for thing, mesh in things:
        name = name_of(thing)
        if not name:
            continue
        if mesh not in shapes:
            counts = f"{len(mesh.vertices)},{len(mesh.edges)},{len(mesh.polygons)}"
            shapes[mesh] = f"{counts}|{_checksum(_positions(mesh))}"
        modifiers = ",".join(modifier.type for modifier in thing.modifiers)
        found[key(paths[thing.library], name)] = f"{shapes[mesh]}|{places.text(thing)}|{modifiers}"
    return found


def _dynamic() -> set[bpy.types.Mesh]:
    """Meshes that are sculpted with dynamic topology: only an active object is sculpted."""
    layers = (layer for scene in bpy.data.scenes for layer in scene.view_layers)
    sculpted = (thing for layer in layers if (thing := layer.objects.active) is not None)
    return {mesh for thing, mesh in _meshed(sculpted) if thing.use_dynamic_topology_sculpting}


def _positions(mesh: bpy.types.Mesh) -> memoryview:
    """The positions of all vertices in their order, as bytes; good until Blender changes the mesh.

    Those of a large mesh are read where they lie, in one piece: to copy them takes longer than to sum.
    """
    attribute = None if mesh.is_editmode else mesh.attributes.get("position")
    count = len(mesh.vertices)
    size = count * _VERTEX_BYTES
    if not isinstance(attribute, bpy.types.FloatVectorAttribute):
        values = array.array("f", bytes(size))
        mesh.vertices.foreach_get("co", values)
        return memoryview(values).cast("B")
    data = attribute.data
    if size >= _LARGE_BYTES:
        first, last = data[0].as_pointer(), data[count - 1].as_pointer()
        if last - first == size - _VERTEX_BYTES:
            return memoryview((ctypes.c_char * size).from_address(first)).cast("B")
    values = array.array("f", bytes(size))
    data.foreach_get("vector", values)  # a copy of memory, twenty times as fast as by vertices
    return memoryview(values).cast("B")


def _checksum(positions: memoryview) -> str:
    if _numpy is None:
        return f"c{zlib.crc32(positions):08x}"
    values = _numpy.frombuffer(positions, _numpy.uint8)
    if len(values) < _LARGE_BYTES:
        return f"n{zlib.crc32(values.data):08x}"
    words = values[: len(values) // 8 * 8].view(_numpy.uint64)
    rows = words[: len(words) // _WORDS * _WORDS].reshape(-1, _WORDS)
    # One that changes alone changes the sums of its row and its column; two that trade places, at least one.
    sums = _numpy.empty(len(rows), _numpy.uint64)
    columns = _numpy.zeros(_WORDS, _numpy.uint64)
    for start in range(0, len(rows), _ROWS):  # what was read for the rows is still near for the columns
        part = rows[start : start + _ROWS]
        part.sum(axis=1, out=sums[start : start + _ROWS])
        columns += part.sum(axis=0)
    checksum = zlib.crc32(columns.data, zlib.crc32(sums.data))
    return f"n{zlib.crc32(values[rows.nbytes :].data, checksum):08x}"


class _Places:
    """Where objects stand by what is set: their own transforms and their parents'.

    Not by the world matrix: that one is only known for what the view layer evaluates, and differs by frame.
    """

    def __init__(self) -> None:
        self._own = _matrices("matrix_basis")
        self._known: dict[bpy.types.Object, bytes | None] = {}

    @functools.cached_property
    def _inverse(self) -> dict[bpy.types.Object, bytes]:
        return _matrices("matrix_parent_inverse")

    def text(self, thing: bpy.types.Object) -> str:
        """A checksum; "animated" where an animation sets one of the transforms."""
        chain = self._chain(thing)
        return _ANIMATED if chain is None else f"{zlib.crc32(chain):08x}"

    def _chain(self, thing: bpy.types.Object) -> bytes | None:
        if thing in self._known:
            return self._known[thing]
        self._known[thing] = None  # a ring of parents ends here
        above: bytes | None = b""
        if thing.parent is not None:
            above = self._chain(thing.parent)
            if above is not None:
                above += self._inverse[thing] + f"{thing.parent_type} {thing.parent_bone}".encode()
        if above is not None and not _is_animated(thing):
            self._known[thing] = zlib.crc32(above).to_bytes(4, "big") + self._own[thing]
        return self._known[thing]


def _matrices(kind: str) -> dict[bpy.types.Object, bytes]:
    """A matrix of every object as bytes, read in one go."""
    objects = bpy.data.objects
    values = array.array("f", bytes(_MATRIX_BYTES * len(objects)))
    objects.foreach_get(kind, values)
    raw = values.tobytes()
    return {
        thing: raw[start : start + _MATRIX_BYTES]
        for thing, start in zip(objects, range(0, len(raw), _MATRIX_BYTES))  # noqa: B905
    }


def _is_animated(thing: bpy.types.Object) -> bool:
    data = thing.animation_data
    return data is not None and bool(data.action or data.nla_tracks or data.drivers)


def _difference(sent: str, now: str) -> str:
    """In a word or two; "" where both are the same."""
    if sent == now:
        return ""
    before, after = sent.split("|"), now.split("|")
    if len(before) != len(after) or len(before) != 4:
        return "changed"
    words = []
    is_known = _UNKNOWN not in (before[0], after[0])
    if (is_known and before[0] != after[0]) or (before[1] != after[1] and before[1][:1] == after[1][:1]):
        words.append("reshaped")
    if before[2] != after[2] and _ANIMATED not in (before[2], after[2]):
        words.append("moved")
    if before[3] != after[3]:
        words.append("other modifiers")
    return ", ".join(words)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
