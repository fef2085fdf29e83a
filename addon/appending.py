"""A result's .blend appended: its objects as copies, everything else as the artist has it, if the artist has it.

A result names what came from a library by the library's path and the name in it: the linked datablock is used then.
All else is known by kind and name. So a result brings no library, and a second one brings nothing that is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from . import library_paths
from .name_of import name_of

COLLECTION_NAME = "Sendoff result"
#: What a result's file says of a datablock: its library and its name there, and the path of its own file.
LIBRARY, NAME, PATH = "sendoff_library", "sendoff_name", "sendoff_path"
#: And of an outer collection: the scene that its originals are in.
SCENE = "sendoff_scene"
#: What is always new: the levels themselves, and what holds them.
_OWN_KINDS = ("objects", "meshes", "collections", "scenes")
#: What belongs to a window or a tool, and to no result.
_NOT_SHARED = ("workspaces", "screens", "window_managers", "brushes", "palettes", "paint_curves", "libraries")

#: Replaced first, so that what only they use need not be: images, textures.
_USERS_FIRST = ("materials", "node_groups")
_OF_OTHERS = ("workspaces", "screens", "window_managers", "shape_keys")


class ImportFailed(Exception):
    """A result could not be brought into the scene; the text is a sentence for the artist."""


@dataclass(frozen=True)
class Appended:
    """What came in: outer collections that are in no scene yet, and every object in them."""

    collections: tuple[bpy.types.Collection, ...]
    objects: tuple[bpy.types.Object, ...]


def append(path: Path, *, folder: str = "") -> Appended:
    """Append what a result's file holds, without what only came along with it.

    A name that is taken is left to whom it belongs: what comes in gets a number. Raises ImportFailed.

    Args:
        path: The .blend.
        folder: What "//" meant in the file that was sent, "" if it was never saved.
    """
    before = _everything()
    try:
        with bpy.data.libraries.load(str(path), link=False) as (source, target):
            kinds = [kind for kind in before if hasattr(source, kind) and kind not in (*_OWN_KINDS, *_NOT_SHARED)]
            names = {kind: list(getattr(source, kind)) for kind in kinds}
            for kind in kinds:
                setattr(target, kind, list(names[kind]))
            target.collections = list(source.collections)
            if not source.collections:
                target.objects = list(source.objects)
    except (OSError, RuntimeError) as error:
        raise ImportFailed(
            f"The result {path.name} cannot be read by this Blender: {str(error).strip().splitlines()[0]}"
        ) from error
    collections = [collection for collection in target.collections if collection is not None]
    inner = {child for collection in collections for child in collection.children_recursive}
    outer = _held([one for one in collections if one not in inner], () if collections else target.objects or ())
    objects = dict.fromkeys(thing for holder in outer for thing in holder.all_objects)
    for kind in sorted(kinds, key=lambda kind: kind not in _USERS_FIRST):
        _use_own(kind, before, dict(zip(names[kind], getattr(target, kind))), objects, folder)  # noqa: B905
    _drop_unused(before, {*outer})
    _name_files(before, folder)
    return Appended(collections=tuple(outer), objects=tuple(objects))


def _held(outer: list[bpy.types.Collection], loose: Iterable[bpy.types.Object | None]) -> list[bpy.types.Collection]:
    """The outer collections as they are, if each goes into a scene of its own; else one around all of it."""
    if len(outer) == 1 or (outer and all(one.get(SCENE) is not None for one in outer)):
        return outer
    holder = bpy.data.collections.new(COLLECTION_NAME)
    for collection in outer:
        holder.children.link(collection)
    for thing in loose:
        if thing is not None:
            holder.objects.link(thing)
    return [holder]


def _everything() -> dict[str, set[bpy.types.ID]]:
    return {kind: set(getattr(bpy.data, kind)) for kind in _kinds()}


def _kinds() -> list[str]:
    """The names of all collections of datablocks; shape keys come and go with what they are of."""
    properties = bpy.types.BlendData.bl_rna.properties
    return [one.identifier for one in properties if one.type == "COLLECTION" and one.identifier not in _OF_OTHERS]


def _use_own(
    kind: str,
    before: dict[str, set[bpy.types.ID]],
    appended: dict[str, bpy.types.ID | None],
    objects: Iterable[bpy.types.Object],
    folder: str,
) -> None:
    """The artist's own datablocks are used, as they are now, instead of the copies."""
    there = before[kind]
    # A copy that an earlier result left, since nothing was linked then, is as good as the linked one.
    own = {_marked(block, folder): block for block in there if _is_marked(block)}
    own |= {(library_paths.of(block), name_of(block)): block for block in there if not _is_marked(block)}
    instead: dict[bpy.types.ID, bpy.types.ID] = {}
    for name, block in appended.items():
        if block is None or block in there:
            continue
        block.use_fake_user = False
        mine = own.get(_marked(block, folder) if _is_marked(block) else ("", name))
        if mine is not None and type(mine) is type(block):
            instead[block] = mine
    if kind == "materials":
        _put_into_slots(objects, instead)
    for block, mine in instead.items():
        if block.users:  # it looks through all of the file
            block.user_remap(mine)
    bpy.data.batch_remove({block for block in instead if not block.users})


def _put_into_slots(objects: Iterable[bpy.types.Object], instead: dict[bpy.types.ID, bpy.types.ID]) -> None:
    """Replace the materials of objects and their data: quicker by far than for each material of the file."""
    for data in {thing.data for thing in objects}:
        materials: Any = getattr(data, "materials", ())
        for number, material in enumerate(materials):
            if material in instead:
                materials[number] = instead[material]
    for thing in objects:
        for slot in thing.material_slots:
            mine = instead.get(slot.material) if slot.link == "OBJECT" and slot.material is not None else None
            if isinstance(mine, bpy.types.Material):
                slot.material = mine


def _is_marked(block: bpy.types.ID) -> bool:
    return block.library is None and isinstance(block.get(LIBRARY), str) and isinstance(block.get(NAME), str)


def _marked(block: bpy.types.ID, folder: str) -> tuple[str, str]:
    """The library that a copy was made from, as an absolute path, and its name there."""
    return library_paths.absolute(block[LIBRARY], folder), block[NAME]


def _drop_unused(before: dict[str, set[bpy.types.ID]], kept: set[bpy.types.ID]) -> None:
    """What came along and nobody uses goes again, with what only that used; what was there stays untouched."""
    for library in [one for one in bpy.data.libraries if one not in before["libraries"]]:
        bpy.data.libraries.remove(library)  # a result stands alone: this one is a path of another machine
    waiting = [block for kind in before for block in getattr(bpy.data, kind) if block not in before[kind]]
    waiting = [block for block in waiting if block not in kept]
    while True:
        unused = {block for block in waiting if block.users <= int(block.use_fake_user)}
        if not unused:
            return
        waiting = [block for block in waiting if block not in unused]
        bpy.data.batch_remove(unused)


def _name_files(before: dict[str, set[bpy.types.ID]], folder: str) -> None:
    """What stays and reads a file gets the artist's own path."""
    for kind, there in before.items():
        for block in getattr(bpy.data, kind):
            path = None if block in there else block.get(PATH)
            if isinstance(path, str) and hasattr(block, "filepath"):
                is_here = not path.startswith("//") or _is_open_folder(folder)
                block.filepath = path if is_here else library_paths.joined(path, folder)
                del block[PATH]


def _is_open_folder(folder: str) -> bool:
    """Whether "//" means the same folder in the open file."""
    here = library_paths.folder_of(bpy.data.filepath)
    return not folder or library_paths.absolute(here) == library_paths.absolute(folder)
