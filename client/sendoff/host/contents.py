"""What is in a result's file: contents.json, which a worker writes beside USD and FBX. Nonsense in it is a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .jobs import Job
from .placement import MOST_LEVELS

ROLE = "contents"
VERSION = 1
#: "lod": a level of detail of its source; "collision": a collision hull of it; "uv": the source's own mesh with one UV
#: layer more; "object": anything else.
KINDS = ("lod", "collision", "uv", "object")
_MOST_BYTES = 64 * 1024 * 1024
_LONGEST_TEXT = 4096


@dataclass(frozen=True)
class Part:
    """One object of a result."""

    name: str
    #: Where it is in the file: the prim's path, or the node's name.
    path: str
    #: The object that was sent and that it was made of, as the file that was sent has it; "" for none.
    source: str = ""
    kind: str = "object"
    level: int | None = None
    #: The name of the UV layer that is new, where the kind is "uv".
    uv_layer: str = ""


@dataclass(frozen=True)
class Contents:
    """What could be read of it."""

    #: The file's name.
    file: str = ""
    parts: tuple[Part, ...] = ()
    #: Why it cannot be read, as a sentence; "" where it can.
    problem: str = ""


def contents_file(job: Job) -> Path | None:
    """The contents among a job's files, where there are some."""
    return next((file.path for file in job.files if file.role == ROLE and file.path.suffix == ".json"), None)


def read(path: Path) -> Contents:
    """Read a contents.json; never raises for what is in it, or for a file that is not there."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return Contents(problem=f"{path.name} is larger than {_MOST_BYTES >> 20} MB.")
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        return Contents(problem=f"{path.name} cannot be read in {path.parent}: {error.strerror or error}.")
    except (ValueError, RecursionError, MemoryError):
        return Contents(problem=f"{path.name} is damaged. Process the scene again.")
    entries = document.get("objects") if isinstance(document, dict) else None
    if not isinstance(entries, list) or document.get("version") != VERSION:
        return Contents(problem=f"{path.name} is not of version {VERSION}. Update Sendoff.")
    parts = tuple(part for entry in entries if (part := _part(entry)) is not None)
    return Contents(file=Path(_text(document.get("file"))).name, parts=parts)


def _part(entry: Any) -> Part | None:
    if not isinstance(entry, Mapping):
        return None
    name, path, source = (_text(entry.get(key)) for key in ("name", "path", "source"))
    if not name and not path:
        return None
    kind, level = _text(entry.get("kind")), entry.get("level")
    is_level = isinstance(level, int) and not isinstance(level, bool) and 0 <= level <= MOST_LEVELS
    return Part(
        name=name or path.rpartition("/")[2],
        path=path or name,
        source=source,
        kind=kind if kind in KINDS and (kind != "lod" or is_level) else "object",
        level=level if is_level else None,
        uv_layer=_text(entry.get("uv_layer")),
    )


def _text(value: Any) -> str:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else ""
