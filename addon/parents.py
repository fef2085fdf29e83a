"""Levels of things that move get the parents of their originals."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
from mathutils import Matrix

from . import library_paths

_PARENT, _LIBRARY, _TYPE = "sendoff_parent", "sendoff_parent_library", "sendoff_parent_type"
_BONE, _INVERSE = "sendoff_parent_bone", "sendoff_parent_inverse"
_MATRIX_VALUES = 16


def restore(things: Iterable[bpy.types.Object], *, folder: str = "") -> None:
    """Give each object the parent that its result names; without one in the open file it stays where it is.

    An object in a result has no parent: its matrix there is the place in the world, and becomes the one under the
    parent, as the inverse that is named takes the parent's own place away.
    """
    named = {thing: source for thing in things if (source := _parent_of(thing, folder)) is not None}
    there = library_paths.objects(named.values())
    for thing, source in named.items():
        parent = there.get(source)
        if parent is not None and parent != thing:
            _attach(thing, parent)
        for key in (_PARENT, _LIBRARY, _TYPE, _BONE, _INVERSE):
            if thing.get(key) is not None:
                del thing[key]


def _parent_of(thing: bpy.types.Object, folder: str) -> tuple[str, str] | None:
    name, library = thing.get(_PARENT), thing.get(_LIBRARY)
    if not isinstance(name, str):
        return None
    return library_paths.absolute(library, folder) if isinstance(library, str) else "", name


def _attach(thing: bpy.types.Object, parent: bpy.types.Object) -> None:
    bone = thing.get(_BONE, "")
    is_bone = thing.get(_TYPE) == "BONE"
    inverse = list(thing.get(_INVERSE, ()))
    if len(inverse) != _MATRIX_VALUES:
        return
    if is_bone and not (isinstance(parent.data, bpy.types.Armature) and bone in parent.data.bones):
        return
    place = thing.matrix_basis.copy()
    thing.parent = parent
    thing.parent_type = "BONE" if is_bone else "OBJECT"
    thing.parent_bone = bone if is_bone else ""
    thing.matrix_parent_inverse = Matrix([inverse[row * 4 : row * 4 + 4] for row in range(4)])
    thing.matrix_basis = place
