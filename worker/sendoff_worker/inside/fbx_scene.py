"""An FBX scene in Blender, by Blender's own importer; it reads from nowhere but its own folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bpy

from . import fbx_file
from .external_paths import ExternalPaths
from .job import Job, JobFailed
from .origin import PATH_PROPERTY, SCALE_PROPERTY, Origin

SUFFIX = ".fbx"
_NUMBER = re.compile(r"\.\d{3,}$")


def open_fbx(job: Job, path: Path) -> None:
    """Open an FBX file in an empty scene; `job.origin` tells where it came from.

    Raises:
        JobFailed: The file cannot be read as FBX.
    """
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    try:
        said = fbx_file.read(path)
        if "fbx_import" in dir(bpy.ops.wm):  # from 4.5 on, in C++
            bpy.ops.wm.fbx_import(filepath=str(path))
        else:
            enable()
            bpy.ops.import_scene.fbx(filepath=str(path))
    except Exception as error:
        print(f"{path}: {error}")
        raise JobFailed(
            f"{path.name} cannot be opened as FBX: it is damaged or of a kind that Blender does not read. "
            "Export it as binary FBX and send it again."
        ) from error
    job.external_paths = ExternalPaths(root=path.parent.resolve(), scene=path.name)
    job.external_paths.confine(job)
    if not bpy.data.objects:
        job.warn(f"{path.name} holds no objects.")
    job.origin = Origin(
        kind="fbx",
        metres_per_unit=said.centimetres_per_unit / 100.0,
        up_axis="Z" if said.up_axis == "Z" else "Y",
    )
    for one in bpy.data.objects:
        one[PATH_PROPERTY] = _identity(one, said)
        units = 1.0 if one.parent else job.origin.metres_per_unit  # the importer converts by the topmost objects
        one[SCALE_PROPERTY] = [part / units for part in one.scale]


def enable() -> None:
    """Have Blender's own FBX add-on."""
    import addon_utils

    if addon_utils.enable("io_scene_fbx") is None:
        raise RuntimeError("Blender's FBX add-on cannot be enabled")


def _identity(one: Any, said: fbx_file.FbxFile) -> str:
    """The node's name, or its path where others have the same name: "/Car/Left/Body"."""
    name = _own_name(one, said)
    if said.names[name] < 2:
        return name
    chain = [one]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    return "".join("/" + re.sub(r"[^A-Za-z0-9_]", "_", _own_name(part, said)) for part in reversed(chain))


def _own_name(one: Any, said: fbx_file.FbxFile) -> str:
    """As it stands in the file: Blender adds a number where it had the name already."""
    stem = _NUMBER.sub("", one.name)
    return str(stem) if one.name not in said.names and stem in said.names else str(one.name)
