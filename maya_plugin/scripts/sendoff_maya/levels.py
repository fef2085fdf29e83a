"""Levels of detail in the scene: beside their originals or over them, in a `lodGroup` where the artist wants one."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

from maya import cmds

from . import answers, attributes, names
from .sendoff.host.placement import BESIDE, OVER, Box, offsets

__all__ = ["BESIDE", "OVER", "Levels"]

#: The finest level is shown up to so many times the size of the whole; each coarser one three times as far.
_FIRST_DISTANCE, _FARTHER = 4.0, 3.0
#: A free place is looked for among so many objects.
_MOST_OBSTACLES = 5_000


class Levels:
    """The levels of one result.

    Args:
        levels: Each level's DAG path with its number and the DAG path of its original ("" where that is gone).
    """

    def __init__(self, levels: Mapping[str, tuple[int, str]]) -> None:
        self._level = {path: level for path, (level, _) in levels.items()}
        self._original = {path: original for path, (_, original) in levels.items()}

    @property
    def has_originals(self) -> bool:
        """Whether what they were made of is in the scene."""
        return any(self._original.values())

    def move_beside(self, others: Iterable[str]) -> None:
        """Move each level along the world's X, clear of the originals; `others`: the scene's meshes besides."""
        if not self._level:
            return
        stand_ins: dict[str, None] = {}
        for path, original in self._original.items():
            stand_ins[original or path] = None
        obstacles = [path for path in others if path not in stand_ins]
        ways = offsets(
            [_box(path) for path in stand_ins],
            self._level.values(),
            [_box(path) for path in obstacles] if len(obstacles) <= _MOST_OBSTACLES else [],
        )
        for path, level in self._level.items():
            cmds.move(ways[level], 0.0, 0.0, path, relative=True, worldSpace=True)

    def group(self, holder: str) -> str:
        """Put them into a `lodGroup` below the group that they came in, the finest first; returns its DAG path."""
        if not self._level:
            return ""
        by_level: dict[int, list[str]] = defaultdict(list)
        for path, level in self._level.items():
            by_level[level].append(path)
        made = answers.text(cmds.createNode("lodGroup", name=f"{names.leaf(holder)}_LOD", parent=holder))
        group = answers.names(cmds.ls(made, long=True))[0]
        size = max(high - low for low, high in zip(*_corners(self._level)))  # noqa: B905
        for index, level in enumerate(sorted(by_level)):
            child = answers.text(cmds.group(*by_level[level], name=f"LOD{level}", parent=group))
            child = answers.names(cmds.ls(child, long=True))[0]
            cmds.connectAttr(f"{group}.output[{index}]", f"{child}.lodVisibility")
            if index:
                distance = size * _FIRST_DISTANCE * _FARTHER ** (index - 1)
                attributes.set_number(f"{group}.threshold[{index - 1}]", distance)
        with contextlib.suppress(RuntimeError):  # without a camera it is shown by hand
            cmds.connectAttr("persp.worldMatrix[0]", f"{group}.cameraMatrix")
        return group


def _corners(paths: Iterable[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    box = Box.around([_box(path) for path in paths])
    return box.low, box.high


def _box(path: str) -> Box:
    found = answers.numbers(cmds.exactWorldBoundingBox(path))
    return Box((found[0], found[1], found[2]), (found[3], found[4], found[5]))
