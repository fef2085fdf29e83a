"""A result's .glb: the levels as one glTF binary, with the extension MSFT_lod.

The finest level of each source, which is the original if it is kept, lists the coarser ones. They are no part of the
scene: an application without the extension shows the finest level alone.
https://github.com/KhronosGroup/glTF/tree/main/extensions/2.0/Vendor/MSFT_lod
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bpy

from .contents import Part, is_told
from .lod_groups import lod_groups
from .mesh_arrays import triangle_count

EXTENSION, COVERAGE = "MSFT_lod", "MSFT_screencoverage"
#: On a mesh: the names of its UV maps, in the order of TEXCOORD_0, TEXCOORD_1 and so on. glTF has no place for them.
UV_NAMES = "uv_names"
#: The part of the screen down to which the second level replaces the first if it has as many triangles.
_FIRST_COVERAGE = 0.5
_JSON = 0x4E4F534A
_HEADER, _CHUNK = "<4sII", "<II"


def write_glb(path: Path, scene: Any, objects: Iterable[tuple[Any, Part]]) -> None:
    """Export a scene, and nothing else, as one glTF binary.

    Args:
        path: The file, .glb.
        scene: Holds the objects, and nothing else.
        objects: Blender's objects, each with what it is.
    """
    import addon_utils

    if addon_utils.enable("io_scene_gltf2") is None:
        raise RuntimeError("Blender's glTF add-on cannot be enabled")
    bpy.context.window.scene = scene
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        use_active_scene=True,
        export_extras=True,
        export_animations=False,
        export_morph=False,
        export_skins=False,
        # All colours, the active ones first: engines read COLOR_0 alone.
        export_vertex_color="ACTIVE",
        export_all_vertex_colors=True,
        export_active_vertex_color_when_no_material=True,
    )
    parts = list(objects)
    rewrite(path, lambda document: _finish(document, parts))


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the JSON of a .glb in place; its binary part is copied as it is."""
    changed = path.with_name(f"{path.name}.part")
    with path.open("rb") as file, changed.open("wb") as target:
        magic, version, _ = struct.unpack(_HEADER, file.read(12))
        length, kind = struct.unpack(_CHUNK, file.read(8))
        if magic != b"glTF" or version != 2 or kind != _JSON:
            raise RuntimeError(f"{path.name} is not a glTF binary of version 2")
        document = json.loads(file.read(length))
        change(document)
        content = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        content += b" " * (-len(content) % 4)
        rest = path.stat().st_size - 20 - length
        target.write(struct.pack(_HEADER, b"glTF", 2, 20 + len(content) + rest))
        target.write(struct.pack(_CHUNK, len(content), _JSON) + content)
        shutil.copyfileobj(file, target)
    changed.replace(path)


def _finish(document: dict[str, Any], parts: list[tuple[Any, Part]]) -> None:
    nodes = document.get("nodes", [])
    index = {node.get("name"): number for number, node in enumerate(nodes)}
    coarser: set[int] = set()
    for group in lod_groups(parts):
        numbers = [index[one.name] for one, _ in group if one.name in index]
        if len(numbers) < 2 or len(numbers) != len(group):
            continue
        finest = nodes[numbers[0]]
        finest.setdefault("extensions", {})[EXTENSION] = {"ids": numbers[1:]}
        finest.setdefault("extras", {})[COVERAGE] = _coverage([triangle_count(one.data) for one, _ in group])
        coarser.update(numbers[1:])
    if coarser:
        document["extensionsUsed"] = sorted({*document.get("extensionsUsed", []), EXTENSION})
        for scene in document.get("scenes", []):
            scene["nodes"] = [number for number in scene.get("nodes", []) if number not in coarser]
    for one, _ in parts:
        number = nodes[index[one.name]].get("mesh") if one.name in index else None
        if number is not None and len(one.data.uv_layers):
            extras = document["meshes"][number].setdefault("extras", {})
            extras[UV_NAMES] = [layer.name for layer in one.data.uv_layers]
    for kind in ("scenes", "nodes", "meshes", "materials"):
        for entry in document.get(kind, []):
            extras = {key: value for key, value in entry.pop("extras", {}).items() if is_told(key)}
            if extras:
                entry["extras"] = extras


def _coverage(triangles: list[int]) -> list[float]:
    """Down to which part of the screen each level is shown: as many triangles in an area as before. The last always."""
    first = max(1, triangles[0])
    found: list[float] = []
    for count in triangles[1:]:
        wanted = _FIRST_COVERAGE * min(1.0, count / first)
        found.append(round(min(wanted, found[-1] / 2 if found else wanted), 6))
    return [*found, 0.0]
