"""What a check of a scene finds, and the two reports of it: one for programs, one to read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .mesh_arrays import column
from .origin import identity, is_mended

VERSION = 1
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that one check found on one object."""

    check: str
    """The check's name, for example ``ngons``."""
    severity: str
    """``error``: will break in most engines; ``warning``: probably not meant; ``info``: good to know."""
    object: str
    """The object's name, or the image's where no object is concerned."""
    library: str | None = None
    """The path of its library as the artist's scene has it; None for the scene's own. A name may be in both."""
    datablock: str = "object"
    """``object``, or ``image`` where no object is concerned."""
    message: str
    """One sentence for the artist."""
    element: str = ""
    """What the indices count: ``face``, ``edge`` or ``vertex``; empty where it is about the object as a whole."""
    indices: list[int] = field(default_factory=list)
    """Which of them, up to the asked limit; of the mesh as the artist edits it."""
    count: int = 1
    """How many there are, all counted."""
    vertex_pairs: list[list[int]] = field(default_factory=list)
    """Of edges, the two vertices of each: every application numbers edges in its own way."""


@dataclass
class Findings:
    """All findings of one scene."""

    max_listed: int
    """How many indices one finding lists."""
    library_path: Callable[[Any], str | None]
    """Tells the path of a datablock's library, as the artist's scene has it."""
    found: list[Finding] = field(default_factory=list)

    def add(self, check: str, severity: str, one: Any, message: str, **elements: Any) -> None:
        """Note something about an object (or an image) as a whole, or about some ``elements`` of it."""
        found = Finding(
            check=check,
            severity=severity,
            object=identity(one),
            library=self.library_path(one),
            datablock=one.id_type.lower(),
            message=message,
            **elements,
        )
        self.found.append(found)

    def add_elements(
        self, check: str, severity: str, one: Any, message: str, mask: np.ndarray, *, element: str
    ) -> None:
        """Note the elements that a mask marks; nothing where it marks none. ``{}`` in the message is their count."""
        count = int(np.count_nonzero(mask))
        if count:
            indices = np.flatnonzero(mask)[: self.max_listed]
            elements: dict[str, Any] = {"element": element, "indices": indices.tolist()}
            if is_mended(one):  # the numbers are not those of the artist's mesh
                elements = {}
            elif element == "edge":
                elements["vertex_pairs"] = column(one.data.edges, "vertices", np.int32, 2)[indices].tolist()
            self.add(check, severity, one, message.format(f"{count:,}"), count=count, **elements)

    def summary(self, objects: int) -> dict[str, Any]:
        """The counts: findings, objects, findings by check."""
        by_check = Counter(finding.check for finding in self.found)
        return {"findings": len(self.found), "objects": objects, "by_check": dict(sorted(by_check.items()))}

    def ordered(self) -> list[Finding]:
        """The worst first, then by object."""
        return sorted(self.found, key=lambda one: (SEVERITIES.index(one.severity), one.object, one.check))

    def as_json(self, objects: int, *, scene: str, scope: str | None) -> str:
        """The report for programs; ``scene`` is the file's name, ``scope`` says which part of it was checked."""
        document = {
            "version": VERSION,
            "scene": scene,
            "scope": scope,
            "findings": [asdict(finding) for finding in self.ordered()],
            "summary": self.summary(objects),
        }
        return json.dumps(document, indent=1)

    def as_text(self, title: str, objects: int, *, nothing: str) -> str:
        """The report to read; `nothing` is what it says if there are no objects."""
        lines = [title, "=" * len(title), ""]
        if not objects:
            lines.append(nothing)
        elif not self.found:
            lines.append(f"Nothing to mend on {counted(objects, 'mesh object')}.")
        else:
            lines.append(f"{counted(len(self.found), 'finding')} on {counted(objects, 'mesh object')}")
        for severity in SEVERITIES:
            of_it = [finding for finding in self.ordered() if finding.severity == severity]
            if of_it:
                lines += ["", f"{severity.capitalize()} ({len(of_it):,})"]
                lines += [f"  {one.object}: {one.message} [{one.check}]{_places(one)}" for one in of_it]
        return "\n".join(lines) + "\n"


def counted(count: int, what: str) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _places(finding: Finding, shown: int = 10) -> str:
    if not finding.indices:
        return ""
    rest = ", ..." if finding.count > shown or len(finding.indices) > shown else ""
    return " at " + ", ".join(map(str, finding.indices[:shown])) + rest
