"""Where levels of detail stand: beside their originals, or over them. Nothing but the levels themselves is moved."""

from __future__ import annotations

import math
from collections import defaultdict

import bpy
from mathutils import Vector

from . import library_paths
from .name_of import name_of
from .sendoff.host.placement import MOST_LEVELS, Box, offsets

SOURCE, LEVEL, LIBRARY = "sendoff_source", "sendoff_level", "sendoff_library"
#: A free place is looked for among so many objects.
_MOST_OBSTACLES = 5_000
_SOLID = {"MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "VOLUME", "GPENCIL", "GREASEPENCIL"}


def level_of(thing: bpy.types.Object) -> int | None:
    """Which level of detail an object of a result is; None where it is none."""
    level, source = thing.get(LEVEL), thing.get(SOURCE)
    return level if isinstance(level, int) and isinstance(source, str) and 0 <= level <= MOST_LEVELS else None


def source_of(thing: bpy.types.Object, folder: str = "") -> tuple[str, str]:
    """The original of a level: the absolute path of its library ("" for the file's own), and its name.

    `folder` is what "//" meant in the file that was sent.
    """
    library = thing.get(LIBRARY)
    return library_paths.absolute(library, folder) if isinstance(library, str) else "", str(thing[SOURCE])


def move_beside(
    things: list[bpy.types.Object], scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, *, folder: str = ""
) -> None:
    """Move the levels among some objects along the world's X, each level as one, clear of the originals.

    The objects must be in the view layer already. An original that is gone, or not to be seen, counts by its
    finest level, and one that stands at several places by the finest level at each.
    """
    levels = {thing: level for thing in things if (level := level_of(thing)) is not None}
    if not levels:
        return
    view_layer.update()
    originals = _originals(levels, scene, view_layer, folder)
    boxes = [found for found in (_box(thing) for thing in originals) if found is not None]
    if not boxes:
        return
    ways = offsets(boxes, levels.values(), _obstacles({*levels, *originals}, view_layer))
    offset_of = {thing: ways[level] for thing, level in levels.items()}
    for thing in levels:
        _shift(thing, offset_of[thing] - _carried(thing, offset_of))
    view_layer.update()


def _originals(
    levels: dict[bpy.types.Object, int], scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, folder: str
) -> list[bpy.types.Object]:
    """Per source the original, or in its place the finest level; of instances, the finest level of each."""
    by_source: dict[tuple[str, str], list[bpy.types.Object]] = defaultdict(list)
    for thing in levels:
        by_source[source_of(thing, folder)].append(thing)
    names = {name for _library, name in by_source}
    known = {(library_paths.of(thing), name_of(thing)): thing for thing in scene.objects if name_of(thing) in names}
    found = []
    for source, things in by_source.items():
        finest = min(levels[thing] for thing in things)
        places = [thing for thing in things if levels[thing] == finest]
        original = known.get(source)
        is_seen = original is not None and original not in levels and original.visible_get(view_layer=view_layer)
        found += [original] if original is not None and is_seen and len(places) == 1 else places
    return found


def _box(thing: bpy.types.Object) -> Box | None:
    """In the world, modifiers included; None where the object has no extent that can be told."""
    if thing.type not in _SOLID:
        return None
    corners = [thing.matrix_world @ Vector(corner) for corner in thing.bound_box]
    if not all(math.isfinite(value) for corner in corners for value in corner):
        return None
    points = [(corner.x, corner.y, corner.z) for corner in corners]
    return Box.around([Box(point, point) for point in points])


def _obstacles(own: set[bpy.types.Object], view_layer: bpy.types.ViewLayer) -> list[Box]:
    """What else is to be seen."""
    if len(view_layer.objects) > _MOST_OBSTACLES:
        return []
    others = [thing for thing in view_layer.objects if thing not in own and thing.visible_get(view_layer=view_layer)]
    return [found for found in (_box(thing) for thing in others) if found is not None]


def _carried(thing: bpy.types.Object, offsets: dict[bpy.types.Object, float]) -> float:
    """How far it is moved already, by a parent that is a level too."""
    parent, seen = thing.parent, {thing}
    while parent is not None and parent not in seen:
        if parent in offsets:
            return offsets[parent]
        seen.add(parent)
        parent = parent.parent
    return 0.0


def _shift(thing: bpy.types.Object, offset: float) -> None:
    way = Vector((offset, 0.0, 0.0))
    if thing.parent is not None:
        if thing.parent_type == "OBJECT":
            above = thing.parent.matrix_world @ thing.matrix_parent_inverse
        else:
            above = thing.matrix_world @ thing.matrix_basis.inverted_safe()
        way = above.to_3x3().inverted_safe() @ way
    thing.location += way
