"""contents.json: what is in a result for an application that is not Blender, for whatever imports it there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from .job import Job
from .origin import Origin

FILE_NAME, ROLE, VERSION = "contents.json", "contents", 1
#: Custom properties with this start are Sendoff's own. Those that a result tells in every format:
PRIVATE, TOLD = "sendoff_", ("sendoff_source", "sendoff_level", "sendoff_library")
KINDS = ("lod", "collision", "uv", "object")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One object of a result."""

    name: str
    """As it is named in the file."""
    path: str
    """Where it is in the file: the prim's path, or the node's name."""
    source: str
    """What it was made of, as the file that was sent has it (see `origin.identity`)."""
    kind: str = "object"
    """``lod``: a level of detail of its source. ``collision``: a hull of it, which is not rendered. ``uv``: the
    source's own mesh, unchanged, with one UV layer more, which goes onto the source. ``object``: anything else."""
    level: int | None = None
    """Of a level of detail: which."""
    triangles: int = 0
    uv_layer: str = ""
    """Of the kind ``uv``: the layer's name."""


@dataclass
class Contents:
    """All objects of one file; `write` hands it in beside the file."""

    file: str
    origin: Origin
    parts: list[Part] = field(default_factory=list)

    def add(self, part: Part) -> None:
        """One more object. Raises ValueError for a kind that nobody would know."""
        if part.kind not in KINDS:
            raise ValueError(f"{part.kind!r} is none of {', '.join(KINDS)}")
        self.parts.append(part)

    def write(self, job: Job) -> None:
        """Write the file into the job's folder and hand it in."""
        document: dict[str, Any] = {
            "version": VERSION,
            "file": self.file,
            "meters_per_unit": self.origin.metres_per_unit,
            "up_axis": self.origin.up_axis,
            "objects": [asdict(part) for part in self.parts],
        }
        path = job.folder / FILE_NAME
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        job.add_file(path, role=ROLE, media_type="application/json")


def is_told(name: str) -> bool:
    """Whether a custom property is for other eyes than ours."""
    return not name.startswith(PRIVATE) or name in TOLD


def own_properties(block: Any) -> dict[str, Any]:
    """The artist's custom properties of a datablock that every format can hold, as plain values."""
    found: dict[str, Any] = {}
    for name in block.keys():  # noqa: SIM118 - a datablock is no mapping
        value = block[name]
        if hasattr(value, "to_list"):
            value = value.to_list()
        is_numbers = isinstance(value, list) and all(isinstance(part, (bool, int, float)) for part in value)
        if not name.startswith(PRIVATE) and (is_numbers or isinstance(value, (bool, int, float, str))):
            found[name] = value
    return found


@contextmanager
def without_private(blocks: Iterable[Any]) -> Iterator[None]:
    """Take Sendoff's own properties off datablocks for the length of a `with` block."""
    taken: list[tuple[Any, str, Any]] = []
    for block in blocks:
        for name in [name for name in block.keys() if not is_told(name)]:  # noqa: SIM118
            value = block[name]
            taken.append((block, name, value.to_list() if hasattr(value, "to_list") else value))
            del block[name]
    try:
        yield
    finally:
        for block, name, value in taken:
            block[name] = value
