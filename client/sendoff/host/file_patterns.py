"""One path that stands for many files: UDIM tiles and numbered frames."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

UDIM, UVTILE = "<UDIM>", "<UVTILE>"
_DEVICES = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\.|$)", re.IGNORECASE)
_LONGEST_NAME_BYTES = 200


def tile_name(name: str, number: int) -> str:
    """A tile's file name: 1002 is `paint.1002.png` for `<UDIM>` and `paint.u2_v1.png` for `<UVTILE>`."""
    if UVTILE in name:
        v, u = divmod(number - 1001, 10)
        return name.replace(UVTILE, f"u{u + 1}_v{v + 1}")
    return name.replace(UDIM, str(number))


def tiles(path: Path, numbers: Iterable[int]) -> list[Path]:
    """The files of an image's tiles, whether they are there or not."""
    return [path.with_name(tile_name(path.name, number)) for number in sorted(numbers)]


def frames(path: Path) -> list[Path]:
    """The files of a numbered sequence of which `path` is one: same folder, same name but for the last number."""
    match = re.fullmatch(r"(.*?)(\d+)(\D*)", path.name)
    if match is None:
        return [path]
    head, _, tail = match.groups()
    pattern = re.compile(re.escape(head) + r"\d+" + re.escape(tail))
    try:
        names = [entry.name for entry in os.scandir(path.parent) if pattern.fullmatch(entry.name)]
    except OSError:
        return [path]
    return [path.with_name(name) for name in sorted(names)] or [path]


def safe_name(name: str) -> str:
    """A file's name as every system can store it; the tokens of tiles stay."""
    parts = re.split(f"({UDIM}|{UVTILE})", name)
    safe = "".join(part if part in (UDIM, UVTILE) else re.sub(r'[<>:"|?*\\/\x00-\x1f\x7f-\x9f]', "_", part)
                   for part in parts)  # fmt: skip
    safe = safe.encode("utf-8", "replace").decode("utf-8").rstrip(" .") or "_"
    if _DEVICES.match(safe):
        safe = f"_{safe}"
    stem, suffix = os.path.splitext(safe)  # noqa: PTH122 - a name, not a path
    while len((stem + suffix).encode()) > _LONGEST_NAME_BYTES and stem:
        stem = stem[1:]  # the end holds the number of the frame
    return stem + suffix
