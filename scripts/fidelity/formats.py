"""Whether the other files of a result hold the same levels as its .blend: .usdc, .fbx and .glb."""

from __future__ import annotations

import json
import re
import struct
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import bpy
import usd_stage
from levels import Level, levels_among
from surfaces import Shown

#: Blender's importers make no more of them, whatever the file holds.
MOST_UV_LAYERS = 8
_CUT_NAME_BYTES = 63


def judge_formats(shown: Sequence[Shown], levels: Sequence[Level], files: dict[str, Path]) -> list[str]:
    """Compare each file with the levels of the .blend; returns a line for each deviation.

    Files for game engines hold what is `shown` as well: it is level 0 of its groups.
    """
    lines = []
    judges: dict[str, Callable[[Sequence[Level], Path], list[str]]] = {
        "lods.usdc": _judge_usd,
        "lods.fbx": lambda levels, path: _judge_fbx(shown, levels, path),
        "lods.glb": _judge_glb,
    }
    for name, judge in judges.items():
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
    by_key = {(one.source, one.number, one.shown.surface.triangles): one.shown.surface for one in found}
    for level in levels:
        other = by_key.get((level.source, level.number, level.shown.surface.triangles))
        if other is not None:
            mine = level.shown.surface
            lines += _judge_layers(level, len(mine.uv_layers), len(other.uv_layers), "UV layers")
            lines += _judge_layers(level, len(mine.colours), len(other.colours), "colour attributes")
            used = {_plain(name) for name in mine.used if name is not None}
            lines += _judge_layers(level, len(used), len({_plain(name) for name in other.used}), "materials")
    return _few(lines)


def _judge_fbx(shown: Sequence[Shown], levels: Sequence[Level], path: Path) -> list[str]:
    import addon_utils

    addon_utils.enable("io_scene_fbx")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.import_scene.fbx(filepath=str(path), use_custom_props=True)
    bpy.context.view_layer.update()
    every = levels_among(bpy.data.objects, with_originals=True)
    found = [one for one in every if one.number]
    lines = _judge_counts(levels, [(one.source, one.number, one.shown.surface.triangles) for one in found])
    lines += judge_groups(every) + _judge_originals(shown, every)
    by_key = {(one.source, one.number, one.shown.surface.triangles): one for one in found}
    for level in levels:
        other = by_key.get((level.source, level.number, level.shown.surface.triangles))
        if other is not None:
            mine, its = level.shown.surface, other.shown.surface
            if mine.uv_layers[:MOST_UV_LAYERS] != its.uv_layers:
                lines.append(f"{level.object_name}: UV layers {mine.uv_layers} became {its.uv_layers}")
            lines += _judge_layers(level, len(mine.colours), len(its.colours), "colour attributes")
            lines += _judge_layers(level, len(set(mine.used)), len(set(its.used)), "materials")
            if mine.has_custom_normals and not its.has_custom_normals:
                lines.append(f"{level.object_name}: custom normals are gone")
    return _few(lines)


def judge_groups(levels: Sequence[Level]) -> list[str]:
    """Whether an engine reads an FBX's levels as such: each group holds `_LOD0`, `_LOD1` and so on at one place."""
    groups = defaultdict(list)
    for level in levels:
        groups[level.shown.parent].append(level)
    lines = []
    for parent, members in groups.items():
        ends = sorted(map(_named_number, members))
        if not parent or ends != [str(number) for number in range(len(members))]:
            lines.append(f"the group “{parent}” holds {sorted(one.object_name for one in members)[:6]}")
            continue
        first = members[0].shown.matrix
        if any(abs(one.shown.matrix - first).max() > 1e-3 * max(1.0, abs(first).max()) for one in members):
            lines.append(f"the levels of the group “{parent}” are at several places")
    return lines


def _named_number(level: Level) -> str:
    """What stands behind `_LOD`; Blender's FBX importer cuts that off names of more than 63 bytes."""
    if len(level.object_name.encode()) == _CUT_NAME_BYTES:
        return str(level.number)
    return re.sub(r"^.*_LOD(\d+)(\.\d{3,})?$", r"\1", level.object_name)


def _judge_originals(shown: Sequence[Shown], levels: Sequence[Level]) -> list[str]:
    known = defaultdict(set)
    for one in shown:
        for name in (one.name, one.instancer):
            # Two faces on the same corners are one once the mesh is repaired, of which the job tells.
            known[name] |= {one.surface.triangles, len({frozenset(t) for t in one.surface.triangle_corners.tolist()})}
    return [
        f"{one.object_name}: {one.shown.surface.triangles:,} triangles, not {sorted(known[one.source])[:3]}"
        for one in levels
        if not one.number and one.source in known and one.shown.surface.triangles not in known[one.source]
    ]


def _judge_glb(levels: Sequence[Level], path: Path) -> list[str]:
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    found, surfaces, lines = [], {}, []
    nodes = document.get("nodes", [])
    for node in nodes:
        extras = node.get("extras", {})
        if "mesh" not in node or "sendoff_level" not in extras:
            continue
        if not extras["sendoff_level"]:
            coarser = [nodes[number] for number in node.get("extensions", {}).get("MSFT_lod", {}).get("ids", [])]
            numbers = [one["extras"]["sendoff_level"] for one in coarser]
            is_one = all(one["extras"]["sendoff_source"] == extras["sendoff_source"] for one in coarser)
            if not is_one or numbers != list(range(1, len(numbers) + 1)) or not numbers:
                lines.append(f"{node['name']}: MSFT_lod lists {[one['name'] for one in coarser][:6]}")
            continue
        parts = document["meshes"][node["mesh"]]["primitives"]
        triangles = sum(document["accessors"][part["indices"]]["count"] // 3 for part in parts)
        key = (extras["sendoff_source"], int(extras["sendoff_level"]))
        found.append((*key, triangles))
        surfaces[*key, triangles] = parts
    lines += _judge_counts(levels, found)
    originals = sum(node.get("extras", {}).get("sendoff_level") == 0 for node in nodes)
    if originals != sum(one.number == 1 for one in levels):
        lines.append(f"{originals} originals as level 0 for {sum(one.number == 1 for one in levels)} places")
    for level in levels:
        parts = surfaces.get((level.source, level.number, level.shown.surface.triangles))
        if parts:
            mine = level.shown.surface
            names = {name for part in parts for name in part["attributes"]}
            lines += _judge_layers(level, len(mine.uv_layers), _count(names, "TEXCOORD_"), "UV layers")
            lines += _judge_layers(level, len(mine.colours), _count(names, "COLOR_|_"), "colour attributes")
            materials = {part["material"] for part in parts if "material" in part}
            lines += _judge_layers(
                level, len({one for one in mine.used if one is not None}), len(materials), "materials"
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
