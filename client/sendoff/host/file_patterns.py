"""One path that stands for many files: UDIM tiles and numbered frames."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from ..names import UDIM, UVTILE

_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)


def tile_name(name: str, number: int) -> str:
    """A tile's file name: 1002 is `paint.1002.png` for `<UDIM>` and `paint.u2_v1.png` for `<UVTILE>`."""
    if UVTILE in name:
        v, u = divmod(number - 1001, 10)
        return name.replace(UVTILE, f"u{u + 1}_v{v + 1}")
    return name.replace(UDIM, str(number))


def tiles(path: Path, numbers: Iterable[int]) -> list[Path]:
    """The files of an image's tiles, whether they are there or not.

    Before Blender 3.1 the path was that of the first tile, with its number in place of the token.
    """
    parts = split_number(path.name)
    if UDIM in path.name or UVTILE in path.name or parts is None:
        names = [tile_name(path.name, number) for number in sorted(numbers)]
    else:
        names = [f"{parts[0]}{number}{parts[2]}" for number in sorted(numbers)]
    return [path.with_name(name) for name in dict.fromkeys(names)]


def all_tiles(path: Path) -> list[Path]:
    """The files that are there for a path with `<UDIM>`; none if its folder cannot be read."""
    head, _, tail = path.name.partition(UDIM)
    pattern = re.compile(re.escape(head) + r"[12]\d{3}" + re.escape(tail))
    try:
        with os.scandir(path.parent) as entries:
            return sorted(path.with_name(entry.name) for entry in entries if pattern.fullmatch(entry.name))
    except OSError:
        return []


def split_number(name: str) -> tuple[str, str, str] | None:
    """What is before the number of a frame, the number, and what is behind it; None if there is none.

    The number is the last run of digits of the stem: a suffix such as `.jp2` has digits that count nothing.
    """
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    if suffix[1:].isdigit():
        stem, suffix = name, ""
    match = _NUMBERED.fullmatch(stem)
    return None if match is None else (match[1], match[2], match[3] + suffix)


def frames(path: Path, numbers: Collection[int] | None = None) -> list[Path]:
    """The files of a numbered sequence of which `path` is one: same folder, same name but for the number.

    The folder is listed once. Only the frames of `numbers` are given, if there are any; else all.
    """
    parts = split_number(path.name)
    if parts is None:
        return [path]
    head, _, tail = parts
    pattern = re.compile(re.escape(head) + r"(\d+)" + re.escape(tail))
    try:
        with os.scandir(path.parent) as entries:
            matches = [match for match in map(pattern.fullmatch, [entry.name for entry in entries]) if match]
    except OSError:
        return [path]
    names = [match[0] for match in matches if numbers is None or int(match[1]) in numbers or match[0] == path.name]
    return [path.with_name(name) for name in sorted(names)] or [path]
