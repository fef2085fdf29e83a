"""contents.json: what is in a result for an application that is not Blender, for whatever imports it there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .job import Job
from .origin import Origin

FILE_NAME, ROLE, VERSION = "contents.json", "contents", 1
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
