"""Whether the other files of a result hold the same levels as its .blend: .usdc, .fbx and .glb."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from pathlib import Path

import bpy
import usd_stage
from levels import Level, levels_among


def judge_formats(levels: Sequence[Level], files: dict[str, Path]) -> list[str]:
    """Compare each file with the levels of the .blend; returns a line for each deviation."""
    lines = []
    for name, judge in (("lods.usdc", _judge_usd), ("lods.fbx", _judge_fbx), ("lods.glb", _judge_glb)):
        if name not in files:
            lines.append(f"{name}: it is not there")
            continue
        try:
            lines += [f"{name}: {line}" for line in judge(levels, files[name])]
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            lines.append(f"{name}: it cannot be read: {str(error).splitlines()[0] if str(error) else type(error)}")
    return lines


def _judge_usd(levels: Sequence[Level], path: Path) -> list[str]:
    found = usd_stage.levels_of(usd_stage.open_stage(path))
    lines = _judge_counts(levels, [(one.source, one.number, one.shown.surface.triangles) for one in found])
    by_key = {(one.source, one.number): one.shown.surface for one in found}
    for level in levels:
        other = by_key.get((level.source, level.number))
        if other is not None:
            mine = level.shown.surface
            lines += _judge_layers(level, len(mine.uv_layers), len(other.uv_layers), "UV layers")
            lines += _judge_layers(level, len(mine.colours), len(other.colours), "colour attributes")
            used = {_plain(name) for name in mine.used if name is not None}
            lines += _judge_layers(level, len(used), len({_plain(name) for name in other.used}), "materials")
    return _few(lines)


def _judge_fbx(levels: Sequence[Level], path: Path) -> list[str]:
    import addon_utils

    addon_utils.enable("io_scene_fbx")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.import_scene.fbx(filepath=str(path), use_custom_props=True)
    bpy.context.view_layer.update()
    found = levels_among(bpy.data.objects)
    lines = _judge_counts(levels, [(one.source, one.number, one.shown.surface.triangles) for one in found])
    by_key = {(one.source, one.number): one for one in found}
    for level in levels:
        other = by_key.get((level.source, level.number))
        if other is not None:
            mine, its = level.shown.surface, other.shown.surface
            if mine.uv_layers != its.uv_layers:
                lines.append(f"{level.object_name}: UV layers {mine.uv_layers} became {its.uv_layers}")
            lines += _judge_layers(level, len(mine.colours), len(its.colours), "colour attributes")
            lines += _judge_layers(level, len(mine.used), len(its.used), "materials")
            if mine.has_custom_normals and not its.has_custom_normals:
                lines.append(f"{level.object_name}: custom normals are gone")
    return _few(lines)


def _judge_glb(levels: Sequence[Level], path: Path) -> list[str]:
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    found, surfaces = [], {}
    for node in document.get("nodes", []):
        extras = node.get("extras", {})
        if "mesh" not in node or "sendoff_level" not in extras:
            continue
        parts = document["meshes"][node["mesh"]]["primitives"]
        triangles = sum(document["accessors"][part["indices"]]["count"] // 3 for part in parts)
        key = (extras["sendoff_source"], int(extras["sendoff_level"]))
        found.append((*key, triangles))
        surfaces[key] = parts
    lines = _judge_counts(levels, found)
    for level in levels:
        parts = surfaces.get((level.source, level.number))
        if parts:
            mine = level.shown.surface
            names = {name for part in parts for name in part["attributes"]}
            lines += _judge_layers(level, len(mine.uv_layers), _count(names, "TEXCOORD_"), "UV layers")
            lines += _judge_layers(level, len(mine.colours), _count(names, "COLOR_|_"), "colour attributes")
            materials = {part["material"] for part in parts if "material" in part}
            lines += _judge_layers(
                level, len([one for one in mine.used if one is not None]), len(materials), "materials"
            )
    return _few(lines)


def _judge_counts(levels: Sequence[Level], found: Sequence[tuple[str, int, int]]) -> list[str]:
    """The same levels as often, each with its triangles."""
    mine = sorted((level.source, level.number, level.shown.surface.triangles) for level in levels)
    its = sorted(found)
    if mine == its:
        return []
    lacking = [one for one in mine if one not in its]
    strange = [one for one in its if one not in mine]
    return [f"{len(its)} levels, in the .blend {len(mine)}; lacking {lacking[:3]}, other {strange[:3]}"]


def _judge_layers(level: Level, mine: int, its: int, what: str) -> list[str]:
    return [] if its >= mine else [f"{level.object_name}: {its} {what} of {mine}"]


def _count(names: set[str], pattern: str) -> int:
    return sum(bool(re.match(pattern, name)) for name in names)


def _plain(name: str | None) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", str(name).partition(" of ")[0])


def _few(lines: list[str], most: int = 6) -> list[str]:
    return lines if len(lines) <= most else [*lines[:most], f"{len(lines) - most:,} more like these"]
