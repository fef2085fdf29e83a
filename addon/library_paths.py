"""Libraries by the file that they are, not by the text of their path."""

from __future__ import annotations

import os
from collections.abc import Iterable

import bpy

from .name_of import name_of


def absolute(path: str, folder: str = "") -> str:
    """A library's path as one text for one file; `folder` is what "//" means, the open file's if it is empty.

    Looks at no disk: a share may be away.
    """
    if not path:
        return ""
    return os.path.normcase(os.path.normpath(bpy.path.abspath(joined(path, folder))))


def joined(path: str, folder: str) -> str:
    """A path with "//" replaced by that folder, if there is one."""
    if path.startswith("//") and folder:
        return os.path.join(folder, path[2:])  # noqa: PTH118 - a text, with Blender's own separators
    return path


def of(block: bpy.types.ID) -> str:
    """The absolute path of the library that a datablock comes from; "" if it is the open file's own."""
    return "" if block.library is None else absolute(block.library.filepath)


def folder_of(source_path: str) -> str:
    """The folder that "//" meant in a file that was sent; "" if it was never saved."""
    return os.path.dirname(source_path)  # noqa: PTH120 - a text


def every() -> dict[bpy.types.Library | None, str]:
    """The absolute path of each library; "" for none: to look at many datablocks."""
    return {None: "", **{library: absolute(library.filepath) for library in bpy.data.libraries}}


def objects(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bpy.types.Object]:
    """Objects by the absolute path of their library ("" for none) and their name; those that are there."""
    asked = set(wanted)
    found: dict[tuple[str, str], bpy.types.Object | None] = {}
    found |= {(library, name): bpy.data.objects.get((name, None)) for library, name in asked if not library}
    names = {name for library, name in asked if library}
    if names:
        paths = every()
        linked = (one for one in bpy.data.objects if one.library is not None and name_of(one) in names)
        found |= {(paths[one.library], name_of(one)): one for one in linked}
    return {key: one for key, one in found.items() if one is not None and key in asked}
