"""Where levels of detail stand: beside their originals, or over them. Nothing but the levels themselves is moved."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import bpy
from mathutils import Vector

BESIDE, OVER = "BESIDE", "OVER"
SOURCE, LEVEL = "sendoff_source", "sendoff_level"
#: From one level to the next, in widths of what they are levels of.
STEP = 1.15
#: What has hardly any width (a wall seen from its end) steps by this part of its largest side.
_LEAST_WIDTH = 0.01
_GRAZE = 0.05
_MOST_LEVELS = 64
#: A free place is looked for so many times as far as the levels are wide, and among so many objects.
_FARTHEST = 10.0
_MOST_OBSTACLES = 5_000
_SOLID = {"MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "VOLUME", "GPENCIL", "GREASEPENCIL"}


@dataclass(frozen=True)
class Box:
    """A space along the world's axes: two opposite corners."""

    low: Vector
    high: Vector

    @classmethod
    def around(cls, boxes: list[Box]) -> Box:
        """The box around several."""
        return cls(
            Vector([min(box.low[axis] for box in boxes) for axis in range(3)]),
            Vector([max(box.high[axis] for box in boxes) for axis in range(3)]),
        )

    def shared(self, other: Box, axis: int) -> float:
        """How much both have in common along an axis; negative where there is space between them."""
        return float(min(self.high[axis], other.high[axis]) - max(self.low[axis], other.low[axis]))

    def meets(self, other: Box) -> bool:
        """Whether they have space in common, or touch."""
        return all(self.shared(other, axis) >= 0.0 for axis in range(3))

    def is_beside(self, other: Box) -> bool:
        """Whether it would be met on the way along X by more than a graze, as by the floor that `other` stands on."""
        return not self.meets(other) and all(
            self.shared(other, axis) >= _GRAZE * (other.high - other.low)[axis] for axis in (1, 2)
        )

    @property
    def width(self) -> float:
        """Along X; for what has next to none, a part of its largest side."""
        size = self.high - self.low
        return max(size.x, _LEAST_WIDTH * max(size)) or 1.0


def level_of(thing: bpy.types.Object) -> int | None:
    """Which level of detail an object of a result is; None where it is none."""
    level, source = thing.get(LEVEL), thing.get(SOURCE)
    return level if isinstance(level, int) and isinstance(source, str) and 0 <= level <= _MOST_LEVELS else None


def move_beside(things: list[bpy.types.Object], scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> None:
    """Move the levels among some objects along the world's X, each level as one, clear of the originals.

    A level's step is 1.15 times the width of all originals together, so that a car of twenty parts stays a car.
    The objects must be in the view layer already. An original that is gone, or not to be seen, counts by its
    finest level; where something stands in the way, all go farther, unless that would be far.
    """
    levels = {thing: level for thing in things if (level := level_of(thing)) is not None}
    if not levels:
        return
    view_layer.update()
    originals = _originals(levels, scene, view_layer)
    boxes = [found for found in (_box(thing) for thing in originals) if found is not None]
    if not boxes:
        return
    whole = Box.around(boxes)
    step = STEP * whole.width
    obstacles = _obstacles(whole, {*levels, *originals}, view_layer)
    ahead = _way_ahead(whole, step, max(levels.values()), obstacles)
    offsets = {thing: ahead + step * level for thing, level in levels.items()}
    for thing in levels:
        _shift(thing, offsets[thing] - _carried(thing, offsets))
    view_layer.update()


def _originals(
    levels: dict[bpy.types.Object, int], scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer
) -> list[bpy.types.Object]:
    """Per source the original, or in its place the finest level."""
    by_source: dict[str, list[bpy.types.Object]] = defaultdict(list)
    for thing in levels:
        by_source[thing[SOURCE]].append(thing)
    known = {thing.name: thing for thing in scene.objects if thing.library is not None}
    known.update({thing.name: thing for thing in scene.objects if thing.library is None})
    found = []
    for name, things in by_source.items():
        original = known.get(name)
        if original is None or original in levels or not original.visible_get(view_layer=view_layer):
            original = min(things, key=levels.__getitem__)
        found.append(original)
    return found


def _box(thing: bpy.types.Object) -> Box | None:
    """In the world, modifiers included; None where the object has no extent that can be told."""
    if thing.type not in _SOLID:
        return None
    corners = [thing.matrix_world @ Vector(corner) for corner in thing.bound_box]
    if not all(math.isfinite(value) for corner in corners for value in corner):
        return None
    return Box.around([Box(corner, corner) for corner in corners])


def _obstacles(whole: Box, own: set[bpy.types.Object], view_layer: bpy.types.ViewLayer) -> list[Box]:
    """What stands beside the originals; not what they stand on, or in."""
    if len(view_layer.objects) > _MOST_OBSTACLES:
        return []
    others = [thing for thing in view_layer.objects if thing not in own and thing.visible_get(view_layer=view_layer)]
    boxes = [found for found in (_box(thing) for thing in others) if found is not None]
    return [box for box in boxes if box.is_beside(whole)]


def _way_ahead(whole: Box, step: float, levels: int, obstacles: list[Box]) -> float:
    """How far the first level goes beyond its step until all levels are clear; 0.0 where that is too far."""
    ahead, gap = 0.0, step - whole.width
    for box in sorted(obstacles, key=lambda box: box.low.x):
        first, last = whole.low.x + ahead + step, whole.high.x + ahead + step * levels
        if box.low.x < last and first < box.high.x:
            ahead = box.high.x + gap - whole.low.x - step
    return ahead if ahead <= _FARTHEST * step * levels else 0.0


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
