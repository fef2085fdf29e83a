"""The levels of detail that came back, measured inside Blender in the same way as the scene."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from surfaces import Shown, absolute, custom_properties, surface_of


@dataclass(kw_only=True)
class Level:
    """One level of detail at one place."""

    object_name: str
    source: str
    """Whose level it is, as the result says."""
    library: str | None
    """The library of the source as the result says; None if it says nothing."""
    number: int
    shown: Shown
    scenes: tuple[str, ...]
    bone: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    mesh_properties: dict[str, Any] = field(default_factory=dict)


def levels_among(objects: Iterable[bpy.types.Object], *, with_originals: bool = False) -> list[Level]:
    """The levels among some objects, as the open file shows them; with the originals, which are level 0, if asked."""
    surfaces: dict[tuple[str, tuple[Any, ...]], Any] = {}
    found = []
    for one in objects:
        if "sendoff_source" not in one or "sendoff_level" not in one or one.type != "MESH":
            continue
        if not int(one["sendoff_level"]) and not with_originals:
            continue
        slots = [slot.material for slot in one.material_slots]
        key = (one.data.name_full, tuple(slots))
        if key not in surfaces:
            surfaces[key] = surface_of(one.data, slots)
        library = one.get("sendoff_library")
        shown = Shown(
            name=one.name, library="", instancer="", matrix=np.array(one.matrix_world, np.float64),
            surface=surfaces[key], parent=parent_of(one), properties=custom_properties(one),
        )  # fmt: skip
        found.append(
            Level(
                object_name=one.name,
                source=str(one["sendoff_source"]),
                library=None if library is None else absolute(str(library)),
                number=int(one["sendoff_level"]),
                shown=shown,
                scenes=tuple(scene.name for scene in bpy.data.scenes if one.name in scene.objects),
                bone=bone_of(one),
                properties=custom_properties(one),
                mesh_properties=custom_properties(one.data),
            )
        )
    return found


def parent_of(one: bpy.types.Object) -> str:
    """The parent's name, also as a result file states it that holds no parent."""
    if one.parent is not None:
        return str(one.parent.name)
    return str(one.get("sendoff_parent", ""))


def bone_of(one: bpy.types.Object) -> str:
    """The parent bone, also as a result file states it."""
    if one.parent is not None:
        return str(one.parent_bone) if one.parent_type == "BONE" else ""
    return str(one.get("sendoff_parent_bone", "")) if one.get("sendoff_parent_type") == "BONE" else ""
