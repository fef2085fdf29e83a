"""The elements that a check names, selected: faces and vertices by their numbers, edges by their two vertices."""

from __future__ import annotations

from collections.abc import Sequence

from maya import cmds

from . import answers, meshes, names, results
from .scene_state import select
from .sendoff.host.findings import Finding

_COMPONENTS = {"face": "f", "vertex": "vtx"}
#: More are not selected: Maya would take minutes.
_MOST = 20_000


def select_finding(finding: Finding, *, sent: str | None = None) -> str:
    """Select what a finding is about. Returns a sentence where that cannot be, or not all of it, "" otherwise.

    Args:
        finding: What was found.
        sent: The mesh's value as it was sent (see `meshes.fingerprints`): elements are those of that shape.
    """
    path = results.original_of(finding.object)
    if not path:
        return f"“{names.leaf(finding.object)}” is not in the scene any more"
    if not finding.element or not finding.indices:
        select([path])
        return ""
    if meshes.is_changed(path, sent):
        select([path])
        return f"“{names.leaf(path)}” was changed since it was sent, so its elements cannot be told any more"
    found = _components(path, finding)
    if not found:
        select([path])
        return f"The elements are not there any more: “{names.leaf(path)}” as a whole is selected"
    cmds.select(*found, replace=True)
    left_out = len(finding.indices) - _MOST
    return f"The first {_MOST:,} are selected; {left_out:,} more are left out" if left_out > 0 else ""


def _components(path: str, finding: Finding) -> list[str]:
    shape = meshes.shape(path)
    if not shape:
        return []
    if finding.element == "edge":
        return _edges(path, finding.vertex_pairs[:_MOST])
    is_face = finding.element == "face"
    count = answers.numbers(cmds.polyEvaluate(shape, face=True) if is_face else cmds.polyEvaluate(shape, vertex=True))[
        0
    ]
    there = [index for index in finding.indices[:_MOST] if index < count]
    return [f"{path}.{_COMPONENTS[finding.element]}[{first}:{last}]" for first, last in _runs(there)]


def _edges(path: str, pairs: Sequence[tuple[int, int]]) -> list[str]:
    """Maya numbers edges in its own way: an edge is found between its two vertices."""
    found: list[str] = []
    for first, second in pairs:
        ends = [f"{path}.vtx[{first}]", f"{path}.vtx[{second}]"]
        found += answers.names(cmds.polyListComponentConversion(*ends, fromVertex=True, toEdge=True, internal=True))
    return found


def _runs(indices: Sequence[int]) -> list[tuple[int, int]]:
    """Numbers as runs from one to another, which Maya selects faster than single ones."""
    runs: list[tuple[int, int]] = []
    for index in sorted(set(indices)):
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs
