"""Mesh objects: which there are, and one value for the shape of each, to tell whether it changed meanwhile."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable

import maya.api.OpenMaya as om
from maya import cmds

from . import answers, names

#: More elements than this are told apart by their counts and box alone: reading them would keep the artist waiting.
_MOST_ELEMENTS = 2_000_000


def transforms() -> list[str]:
    """The DAG paths of all transforms with a mesh that is drawn."""
    shapes = answers.names(cmds.ls(type="mesh", long=True, noIntermediate=True))
    return list(dict.fromkeys(shape.rpartition("|")[0] for shape in shapes))


def under(paths: Iterable[str]) -> list[str]:
    """Those among and below some nodes."""
    roots = tuple(paths)
    return [path for path in transforms() if any(path == root or path.startswith(f"{root}|") for root in roots)]


def shape(path: str) -> str:
    """The mesh of a transform; "" where it has none."""
    found = answers.names(cmds.listRelatives(path, shapes=True, fullPath=True, noIntermediate=True, type="mesh"))
    return found[0] if found else ""


def fingerprints(paths: Iterable[str]) -> dict[str, str]:
    """A value for the shape of each of some transforms, by the prim that it becomes."""
    left = _MOST_ELEMENTS
    found: dict[str, str] = {}
    for path in paths:
        name = shape(path)
        if not name:
            continue
        mesh = _mesh(name)
        left -= mesh.numVertices + mesh.numFaceVertices
        found[names.prim_path(path)] = _fingerprint(mesh, deep=left >= 0)
    return found


def changed(before: dict[str, str], paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Which of the prims that were sent are gone now, and which have another shape, of those that are named."""
    there = {names.prim_path(path): path for path in transforms()}
    named = [name for name in dict.fromkeys(paths) if name in before]
    gone = [name for name in named if name not in there]
    now = fingerprints(there[name] for name in named if name in there)
    return gone, [name for name in named if name in now and _differs(now[name], before[name])]


def is_changed(path: str, sent: str | None) -> bool:
    """Whether a transform has another shape than the one that was sent; where that is not known, it has not."""
    now = fingerprints([path]).get(names.prim_path(path))
    return sent is not None and (now is None or _differs(now, sent))


def _differs(now: str, before: str) -> bool:
    """Whether two values are of different shapes; one of counts alone is compared by the counts."""
    shallow = min(now.count(":"), before.count(":"))
    return now.split(":")[: shallow + 1] != before.split(":")[: shallow + 1]


def _fingerprint(mesh: om.MFnMesh, *, deep: bool) -> str:
    counts = f"{mesh.numVertices}/{mesh.numPolygons}/{mesh.numFaceVertices}"
    if not deep:
        return counts
    faces, vertices = mesh.getVertices()
    digest = hashlib.sha256(array("i", faces).tobytes())
    digest.update(array("i", vertices).tobytes())
    digest.update(
        array("f", (value for point in mesh.getFloatPoints() for value in (point.x, point.y, point.z))).tobytes()
    )
    return f"{counts}:{digest.hexdigest()[:32]}"


def _mesh(name: str) -> om.MFnMesh:
    found = om.MSelectionList()
    found.add(name)
    return om.MFnMesh(found.getDagPath(0))
