"""Commands on meshes."""

from __future__ import annotations

import re
from typing import Any

from . import shapes
from .model import Mesh
from .naming import mesh_of, open_scene, short
from .registry import command


@command()
def polyEvaluate(_mode: str, name: str, **flags: Any) -> Any:
    """How many vertices, faces, triangles or edges a mesh has."""
    mesh = mesh_of(name)
    if flags.get("vertex"):
        return len(mesh.points)
    if flags.get("face"):
        return len(mesh.counts)
    if flags.get("triangle"):
        return sum(count - 2 for count in mesh.counts)
    if flags.get("edge"):
        return len(mesh.edges())
    return {"vertex": len(mesh.points), "face": len(mesh.counts)}


@command(undoable=True)
def polyCube(_mode: str, **flags: Any) -> list[str]:
    """A box."""
    size = (flags.get("width", 1.0), flags.get("height", 1.0), flags.get("depth", 1.0))
    return _poly("pCube1", "polyCube1", shapes.cube(size), flags)


@command(undoable=True)
def polySphere(_mode: str, **flags: Any) -> list[str]:
    """A ball."""
    around, along = int(flags.get("subdivisionsX", 20)), int(flags.get("subdivisionsY", 20))
    return _poly("pSphere1", "polySphere1", shapes.sphere(flags.get("radius", 1.0), around, along), flags)


@command(undoable=True)
def polyPlane(_mode: str, **flags: Any) -> list[str]:
    """A grid."""
    size = (flags.get("width", 1.0), flags.get("height", 1.0))
    across, along = int(flags.get("subdivisionsX", 10)), int(flags.get("subdivisionsY", 10))
    return _poly("pPlane1", "polyPlane1", shapes.plane(size, across, along), flags)


@command(undoable=True)
def polyUVSet(mode: str, *names: str, **flags: Any) -> Any:
    """The UV sets of a mesh."""
    mesh = mesh_of(names[0])
    if mode == "query" and flags.get("allUVSets"):
        return list(mesh.uv_sets)
    if flags.get("create"):
        if flags["uvSet"] in mesh.uv_sets:
            raise RuntimeError(f"UV set {flags['uvSet']} exists already")
        mesh.uv_sets[flags["uvSet"]] = ([], [], [0] * len(mesh.counts), [])
        open_scene().is_modified = True
    return None


@command(undoable=True)
def transferAttributes(_mode: str, source: str, target: str, **flags: Any) -> list[str]:
    """UVs of one mesh onto another; by components, where the sample space says so."""
    given, taking = mesh_of(source), mesh_of(target)
    if flags.get("transferUVs") != 1 or flags.get("sampleSpace") != 4:
        raise NotImplementedError("transferAttributes: one UV set by components only")
    if given.counts != taking.counts:
        raise RuntimeError("The meshes have not the same components")
    taking.uv_sets[flags["targetUvSet"]] = given.uv_sets[flags["sourceUvSet"]]
    open_scene().one(target).has_history = True
    open_scene().is_modified = True
    return ["transferAttributes1"]


@command(undoable=True)
def bakePartialHistory(_mode: str, *names: str, **_flags: Any) -> None:
    """Make history part of the shape."""
    for name in names:
        open_scene().one(name).has_history = False


@command()
def polyListComponentConversion(_mode: str, *names: str, **flags: Any) -> list[str]:
    """From vertices to the edges between them."""
    if not (flags.get("fromVertex") and flags.get("toEdge") and flags.get("internal")):
        raise NotImplementedError("polyListComponentConversion: from vertices to the edges between them only")
    by_node: dict[str, set[int]] = {}
    for name in names:
        match = re.fullmatch(r"(.+)\.vtx\[(\d+)\]", name)
        if match is None:
            raise ValueError(f"No object matches name: {name}")
        by_node.setdefault(match[1], set()).add(int(match[2]))
    found = []
    for name, vertices in by_node.items():
        edges = mesh_of(name).edges()
        found += [f"{name}.e[{index}]" for index, pair in enumerate(edges) if set(pair) <= vertices]
    return found


def _poly(name: str, history: str, mesh: Mesh, flags: dict[str, Any]) -> list[str]:
    scene = open_scene()
    transform = scene.create("transform", flags.get("name", name))
    shape = scene.create("mesh", f"{transform.name}Shape", parent=transform)
    shape.mesh = mesh
    scene.one("initialShadingGroup").members.append(shape.path)
    scene.content.selected = [transform.path]
    return [short(transform), history]
