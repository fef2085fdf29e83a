"""The open file as it is: every datablock with its plain values, to see what a click or an import changed."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from counts import is_missing

#: Blender's own things, which change by themselves.
NOT_THE_ARTISTS = {
    "all_ids",
    "window_managers",
    "screens",
    "workspaces",
    "brushes",
    "palettes",
    "linestyles",
    "paint_curves",
    "annotations",
}
_PLAIN = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
#: A level that uses a linked material makes it directly linked: that is what using it means.
_VOLATILE = {
    "users", "is_evaluated", "is_missing", "tag", "session_uid", "is_runtime_data", "use_extra_user", "bindcode",
    "has_data", "is_dirty", "size", "resolution", "frame_duration", "depth", "channels", "is_float",
    "is_library_indirect",
}  # fmt: skip
MOST_DATABLOCKS = 4000
#: What an import of levels may add.
LEVELS_BRING = {"objects", "meshes", "collections"}


@dataclass(kw_only=True)
class OpenFile:
    """A snapshot."""

    blocks: dict[tuple[str, str, str], tuple[Any, ...]]
    session: dict[str, Any]

    def count(self) -> Counter[str]:
        """How many there are of each kind."""
        return Counter(kind for kind, _, _ in self.blocks)


def look(context: bpy.types.Context) -> OpenFile:
    """Take a snapshot of the open file."""
    kinds = [
        prop.identifier
        for prop in bpy.data.bl_rna.properties
        if prop.type == "COLLECTION" and prop.identifier not in NOT_THE_ARTISTS
    ]
    blocks = {}
    for kind in kinds:
        for block in getattr(bpy.data, kind):
            library = block.library.filepath if getattr(block, "library", None) is not None else ""
            blocks[kind, block.name, library] = values(block) if len(blocks) < MOST_DATABLOCKS else ()
    layer = context.view_layer
    session = {
        "path": bpy.data.filepath,
        "is dirty": bpy.data.is_dirty,
        "automatic packing": bpy.data.use_autopack,
        "scene": context.scene.name,
        "view layer": layer.name,
        "mode": context.mode,
        "active": layer.objects.active.name if layer.objects.active is not None else "",
        "selected": sorted(one.name for one in layer.objects if one.select_get()),
        "frame": (context.scene.frame_current, context.scene.frame_subframe),
    }
    return OpenFile(blocks=blocks, session=session)


def values(block: Any) -> tuple[Any, ...]:
    """The plain values of one datablock; those that Blender will drop some day are read as the others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return _values(block)


def _values(block: Any) -> tuple[Any, ...]:
    found: list[Any] = []
    for prop in block.bl_rna.properties:
        if prop.type not in _PLAIN or prop.identifier in _VOLATILE or prop.identifier.startswith(("sendoff", "bl_")):
            continue
        if getattr(prop, "array_length", 0) > 16:
            continue
        try:
            value = getattr(block, prop.identifier)
        except (AttributeError, RuntimeError, UnicodeDecodeError):
            continue
        if getattr(prop, "is_array", False):
            value = tuple(np.asarray(value, object).ravel().tolist())
        found.append((prop.identifier, tuple(sorted(value)) if isinstance(value, set) else value))
    if isinstance(block, bpy.types.Image):
        found.append(("packed", block.packed_file is not None))
    if isinstance(block, bpy.types.Mesh) and len(block.vertices) < 500_000 and block.library is None:
        positions = np.empty(len(block.vertices) * 3, np.float32)
        block.vertices.foreach_get("co", positions)
        found.append(("positions", hash(positions.tobytes())))
    return tuple(found)


def changes(before: OpenFile, after: OpenFile, *, by_import: bool) -> list[str]:
    """A line for each thing that is not as it was; an import of levels may add levels, and selects them."""
    lines = []
    for name, value in before.session.items():
        if by_import and name in {"is dirty", "active", "selected"}:
            continue
        if after.session[name] != value:
            lines.append(f"open file: its {name} was {_short(value)} and is {_short(after.session[name])}")
    gone = [key for key in before.blocks if key not in after.blocks]
    new = [key for key in after.blocks if key not in before.blocks and not (by_import and key[0] in LEVELS_BRING)]
    lines += [f"open file: {kind} “{name}”{_of(library)} is gone" for kind, name, library in gone[:4]]
    lines += [f"open file: {kind} “{name}”{_of(library)} is new" for kind, name, library in new[:4]]
    for title, keys in (("gone", gone), ("new", new)):
        if len(keys) > 4:
            lines.append(f"open file: {len(keys) - 4:,} more datablocks are {title}")
    changed = 0
    for key, value in before.blocks.items():
        other = after.blocks.get(key)
        if other is None or other == value:
            continue
        parts = [f"{a[0]} {_short(a[1])} -> {_short(b[1])}" for a, b in zip(value, other, strict=False) if a != b]
        if by_import and key[0] in {"scenes", "collections"}:
            continue
        changed += 1
        if changed <= 4:
            lines.append(f"open file: {key[0]} “{key[1]}”{_of(key[2])} changed: {'; '.join(parts[:3])}")
    if changed > 4:
        lines.append(f"open file: {changed - 4:,} more datablocks changed")
    return lines


def not_found() -> set[str]:
    """Libraries and images whose file is not there."""
    lost = {
        f"library {Path(library.filepath).name}"
        for library in bpy.data.libraries
        if not library.packed_file and not Path(bpy.path.abspath(library.filepath)).is_file()
    }
    return lost | {f"image {image.name}" for image in bpy.data.images if is_missing(image)}


def _of(library: str) -> str:
    return f" of {Path(library).name}" if library else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
