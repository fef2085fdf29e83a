"""Which scene and view layer a saved copy has in front: those that were on screen in the window of the click.

A .blend names the scene of the first window as its current one, in whatever context it is saved, and to change the
window's scene would end the modes of the artist's objects. So the copy is changed, not the open file.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import bpy

from .name_of import name_of
from .sendoff.blend_dna import BlendFile, Block, Field


def put_in_front(copy: Path, scene_name: str, view_layer_name: str) -> None:
    """Have a saved copy open with this scene and view layer; "" for those of the first window.

    Raises OSError or BlendFileError if the copy cannot be changed.
    """
    windows = bpy.context.window_manager.windows if bpy.context.window_manager else None
    if not scene_name or not windows:
        return
    first = windows[0]
    # With several windows it is not for us to know which one the file names.
    if len(windows) == 1 and (name_of(first.scene), name_of(first.view_layer)) == (scene_name, view_layer_name):
        return
    with BlendFile(copy) as blend, copy.open("rb+") as file:
        address = _address(blend, scene_name)
        if address is None:
            return
        for code, kind, pointer, name in (
            (b"GLOB", "FileGlobal", "curscene", "cur_view_layer"),
            (b"DATA", "wmWindow", "scene", "view_layer_name"),
        ):
            found = blend.dna.find(kind)
            if found is None:
                continue
            number = blend.dna.index[kind]
            for block in [one for one in blend.blocks() if one.code == code and one.struct == number]:
                _write_pointer(file, blend, block, found.fields[pointer], address)
                _write_text(file, block, found.fields[name], view_layer_name)


def _address(blend: BlendFile, scene_name: str) -> int | None:
    """Where the file's own scene of this name was in memory."""
    scene, name = blend.dna.find("Scene"), blend.dna.find("ID")
    if scene is None or name is None:
        return None
    at = scene.fields["id"].offset + name.fields["name"].offset
    wanted = b"SC" + scene_name.encode("utf-8", "surrogateescape")
    for block in blend.blocks():
        if block.code == b"SC\0\0" and blend.body(block)[at:].split(b"\0", 1)[0] == wanted:
            return block.address
    return None


def _write_pointer(file: BinaryIO, blend: BlendFile, block: Block, field: Field, address: int) -> None:
    code = "Q" if blend.dna.pointer_bytes == 8 else "I"
    file.seek(block.offset + field.offset)
    file.write(struct.pack(f"{blend.dna.order}{code}", address))


def _write_text(file: BinaryIO, block: Block, field: Field, text: str) -> None:
    raw = text.encode("utf-8", "surrogateescape")[: field.size - 1]
    file.seek(block.offset + field.offset)
    file.write(raw.ljust(field.size, b"\0"))
