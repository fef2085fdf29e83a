"""A result's .glb: the levels as one glTF binary."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy

from .contents import Part


def write_glb(path: Path, scene: Any, _parts: Iterable[tuple[Any, Part]]) -> None:
    """Export a scene, and nothing else, as one glTF binary."""
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
    )
