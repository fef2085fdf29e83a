"""Which frames of an image sequence a .blend uses: what the users of the image say, all together.

Source: Blender, `BKE_image_user_frame_get` in `source/blender/blenkernel/intern/image.cc`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from .blend_dna import BlendFile, Block, Struct

if TYPE_CHECKING:
    from .blend_path_field import PathField

#: A range of more frames is taken for no range.
MOST_FRAMES = 1_000_000
_KINDS = frozenset({"image", "volume"})
_RAW = 0
_SMALL_BYTES = 4096
#: Drivers and keys that change which frame is shown.
_ANIMATED = (b"frame_offset", b"frame_duration", b"frame_start")
_NODE_STORAGE = ("NodeTexImage", "NodeTexEnvironment", "ImageUser", "NodeCryptomatte")
_STRUCTS = ("bNode", *_NODE_STORAGE, "Tex", "CameraBGImage", "Object", "bNodeSocketValueImage", "IDProperty")


def with_frames(blend: BlendFile, fields: list[PathField]) -> list[PathField]:
    """The same fields; those of sequences know their frames, if the range of every user is known."""
    if not any(one.kind in _KINDS and one.is_sequence and not one.is_packed for one in fields):
        return fields
    wanted = {blend.dna.index[name] for name in _STRUCTS if name in blend.dna.index}
    blend.load(
        lambda block: (
            block.struct in wanted or block.code == b"IM\0\0" or (block.struct == _RAW and block.size <= _SMALL_BYTES)
        )
    )
    users = _Users(blend)
    used = users.frames()
    return [
        one
        if one.kind not in _KINDS or not one.is_sequence
        else replace(one, frames=used.get(one.owner))
        if one.kind == "image"
        else replace(one, frames=None if users.is_animated else one.frames)
        for one in fields
    ]


class _Users:
    """All image users of a file: the frames they show, by the address of their image."""

    def __init__(self, blend: BlendFile) -> None:
        self.names: dict[int, str] = {}
        self.ranges: dict[int, list[range]] = defaultdict(list)
        self.unknown: set[int] = set()
        self.is_animated = False
        self._blend, self._dna = blend, blend.dna
        self._user = blend.dna.find("ImageUser")
        self._wanted = {blend.dna.index[name]: name for name in _STRUCTS if name in blend.dna.index}
        #: The storage of the nodes of one ID: address -> the range of its image user.
        self._storage: dict[int, range | None] = {}
        #: Addresses of an image, and of the storage that holds its user.
        self._nodes: list[tuple[int, int]] = []
        for block in blend.blocks():
            if block.code != b"DATA":
                self._end_of_id()
            if block.code == b"IM\0\0":
                self.names[block.address] = self._name(block)
            if block.struct in self._wanted:
                self._block(block, self._wanted[block.struct])
            elif (
                block.code == b"DATA"
                and block.struct == _RAW
                and 8 < block.size <= _SMALL_BYTES
                and not self.is_animated
            ):
                self.is_animated = any(text in blend.body(block) for text in _ANIMATED)
        self._end_of_id()

    def frames(self) -> dict[str, frozenset[int]]:
        """The frames of each image by its name; images that somebody uses in an unknown way are not in it."""
        found: dict[str, frozenset[int]] = {}
        for address, name in self.names.items():
            if self.ranges[address] and address not in self.unknown and not self.is_animated:
                found[name] = frozenset(frame for one in self.ranges[address] for frame in one)
        return found

    def _block(self, block: Block, name: str) -> None:
        of_struct = self._dna.structs[block.struct]
        for data, base in self._each(block, of_struct):
            if name == "bNode":
                image, storage = (self._value(of_struct, data, base, field) for field in ("id", "storage"))
                self._nodes.append((image, storage))
            elif name in _NODE_STORAGE:
                self._storage[block.address] = self._range(of_struct, data, base)
            elif name == "Object":
                # An empty that shows an image: its user follows in a block of its own.
                user = self._value(of_struct, data, base, "iuser")
                if user:
                    self._nodes.append((self._value(of_struct, data, base, "data"), user))
            elif name == "IDProperty":
                one = of_struct.fields.get("data")
                if one is not None:
                    self.unknown.add(self._dna.value(data, base, replace(one, pointers=1)))
            elif name == "bNodeSocketValueImage":
                self.unknown.add(self._value(of_struct, data, base, "value"))
            else:
                self._add(self._value(of_struct, data, base, "ima"), self._range(of_struct, data, base))

    def _end_of_id(self) -> None:
        for image, address in self._nodes:
            self._add(image, self._storage.get(address))
        self._nodes, self._storage = [], {}

    def _add(self, image: int, frames: range | None) -> None:
        if not image:
            return
        if frames is None:
            self.unknown.add(image)
        else:
            self.ranges[image].append(frames)

    def _range(self, of_struct: Struct, data: bytes, base: int) -> range | None:
        if self._user is None:
            return None
        if of_struct.name != "ImageUser":
            inner = of_struct.fields.get("iuser")
            if inner is None or inner.pointers:
                return None
            base += inner.offset
        count = self._value(self._user, data, base, "frames")
        offset = self._value(self._user, data, base, "offset")
        # Before its start a sequence shows frame 0, and it never goes on behind its last frame.
        return range(offset, offset + count + 1) if 0 <= count <= MOST_FRAMES else None

    def _value(self, of_struct: Struct, data: bytes, base: int, name: str) -> int:
        one = of_struct.fields.get(name)
        return 0 if one is None else self._dna.value(data, base, one)

    def _each(self, block: Block, of_struct: Struct) -> Iterator[tuple[bytes, int]]:
        if not of_struct.size:
            return
        data = self._blend.body(block)
        for number in range(min(max(block.items, 0), len(data) // of_struct.size)):
            yield data, number * of_struct.size

    def _name(self, block: Block) -> str:
        of_struct = self._dna.find("ID")
        name = None if of_struct is None else of_struct.fields.get("name")
        if name is None:
            return ""
        data = self._blend.body(block)[name.offset + 2 : name.offset + name.size]
        return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
