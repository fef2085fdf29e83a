"""The report of a check, read into plain values; nonsense in it is a sentence, never an error."""

from __future__ import annotations

import array
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .jobs import Job

SEVERITIES = ("error", "warning", "info")
ELEMENTS = ("face", "edge", "vertex")
#: More of a report is not read: it would take the artist's time, and nobody works through it.
MOST_BYTES = 64 * 1024 * 1024
MOST_FINDINGS = 10_000
MOST_INDICES = 100_000
_LARGEST_INDEX = 2**31 - 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_NAME, _LONGEST_MESSAGE = 255, 500
#: What the indices count, where an older worker does not say.
_ELEMENT_OF_CHECK = {
    "non_manifold_edges": "edge",
    "loose_vertices": "vertex",
    "ngons": "face",
    "zero_area_faces": "face",
    "flipped_uvs": "face",
}


@dataclass(frozen=True)
class Finding:
    """One thing that one check found on one object."""

    check: str
    #: "error", "warning" or "info".
    severity: str
    object: str
    message: str
    #: What the indices count: "face", "edge" or "vertex"; "" where it is about the object as a whole.
    element: str = ""
    indices: Sequence[int] = ()
    #: Of edges, the two vertices of each: hosts number edges in ways of their own. Empty where the worker is older.
    vertex_pairs: Sequence[tuple[int, int]] = ()
    #: How many there are; the report may list fewer.
    count: int = 1
    #: The path of the library that the object is in; "" for the file's own.
    library: str = ""
    #: Whether it is about an image, and no object is concerned.
    is_image: bool = False


@dataclass(frozen=True)
class Report:
    """What could be read of a report."""

    findings: tuple[Finding, ...] = ()
    #: How many more the report holds.
    left_out: int = 0
    #: Why it cannot be read, as a sentence; "" where it can.
    problem: str = ""

    @property
    def summary(self) -> str:
        """In a few words, for the status bar."""
        count = len(self.findings) + self.left_out
        if not count:
            return "nothing to mend was found"
        by_severity = Counter(finding.severity for finding in self.findings)
        kinds = [
            f"{by_severity[severity]:,} {severity}{'' if by_severity[severity] == 1 else 's'}"
            for severity in SEVERITIES[:2]
            if by_severity[severity]
        ]
        among = f", {' and '.join(kinds)} among them" if kinds else ""
        return f"{count:,} finding{'' if count == 1 else 's'}{among}"


def report_file(job: Job) -> Path | None:
    """The report for programs among a job's files, where there is one."""
    return next((file.path for file in job.files if file.role == "report" and file.path.suffix == ".json"), None)


def read(path: Path) -> Report:
    """Read a report.json; never raises for what is in it, or for a file that is not there."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return Report(problem=f"{path.name} is larger than {MOST_BYTES >> 20} MB. Read it in {path.parent}.")
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        return Report(problem=f"{path.name} cannot be read in {path.parent}: {error.strerror or error}.")
    except (ValueError, RecursionError, MemoryError):
        return Report(problem=f"{path.name} is damaged. Process the scene again.")
    entries = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return Report(problem=f"{path.name} is no report of a check. It lies in {path.parent}.")
    found = [finding for entry in entries[:MOST_FINDINGS] if (finding := _finding(entry)) is not None]
    return Report(findings=tuple(found), left_out=max(0, len(entries) - MOST_FINDINGS))


def _finding(entry: Any) -> Finding | None:
    """One entry; None where nothing in it could be shown."""
    if not isinstance(entry, Mapping):
        return None
    message = _text(entry.get("message"), _LONGEST_MESSAGE)
    check, name = (_text(entry.get(key), _LONGEST_NAME) for key in ("check", "object"))
    if not message and not check:
        return None
    indices = _indices(entry.get("indices"))
    element = entry.get("element")
    if not isinstance(element, str) or element not in ELEMENTS:
        element = _ELEMENT_OF_CHECK.get(check, "")
    count: Any = entry.get("count")
    return Finding(
        check=check,
        severity=entry["severity"] if entry.get("severity") in SEVERITIES else "info",
        object=name,
        message=message or check,
        element=element if indices else "",
        indices=indices if element else (),
        vertex_pairs=_pairs(entry.get("vertex_pairs")) if element == "edge" else (),
        count=max(count if _is_index(count) else 1, len(indices)),
        library=_text(entry.get("library"), 4 * _LONGEST_NAME),
        is_image=entry.get("datablock") == "image",
    )


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_INDEX


def _indices(value: Any) -> tuple[int, ...]:
    """The numbers of elements in a list; what is none is left out."""
    if not isinstance(value, list):
        return ()
    listed = value[:MOST_INDICES]
    try:
        found = tuple(array.array("i", listed))  # at once: a report holds a million of them
    except (TypeError, OverflowError):
        return tuple(index for index in listed if _is_index(index))
    return tuple(index for index in found if index >= 0) if found and min(found) < 0 else found


def _pairs(value: Any) -> tuple[tuple[int, int], ...]:
    """The pairs of vertices in a list; what is none is left out."""
    listed = value[:MOST_INDICES] if isinstance(value, list) else []
    return tuple(
        (pair[0], pair[1])
        for pair in listed
        if isinstance(pair, list) and len(pair) == 2 and all(_is_index(one) for one in pair)
    )


def _text(value: Any, longest: int) -> str:
    """A line of text without control characters; "" for anything else."""
    return _CONTROL.sub(" ", value[:longest]).encode("utf-8", "replace").decode() if isinstance(value, str) else ""
