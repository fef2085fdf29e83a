"""All data of the open file as plain values, datablock by datablock, to compare it before and after something."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import bpy

#: State of this moment that no file holds, and that reading alone may change: (type, property).
RUNTIME = {
    ("*", "rna_type"),
    ("*", "original"),  # the datablock itself
    ("ID", "is_evaluated"),
    ("ViewLayer", "depsgraph"),  # what was evaluated, made from the rest
    ("ID", "is_library_indirect"),  # worked out again by each save from who uses what
    ("ToolSettings", "uv_sculpt"),  # Blender 4.2 crashes if its brush is read
    ("WindowManager", "clipboard"),
    ("Attribute", "storage_type"),  # one value for all elements (Blender 5.2): to read them makes them many
}
#: Kinds of the interface: their own values are compared, not those of regions, which nothing draws here.
_INTERFACE = {"window_managers", "workspaces", "screens"}
_DEPTH = 40


def snapshot() -> dict[str, Any]:
    """{kind/name/library: {path of the property: value}} of every datablock, and of the file itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a property that goes in a later Blender is data all the same
        return _snapshot()


def _snapshot() -> dict[str, Any]:
    found: dict[str, Any] = {
        "file": {
            "filepath": bpy.data.filepath,
            "is_dirty": bpy.data.is_dirty,
            "use_autopack": bpy.data.use_autopack,
            "preferences are dirty": bpy.context.preferences.is_dirty,
            "mode": bpy.context.mode,
        }
    }
    for kind in bpy.types.BlendData.bl_rna.properties:
        if kind.type != "COLLECTION":
            continue
        for block in getattr(bpy.data, kind.identifier):
            library = "" if block.library is None else block.library.filepath
            depth = _DEPTH if kind.identifier in _INTERFACE else 0
            found[f"{kind.identifier}/{block.name}/{library}"] = dict(_values(block, "", {block.as_pointer()}, depth))
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What is not the same, a line each."""
    lines = [f"gone: {name}" for name in before if name not in after]
    lines += [f"new: {name}" for name in after if name not in before]
    for name, values in before.items():
        other = after.get(name, values)
        lines += [
            f"{name}{path}: {values.get(path)!r} -> {other.get(path)!r}"
            for path in {**values, **other}
            if values.get(path) != other.get(path)
        ]
    return lines


def _values(thing: Any, path: str, seen: set[int], depth: int) -> Iterator[tuple[str, Any]]:
    if depth > _DEPTH:
        return
    names = _bases(thing)
    for prop in thing.bl_rna.properties:
        if any((name, prop.identifier) in RUNTIME for name in names):
            continue
        where = f"{path}.{prop.identifier}"
        try:
            value = getattr(thing, prop.identifier)
        except (AttributeError, RuntimeError, UnicodeDecodeError, ValueError):
            continue
        if prop.type == "COLLECTION":
            yield f"{where}.length", len(value)
            for number, item in enumerate(value):
                yield from _pointed(item, f"{where}[{number}]", seen, depth)
        elif prop.type == "POINTER":
            yield from _pointed(value, where, seen, depth)
        else:
            yield where, _plain(value)
    if hasattr(thing, "keys") and callable(thing.keys):
        try:
            keys = list(thing.keys())
        except TypeError:  # a type that takes no properties of its own
            return
        for key in keys:
            yield f"{path}[{key!r}]", _own_property(thing[key])


def _own_property(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return repr(value.to_dict())
    return repr(value.to_list() if hasattr(value, "to_list") else value)


def _pointed(value: Any, where: str, seen: set[int], depth: int) -> Iterator[tuple[str, Any]]:
    if value is None or not hasattr(value, "bl_rna"):
        yield where, value
        return
    if isinstance(value, bpy.types.ID) and not value.is_embedded_data:
        yield where, (type(value).__name__, value.name, value.library and value.library.filepath)
        return
    key = hash((type(value).__name__, value.as_pointer()))
    if key in seen:
        return
    yield from _values(value, where, seen | {key}, depth + 1)


def _bases(thing: Any) -> list[str]:
    names, one = ["*"], thing.bl_rna
    while one is not None:
        names.append(one.identifier)
        one = one.base
    return names


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, int, str, bytes)) or value is None:
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, set):
        return sorted(value)
    try:
        return [_plain(one) for one in value]
    except TypeError:
        return repr(value)
