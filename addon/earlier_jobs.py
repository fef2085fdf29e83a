"""Jobs that an earlier version of the add-on kept apart for each series of Blender, taken up into the common folder.

A Blender that still runs keeps its jobs, by its lock in the old folder.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import bpy

from .sendoff.host.instance import is_locked

_JOBS, _INSTANCES = "jobs", "instances"
_SENT = ".sent.json"


def take_up(folder: Path) -> int:
    """Move jobs of all series into a folder; returns how many. What cannot be moved stays where it is."""
    count = 0
    for old in _old_folders():
        for path in sorted((old / _JOBS).glob("*.json")):
            if path.name.endswith(_SENT) or is_locked(old / _INSTANCES, _keeper(path)):
                continue
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                sent = path.with_name(path.name.removesuffix(".json") + _SENT)
                for one in (sent, path):  # a job without what was sent would count as not sent
                    if one.is_file() and not (folder / one.name).exists():
                        shutil.move(one, folder / one.name)
                count += 1
    return count


def _keeper(path: Path) -> str:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return str(data.get("keeper") or "")
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""


def _old_folders() -> Iterator[Path]:
    """The add-on's own folder of this user in this series, and in each other one beside it."""
    own = Path(bpy.utils.extension_path_user(__package__, create=False))
    if own.is_dir():
        yield own
    root = Path(bpy.utils.resource_path("USER"))
    series = f"{bpy.app.version[0]}.{bpy.app.version[1]}"
    if root.name != series:  # a folder of the studio's choice has no series beside it
        return
    name = __package__.rpartition(".")[2]
    for other in sorted(root.parent.glob("[0-9]*.[0-9]*")):
        if other != root:
            yield from sorted(other.glob(f"extensions/.user/*/{name}"))
