"""Which levels of detail belong together: those of one source at one place, the finest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from .contents import Part


def lod_groups(objects: Iterable[tuple[Any, Part]]) -> list[list[tuple[Any, Part]]]:
    """Sort levels into groups; instances of a source at other places are other groups.

    Args:
        objects: Blender's objects, each with what it is. Those that are no levels are left out.
    """
    by_place: dict[Any, dict[int, list[tuple[Any, Part]]]] = defaultdict(lambda: defaultdict(list))
    for one, part in objects:
        if part.kind == "lod" and part.level is not None:
            place = tuple(value for row in one.matrix_world for value in row)
            by_place[part.source, one.get("sendoff_library", ""), place][part.level].append((one, part))
    groups = []
    for levels in by_place.values():
        # Two sources of one name at one place: the first of each level belong together, and so on.
        for group in zip_longest(*(levels[level] for level in sorted(levels))):
            groups.append([member for member in group if member is not None])
    return groups
