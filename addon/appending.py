"""A result's .blend appended: its objects as copies, the artist's own materials and images where they have the name."""

from __future__ import annotations

from pathlib import Path

import bpy

COLLECTION_NAME = "Sendoff result"
#: Kinds of datablocks of which the artist's own one is used where the result brings one of the same name.
_SHARED = ("materials", "images")
_COUNTED = ("materials", "node_groups", "textures", "images")


class ImportFailed(Exception):
    """A result could not be brought into the scene; the text is a sentence for the artist."""


def append(path: Path) -> bpy.types.Collection:
    """Append what a result's file holds; returns the collection around it, which is in no scene yet.

    A name that is taken is left to whom it belongs: what comes in gets a number. Raises ImportFailed.
    """
    before: dict[str, set[bpy.types.ID]] = {kind: set(getattr(bpy.data, kind)) for kind in (*_COUNTED, "libraries")}
    try:
        with bpy.data.libraries.load(str(path), link=False) as (source, target):
            names = {kind: list(getattr(source, kind)) for kind in _SHARED}
            for kind in _SHARED:
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
    outer = [collection for collection in collections if collection not in inner]
    if len(outer) == 1:
        holder: bpy.types.Collection = outer[0]
    else:
        holder = bpy.data.collections.new(COLLECTION_NAME)
        for collection in outer:
            holder.children.link(collection)
        for thing in target.objects or () if not collections else ():
            holder.objects.link(thing)
    for kind in _SHARED:
        _use_own(before[kind], dict(zip(names[kind], getattr(target, kind))))  # noqa: B905
    _drop_unused(before)
    return holder


def _use_own(own: set[bpy.types.ID], appended: dict[str, bpy.types.ID | None]) -> None:
    """The artist's materials and images are used, as they are now, in the place of copies by the same name."""
    by_name = {block.name: block for block in own if block.library is None}
    for name, block in appended.items():
        mine = by_name.get(name)
        if block is None or mine is None or block in own:
            continue
        block.user_remap(mine)
        block.use_fake_user = False


def _drop_unused(before: dict[str, set[bpy.types.ID]]) -> None:
    """What came along and nobody uses goes again; nothing that was there before is touched."""
    for kind in _COUNTED:
        blocks = getattr(bpy.data, kind)
        for block in [block for block in blocks if block not in before[kind] and not block.users]:
            blocks.remove(block)
    for library in [library for library in bpy.data.libraries if library not in before["libraries"]]:
        if not library.users_id:
            bpy.data.libraries.remove(library)
