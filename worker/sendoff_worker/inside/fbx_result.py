"""Objects of Blender as an FBX file in the units and axes of the scene that was sent, for an application like Maya."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from .contents import Contents, Part
from .fbx_scene import enable
from .mesh_arrays import triangle_count
from .origin import Origin
from .usd_names import free_name

#: What a scene of Blender becomes, as Maya has it.
_FOR_MAYA = Origin(kind="blend", metres_per_unit=0.01, up_axis="Y")
#: Blender's exporter takes no other units, in centimetres.
_UNITS = (0.001, 1000.0)


def write_fbx(path: Path, scene: Any, objects: Iterable[tuple[Any, Part]], origin: Origin) -> Contents:
    """Write a scene, with names that Maya keeps; returns what is in the file.

    Args:
        path: The file, .fbx.
        scene: Holds the objects, and nothing else.
        objects: Blender's objects, each with what it is (name and path are filled in here).
        origin: Of the scene that was sent: its units and up-axis are the file's. Of a .blend, the file has centimetres
            and Y up.
    """
    written = _FOR_MAYA if origin.kind == "blend" else origin
    centimetres = written.metres_per_unit * 100.0
    if not _UNITS[0] <= centimetres <= _UNITS[1]:
        written, centimetres = replace(written, metres_per_unit=0.01), 1.0
    contents, taken = Contents(path.name, written), set[str]()
    with ExitStack() as after:
        for one, part in objects:
            after.callback(setattr, one, "name", one.name)  # another format keeps the artist's own
            one.name = free_name(part.name or one.name, taken)
            contents.add(replace(part, name=one.name, path=one.name, triangles=triangle_count(one.data)))
        units = scene.unit_settings
        after.callback(setattr, units, "scale_length", units.scale_length)
        after.callback(setattr, units, "system", units.system)
        units.system, units.scale_length = "METRIC", 1.0 / centimetres
        enable()
        bpy.context.window.scene = scene
        bpy.ops.export_scene.fbx(
            filepath=str(path),
            use_selection=False,
            # With these, lengths are in the unit that the file names.
            apply_scale_options="FBX_SCALE_CUSTOM",
            global_scale=centimetres,
            axis_forward="Y" if written.up_axis == "Z" else "-Z",
            axis_up=written.up_axis,
            # Meshes of Blender are converted. Those of an imported file have its units still, unlike their places.
            bake_space_transform=origin.kind == "blend",
            bake_anim=False,
            use_custom_props=True,
            mesh_smooth_type="EDGE",
            add_leaf_bones=False,
            path_mode="STRIP",
        )
    return contents
