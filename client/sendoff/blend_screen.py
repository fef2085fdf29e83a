"""What a .blend says was on screen when it was saved: its current scene, and the view layer of that.

Blender itself forgets the view layer if a file is opened without its windows.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from .blend_dna import BlendFile, Block, Field


def shown_view_layer(path: Path) -> str:
    """The name of the current view layer of an uncompressed .blend; "" if it does not say.

    Raises BlendFileError, OSError.
    """
    with BlendFile(path) as blend:
        start, layer = blend.dna.find("FileGlobal"), blend.dna.find("ViewLayer")
        if start is None or layer is None or "cur_view_layer" not in start.fields or "name" not in layer.fields:
            return ""
        number, address = blend.dna.index["ViewLayer"], 0
        names: dict[int, str] = {}
        for block in blend.blocks():
            if block.code == b"GLOB":
                address = blend.dna.value(blend.body(block), 0, start.fields["cur_view_layer"])
            elif block.struct == number:
                names[block.address] = _text(blend.body(block), layer.fields["name"])
        return names.get(address, "")


def put_in_front(path: Path, scene_name: str, view_layer_name: str) -> None:
    """Have an uncompressed .blend open with this scene and view layer; nothing changes if it has no such scene.

    Raises BlendFileError, OSError.
    """
    with BlendFile(path) as blend, path.open("rb+") as file:
        scene, layer = _addresses(blend, scene_name, view_layer_name)
        if scene is None:
            return
        for code, kind in ((b"GLOB", "FileGlobal"), (b"DATA", "wmWindow")):
            found = blend.dna.find(kind)
            if found is None:
                continue
            number = blend.dna.index[kind]
            for block in [one for one in blend.blocks() if one.code == code and one.struct == number]:
                if kind == "FileGlobal":
                    _write_pointer(file, blend, block, found.fields.get("curscene"), scene)
                    _write_pointer(file, blend, block, found.fields.get("cur_view_layer"), layer or 0)
                else:
                    _write_pointer(file, blend, block, found.fields.get("scene"), scene)
                    _write_text(file, block, found.fields.get("view_layer_name"), view_layer_name)


def _addresses(blend: BlendFile, scene_name: str, view_layer_name: str) -> tuple[int | None, int | None]:
    """Where the file's own scene of this name was in memory, and its view layer of that name."""
    structs = [blend.dna.find(name) for name in ("Scene", "ID", "ViewLayer")]
    if None in structs:
        return None, None
    scene, head, layer = (one for one in structs if one is not None)
    if not ("id" in scene.fields and "name" in head.fields and "name" in layer.fields):
        return None, None
    at = scene.fields["id"].offset + head.fields["name"].offset
    wanted = b"SC" + scene_name.encode("utf-8", "surrogateescape")
    number, own = blend.dna.index["ViewLayer"], layer.fields["name"]
    address, is_inside = None, False
    for block in blend.blocks():
        if block.code == b"DATA":  # of the datablock before
            if is_inside and block.struct == number and _text(blend.body(block), own) == view_layer_name:
                return address, block.address
            continue
        is_inside = block.code == b"SC\0\0" and blend.body(block)[at:].split(b"\0", 1)[0] == wanted
        if is_inside:
            address = block.address
    return address, None


def _text(body: bytes, field: Field) -> str:
    raw = body[field.offset : field.offset + field.size]
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _write_pointer(file: BinaryIO, blend: BlendFile, block: Block, field: Field | None, address: int) -> None:
    """Write a pointer, if the struct has it and the block is as large as its struct."""
    if field is None or field.offset + field.size > block.size:
        return
    code = "Q" if blend.dna.pointer_bytes == 8 else "I"
    file.seek(block.offset + field.offset)
    file.write(struct.pack(f"{blend.dna.order}{code}", address))


def _write_text(file: BinaryIO, block: Block, field: Field | None, text: str) -> None:
    """Write a text into its array, if the struct has it and the block is as large as its struct."""
    if field is None or not 0 < field.size <= block.size - field.offset:
        return
    raw = text.encode("utf-8", "surrogateescape")[: field.size - 1]
    file.seek(block.offset + field.offset)
    file.write(raw.ljust(field.size, b"\0"))
