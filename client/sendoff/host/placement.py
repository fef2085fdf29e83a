"""Where levels of detail stand beside their originals, as numbers: boxes in the world, and how far each level goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

BESIDE, OVER = "BESIDE", "OVER"
#: From one level to the next, in widths of what they are levels of.
STEP = 1.15
MOST_LEVELS = 64
#: What has hardly any width (a wall seen from its end) steps by this part of its largest side.
_LEAST_WIDTH = 0.01
_GRAZE = 0.05
#: A free place is looked for so many times as far as the levels are wide.
_FARTHEST = 10.0
Corner = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """A space along the world's axes: two opposite corners."""

    low: Corner
    high: Corner

    @classmethod
    def around(cls, boxes: Collection[Box]) -> Box:
        """The box around several."""
        return cls(
            _corner([min(box.low[axis] for box in boxes) for axis in range(3)]),
            _corner([max(box.high[axis] for box in boxes) for axis in range(3)]),
        )

    def shared(self, other: Box, axis: int) -> float:
        """How much both have in common along an axis; negative where there is space between them."""
        return min(self.high[axis], other.high[axis]) - max(self.low[axis], other.low[axis])

    def meets(self, other: Box) -> bool:
        """Whether they have space in common, or touch."""
        return all(self.shared(other, axis) >= 0.0 for axis in range(3))

    def is_beside(self, other: Box) -> bool:
        """Whether it would be met on the way along X by more than a graze, as by the floor that `other` stands on."""
        return not self.meets(other) and all(
            self.shared(other, axis) >= _GRAZE * (other.high[axis] - other.low[axis]) for axis in (1, 2)
        )

    @property
    def width(self) -> float:
        """Along X; for what has next to none, a part of its largest side."""
        size = [high - low for low, high in zip(self.low, self.high)]
        return max(size[0], _LEAST_WIDTH * max(size)) or 1.0


def offsets(originals: Collection[Box], levels: Iterable[int], obstacles: Iterable[Box]) -> dict[int, float]:
    """How far along X each level goes, so that all stand clear of the originals and of each other.

    A level's step is 1.15 times the width of all originals together, so that a car of twenty parts stays a car.
    Where something stands in the way, all go farther, unless that would be far.

    Args:
        originals: What they are levels of; none gives no way for any level.
        levels: Which levels there are, from 0 on.
        obstacles: What else there is.
    """
    wanted = sorted(set(levels))
    if not originals or not wanted:
        return dict.fromkeys(wanted, 0.0)
    whole = Box.around(originals)
    step = STEP * whole.width
    ahead = _way_ahead(whole, step, wanted[-1], [box for box in obstacles if box.is_beside(whole)])
    return {level: ahead + step * level for level in wanted}


def _way_ahead(whole: Box, step: float, levels: int, obstacles: list[Box]) -> float:
    """How far the first level goes beyond its step until all levels are clear; 0.0 where that is too far."""
    ahead, gap = 0.0, step - whole.width
    for box in sorted(obstacles, key=lambda box: box.low[0]):
        first, last = whole.low[0] + ahead + step, whole.high[0] + ahead + step * levels
        if box.low[0] < last and first < box.high[0]:
            ahead = box.high[0] + gap - whole.low[0] - step
    return ahead if ahead <= _FARTHEST * step * levels else 0.0


def _corner(values: list[float]) -> Corner:
    return values[0], values[1], values[2]
