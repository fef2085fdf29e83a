"""Which files of numbered movie clips and caches a .blend uses: those of the frames that its scenes show.

Source: Blender, `get_sequence_filepath` in `source/blender/blenkernel/intern/movieclip.cc`, and
`BKE_cachefile_filepath_get` in `cachefile.cc`.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

from .blend_dna import BlendFile, Block, Struct
from .host.file_patterns import split_number

if TYPE_CHECKING:
    from .blend_path_field import PathField

KINDS = frozenset({"movieclip", "cache_file"})
_CODES = {"movieclip": b"MC\0\0", "cache_file": b"CF\0\0"}
#: Scenes of more frames are taken for damaged ones.
_MOST_FRAMES = 1_000_000


def with_scene_frames(blend: BlendFile, fields: list[PathField]) -> list[PathField]:
    """The same fields; the sequences among them know their frames, if nothing else than the scenes decides on these."""
    if not any(_is_wanted(one) for one in fields):
        return fields
    codes = {b"SC\0\0", *_CODES.values()}
    strip = blend.dna.index.get("Sequence")
    blend.load(lambda block: block.code in codes or block.struct == strip)
    shown: set[int] = set()
    in_strips: set[int] = set()
    owners: dict[tuple[bytes, int], Block] = {}
    for block in blend.blocks():
        if block.code == b"SC\0\0":
            frames = _of_scene(blend, block)
            if frames is None:
                return fields
            shown |= frames
        elif block.struct == strip:
            in_strips.add(_number(blend, block, "clip"))
        elif block.code in codes:
            owners[block.code, block.offset] = block
    if not shown:
        return fields
    found = []
    for one in fields:
        owner = _owner(one, owners) if _is_wanted(one) else None
        if owner is not None and owner.address not in in_strips:
            found.append(replace(one, frames=_files(blend, one, owner, shown)))
        else:
            found.append(one)
    return found


def _is_wanted(one: PathField) -> bool:
    return one.kind in KINDS and one.is_sequence and not one.is_packed


def _owner(one: PathField, owners: dict[tuple[bytes, int], Block]) -> Block | None:
    """The datablock that holds a path."""
    return next(
        (
            block
            for (code, offset), block in owners.items()
            if code == _CODES[one.kind] and offset <= one.spot.offset < offset + block.size
        ),
        None,
    )


def _of_scene(blend: BlendFile, block: Block) -> set[int] | None:
    """The frames of a scene, and one more on both sides for motion blur; None if they cannot be told."""
    of_struct, inner = _struct(blend, block), blend.dna.find("RenderData")
    render = None if of_struct is None else of_struct.fields.get("r")
    if inner is None or render is None:
        return None
    first, last, current, before, after = (
        _value(blend, block, inner, name, render.offset) for name in ("sfra", "efra", "cfra", "framapto", "images")
    )
    if before != after or last - first > _MOST_FRAMES:  # its time is stretched
        return None
    return set(range(first - 1, last + 2)) | set(range(current - 1, current + 2))


def _files(blend: BlendFile, one: PathField, block: Block, shown: set[int]) -> frozenset[int] | None:
    """The numbers of the files that show these frames."""
    if _number(blend, block, "adt"):
        return None
    if one.kind == "cache_file":
        if _number(blend, block, "override_frame"):
            return frozenset({_whole(blend, block, "frame")})
        return frozenset(shown)
    parts = split_number(one.path.replace("\\", "/").rpartition("/")[2])
    if parts is None:
        return None
    shift = int(parts[1]) - _number(blend, block, "start_frame") + _number(blend, block, "frame_offset")
    return frozenset(frame + shift for frame in shown)


def _struct(blend: BlendFile, block: Block) -> Struct | None:
    return blend.dna.structs[block.struct] if 0 <= block.struct < len(blend.dna.structs) else None


def _number(blend: BlendFile, block: Block, name: str) -> int:
    of_struct = _struct(blend, block)
    return 0 if of_struct is None else _value(blend, block, of_struct, name)


def _value(blend: BlendFile, block: Block, of_struct: Struct, name: str, base: int = 0) -> int:
    one = of_struct.fields.get(name)
    return 0 if one is None else blend.dna.value(blend.body(block), base, one)


def _whole(blend: BlendFile, block: Block, name: str) -> int:
    """The whole frame of a field that holds a part of one, too."""
    of_struct = _struct(blend, block)
    one = None if of_struct is None else of_struct.fields.get(name)
    if one is None:
        return 0
    try:
        return int(struct.unpack_from(blend.dna.order + "f", blend.body(block), one.offset)[0])
    except (struct.error, ValueError, OverflowError):
        return 0
