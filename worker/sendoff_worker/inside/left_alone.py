"""Objects that belong to the making of a scene and are no part of it: cutters, widgets, hulls, former levels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import bpy

#: On an object that a job made: the original's name, and which level of detail it is.
SOURCE_PROPERTY, LEVEL_PROPERTY = "sendoff_source", "sendoff_level"
#: Types of objects that can have a surface.
SOLID = frozenset({"MESH", "CURVE", "SURFACE", "FONT", "META"})
#: How each reason is counted in the one line that tells of it: one, several.
WORDS = {
    "hidden": ("hidden object", "hidden objects"),
    "cutter": ("boolean cutter", "boolean cutters"),
    "wire": ("object displayed as wire or bounds", "objects displayed as wire or bounds"),
    "widget": ("rig widget", "rig widgets"),
    "hull": ("collision hull", "collision hulls"),
    "level": ("former level of detail", "former levels of detail"),
    "empty": ("object without faces", "objects without faces"),
    "other scene": ("object of another scene", "objects of other scenes"),
}
#: `Rock_LOD1`, `rock.lod1`, `RockLOD1`; not `Melod1`.
_LEVEL_NAME = re.compile(r"(.+?)(?:[_ .-](?i:lod)|(?<=[a-z0-9])LOD)[_ ]?(\d{1,2})(?:\.\d{3,})?")
#: Unreal's prefixes and Godot's suffixes.
_HULL_NAME = re.compile(r"(?:UCX|UBX|USP|UCP|MCDCX)_.+|.+-(?:col|convcol)only(?:\.\d{3,})?", re.IGNORECASE)
_WIDGET_NAME = re.compile(r"WGT[-_].+")


class LeftAlone:
    """Tells which objects of the open file are left alone, and why.

    Args:
        objects: What the artist asked for: "visible", "renderable" or "all". With "all", only the levels that an
            earlier job made are left alone.
    """

    def __init__(self, objects: str) -> None:
        self._objects = objects
        self._cutters = set() if objects == "all" else _cutters()
        self._widgets = set() if objects == "all" else _widgets()
        self._levels = set() if objects == "all" else former_levels(bpy.data.objects)

    def reason(self, one: Any) -> str:
        """A key of `WORDS`; "" for an object that is taken."""
        if is_own_level(one) or one in self._levels:
            return "level"
        if self._objects == "all":
            return ""
        is_wire = self._objects == "visible" and one.type in SOLID and one.display_type in {"WIRE", "BOUNDS"}
        reasons = {
            "widget": one in self._widgets or _WIDGET_NAME.match(one.name),
            "hull": _HULL_NAME.fullmatch(one.name),
            "cutter": one in self._cutters,
            "wire": is_wire,
        }
        return next((reason for reason, applies in reasons.items() if applies), "")


def is_own_level(one: Any) -> bool:
    """Whether the object is a level of detail that an earlier job brought into the scene; level 0 is an original."""
    return SOURCE_PROPERTY in one and LEVEL_PROPERTY in one and one[LEVEL_PROPERTY] != 0


def base_name(name: str) -> str:
    """The name that levels are named after: `Rock` for `Rock_LOD0`; other names stay as they are."""
    match = _LEVEL_NAME.fullmatch(name)
    return match[1] if match is not None and int(match[2]) == 0 else name


def former_levels(objects: Iterable[Any]) -> set[Any]:
    """Objects whose name says that they are a coarser level of another one that is there: `Rock_LOD2` of `Rock`."""
    by_library: dict[Any, list[Any]] = {}
    for one in objects:
        by_library.setdefault(one.library, []).append(one)
    found = set()
    for together in by_library.values():
        names = {one.name.casefold() for one in together}
        finest: dict[str, int] = {}
        levels: list[tuple[str, int, Any]] = []
        for one in together:
            match = _LEVEL_NAME.fullmatch(one.name)
            if match is not None:
                base, level = match[1].casefold(), int(match[2])
                levels.append((base, level, one))
                finest[base] = min(level, finest.get(base, level))
        found |= {one for base, level, one in levels if level > 0 and (base in names or finest[base] < level)}
    return found


def line(counts: dict[str, int]) -> str:
    """One sentence that says how many objects were left alone for each reason; "" if none was."""
    parts = [f"{counts[reason]:,} {words[counts[reason] > 1]}" for reason, words in WORDS.items() if counts.get(reason)]
    return f"Left alone: {', '.join(parts)}." if parts else ""


def _cutters() -> set[Any]:
    """The operands of boolean modifiers in use that only cut: what they cut is shown by the other object.

    What is joined, or cuts its own shape out, is a part of the scene as well, unless it is drawn or rendered in a way
    that says it is not.
    """
    found = set()
    for one in bpy.data.objects:
        for modifier in getattr(one, "modifiers", ()):
            if modifier.type != "BOOLEAN" or not (modifier.show_viewport or modifier.show_render) or _is_off(one):
                continue
            if modifier.operand_type == "COLLECTION":
                operands = set(modifier.collection.all_objects) - {one} if modifier.collection is not None else set()
            else:
                operands = {modifier.object} - {None}
            is_cut = modifier.operation == "DIFFERENCE"
            found |= {
                each for each in operands if is_cut or each.hide_render or each.display_type in {"WIRE", "BOUNDS"}
            }
    return found


def _is_off(one: Any) -> bool:
    """Whether an object is shown nowhere, so that its modifiers tell nothing of others."""
    return one.hide_viewport and one.hide_render


def _widgets() -> set[Any]:
    """The custom shapes of bones."""
    return {
        bone.custom_shape
        for one in bpy.data.objects
        if one.type == "ARMATURE" and one.pose is not None
        for bone in one.pose.bones
        if bone.custom_shape is not None
    }
