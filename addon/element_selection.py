"""Faces, edges or vertices selected by their numbers in Edit Mode, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import bmesh
import bpy

_MODES = {"vertex": (True, False, False), "edge": (False, True, False), "face": (False, False, True)}
_KINDS = {"vertex": "verts", "edge": "edges", "face": "faces"}
_BMESH_MODES: Mapping[str, Literal["VERT", "EDGE", "FACE"]] = {"vertex": "VERT", "edge": "EDGE", "face": "FACE"}


@dataclass(frozen=True)
class Selected:
    """What became of the numbers that were asked for."""

    count: int
    #: The mesh has no such element any more.
    beyond: int
    #: Hidden in Edit Mode, and so not selected.
    hidden: int


def select(thing: bpy.types.Object, element: str, indices: Sequence[int], context: bpy.types.Context) -> Selected:
    """Select these elements of an object in Edit Mode; all else is deselected, in every object that is edited.

    Args:
        thing: A mesh object in Edit Mode.
        element: "face", "edge" or "vertex"; the select mode becomes that one.
        indices: Numbers of elements, of the mesh as it is edited.
        context: The artist's.
    """
    assert isinstance(thing.data, bpy.types.Mesh)
    bpy.ops.mesh.select_all(action="DESELECT")
    # Not `context.tool_settings`: to read that leaves a pointer to the scene in the context of Blender 4.2, and the
    # next change through the context, after another file was opened, would go to a scene that is no more.
    context.scene.tool_settings.mesh_select_mode = _MODES[element]
    mesh = bmesh.from_edit_mesh(thing.data)
    mesh.select_mode = {_BMESH_MODES[element]}
    elements = getattr(mesh, _KINDS[element])
    elements.ensure_lookup_table()
    there = len(elements)
    asked = set(indices)
    found = [elements[index] for index in asked if index < there]
    shown = [one for one in found if not one.hide]
    for one in shown:
        one.select_set(True)
    mesh.select_flush_mode()
    bmesh.update_edit_mesh(thing.data, loop_triangles=False, destructive=False)
    return Selected(count=len(shown), beyond=len(asked) - len(found), hidden=len(found) - len(shown))
