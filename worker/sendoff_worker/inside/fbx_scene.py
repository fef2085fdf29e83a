"""An FBX scene in Blender, and what goes back as FBX: by Blender's own importer and exporter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from .job import Job, JobFailed
from .origin import PATH_PROPERTY, SCALE_PROPERTY, Origin

SUFFIX = ".fbx"
MAGIC = b"Kaydara FBX Binary"


def open_fbx(job: Job, path: Path) -> None:
    """Open an FBX file in an empty scene; `job.origin` tells where it came from.

    Raises:
        JobFailed: The file cannot be read as FBX.
    """
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    try:
        if "fbx_import" in dir(bpy.ops.wm):  # from 4.5 on, in C++
            bpy.ops.wm.fbx_import(filepath=str(path))
        else:
            _enable()
            bpy.ops.import_scene.fbx(filepath=str(path))
    except Exception as error:
        print(f"{path}: {error}")
        raise JobFailed(
            f"{path.name} cannot be opened as FBX: it is damaged or of a kind that Blender does not read. "
            "Export it as binary FBX and send it again."
        ) from error
    if not bpy.data.objects:
        job.warn(f"{path.name} holds no objects.")
    for one in bpy.data.objects:
        one[PATH_PROPERTY] = one.name
        one[SCALE_PROPERTY] = [1.0, 1.0, 1.0]  # what of it is the change of units cannot be told
    job.origin = Origin(kind="fbx")


def write_fbx(path: Path, scene: Any) -> None:
    """Write a scene in centimetres with Y up, as Maya reads it, without scales on its objects."""
    _enable()
    bpy.context.window.scene = scene
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_selection=False,
        apply_scale_options="FBX_SCALE_ALL",
        axis_forward="-Z",
        axis_up="Y",
        bake_space_transform=True,
        bake_anim=False,
        use_custom_props=True,
        mesh_smooth_type="EDGE",
        add_leaf_bones=False,
        path_mode="STRIP",
    )


def _enable() -> None:
    import addon_utils

    if addon_utils.enable("io_scene_fbx") is None:
        raise RuntimeError("Blender's FBX add-on cannot be enabled")
