"""An FBX scene in Blender, by Blender's own importer; it reads from nowhere but its own folder."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import bpy

from . import fbx_file
from .external_paths import ExternalPaths
from .imported_paths import ImportedPaths, note_images
from .job import CannotOpen, Job
from .left_alone import LEVEL_PROPERTY, SOURCE_PROPERTY
from .origin import PATH_PROPERTY, SCALE_PROPERTY, Origin
from .usd_layers import read_paths

SUFFIX = ".fbx"
_NUMBER = re.compile(r"\.\d{3,}$")
#: What a step of a path cannot hold, as an application like Maya has it. Letters of other scripts stay.
_NO_NAME = re.compile(r"[^A-Za-z0-9_\u0080-\U0010ffff]")
#: Blender adds it to a node's name, from 4.5 on.
_HELPER = "_GeomAdjust"
#: Names from this length on may have been cut by Blender.
_CUT_BYTES = 57


def open_fbx(job: Job, path: Path) -> None:
    """Open an FBX file in an empty scene; `job.origin` tells where it came from.

    Raises:
        CannotOpen: The file cannot be read as FBX.
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
        raise CannotOpen(
            f"{path.name} cannot be opened as FBX: it is damaged or of a kind that Blender does not read. "
            "Export it as binary FBX and send it again."
        ) from error
    missing = note_images(path.parent, said.textures)
    ExternalPaths(root=path.parent.resolve(), scene=path.name).confine(job)
    job.external_paths = ImportedPaths()
    told = {_file_name(one) for one in read_paths(path.parent)[2].get(path.name, {})}
    for image in missing:
        job.missing(image, "texture", is_told=_file_name(image) in told)
    for kind, count in said.other_shapes.items():
        several, are = ("", "is") if count == 1 else ("s", "are")
        job.warn(f"{path.name} has {count:,} {kind}{several}, which cannot become a mesh and {are} left out.")
    if not bpy.data.objects:
        job.warn(f"{path.name} holds no objects.")
    job.origin = Origin(
        kind="fbx",
        metres_per_unit=said.centimetres_per_unit / 100.0,
        up_axis="Z" if said.up_axis == "Z" else "Y",
    )
    helpers = _helpers(said)
    for one, identity in _identities(said, helpers).items():
        one[PATH_PROPERTY] = identity
        node = helpers.get(one, one)
        units = 1.0 if node.parent else job.origin.metres_per_unit  # the importer converts by the topmost objects
        one[SCALE_PROPERTY] = [part / units for part in node.scale]
    _mark_levels(said)
    for helper, node in helpers.items():
        name, node.name = node.name, f"Node of {node.name[:40]}"
        helper.name = name


def enable() -> None:
    """Have Blender's own FBX add-on."""
    import addon_utils

    if addon_utils.enable("io_scene_fbx") is None:
        raise RuntimeError("Blender's FBX add-on cannot be enabled")


def _helpers(said: fbx_file.FbxFile) -> dict[Any, Any]:
    """Objects that Blender made of the geometry of a node that has a pivot or an offset, each with the node's own."""
    found = {}
    for one in bpy.data.objects:
        node = one.parent
        if node is None or node.type != "EMPTY" or one.name in said.names:
            continue
        name, whole = _NUMBER.sub("", one.name), f"{_own_name(node, said)}{_HELPER}"
        if name == whole or (len(name.encode("utf-8", "replace")) >= _CUT_BYTES and whole.startswith(name)):
            found[one] = node
    return found


def _identities(said: fbx_file.FbxFile, helpers: dict[Any, Any]) -> dict[Any, str]:
    """What each object is known by: the node's name, or its path if others have the same name: "/Car/Left/Body"."""
    own = {one: _own_name(one, said) for one in bpy.data.objects}
    found: dict[Any, str] = {}
    taken: Counter[str] = Counter()
    for one in sorted(set(bpy.data.objects) - set(helpers), key=_order):
        identity = own[one]
        if said.names[identity] > 1:
            chain = [one]
            while chain[-1].parent is not None:
                chain.append(chain[-1].parent)
            identity = "".join(f"/{_NO_NAME.sub('_', own[part])}" for part in reversed(chain))
        taken[identity] += 1
        # Two nodes of one name below one parent, which FBX allows, are told apart by a number.
        found[one] = identity if taken[identity] == 1 else f"{identity}[{taken[identity] - 1}]"
    return found | {one: found[node] for one, node in helpers.items()}


def _own_name(one: Any, said: fbx_file.FbxFile) -> str:
    """As it stands in the file: Blender adds a number if it had the name already, and cuts what is too long."""
    stem = _NUMBER.sub("", one.name)
    for name in (one.name, stem):
        if name in said.names:
            return str(name)
    if len(one.name.encode("utf-8", "replace")) >= _CUT_BYTES:
        # Blender cuts at 63 bytes up to 4.5, and a name with a number a little before.
        whole = [name for name in said.names if name.startswith(stem)]
        if len(whole) == 1:
            return whole[0]
    return str(one.name)


def _order(one: Any) -> tuple[str, int]:
    """Sorts objects of one name as they stand in the file: Blender numbers them in that order."""
    number = _NUMBER.search(one.name)
    return _NUMBER.sub("", one.name), int(number[0][1:]) if number else 0


def _mark_levels(said: fbx_file.FbxFile) -> None:
    """Mark all but the finest member of each LOD group as a level, so that no levels are made of levels."""
    own: dict[Any, str] = {one: _own_name(one, said) for one in bpy.data.objects}
    groups = sorted((one for one in own if one.children), key=_order)
    for said_group in said.lod_groups:
        names = Counter(said_group.members)
        group = next(
            (
                one
                for one in groups
                if own[one] == said_group.name and Counter(own[child] for child in one.children) == names
            ),
            None,
        )
        if group is None:
            continue
        groups.remove(group)
        waiting = sorted(group.children, key=_order)
        finest = ""
        for level, name in enumerate(said_group.members):
            member = next(one for one in waiting if own[one] == name)
            waiting.remove(member)
            finest = finest or str(member[PATH_PROPERTY])
            for one in (member, *member.children_recursive) if level else ():
                one[SOURCE_PROPERTY], one[LEVEL_PROPERTY] = finest, level


def _file_name(path: str) -> str:
    """What of a texture's path stays the same, however its importer writes the path."""
    return path.replace("\\", "/").rpartition("/")[2].lower()
