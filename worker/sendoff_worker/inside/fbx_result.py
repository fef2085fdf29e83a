"""Objects of Blender as an FBX file in the units and axes of the scene that was sent, for Maya and for game engines.

Levels of one source at one place lie below a node with the attribute "LodGroup", the finest first: Unreal's and Maya's
importers read it as such, and take the first as LOD 0. Unity goes by the ends of the names, `_LOD0` and so on.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import bpy
from bpy_extras.io_utils import axis_conversion
from mathutils import Matrix

from .contents import Contents, Part, without_private
from .fbx_scene import enable
from .imported_paths import Original, texture_path
from .lod_groups import lod_groups
from .mesh_arrays import triangle_count
from .origin import Origin
from .usd_names import numbered

#: What a scene of Blender becomes, as Maya has it.
_FOR_MAYA = Origin(kind="blend", metres_per_unit=0.01, up_axis="Y")
#: Blender's exporter takes no other units, in centimetres.
_UNITS = (0.001, 1000.0)
#: The material of faces without one, if others of the mesh have some.
_UNASSIGNED = "unassigned"
#: Blender's exporter gives an empty with this property the node attribute that it names.
_NODE_TYPE, _LOD_GROUP = "fbx_type", "LodGroup"


def write_fbx(
    path: Path,
    scene: Any,
    objects: Iterable[tuple[Any, Part]],
    origin: Origin,
    *,
    original: Original | None = None,
) -> Contents:
    """Write a scene; returns what is in the file.

    Args:
        path: The file, .fbx.
        scene: Holds the objects, and nothing else.
        objects: Blender's objects, each with what it is (name and path are filled in here).
        origin: Of the scene that was sent: its units and up-axis are the file's. Of a .blend, the file has centimetres
            and Y up.
        original: Tells the path of an image as the artist's scene has it; without it, images have names only.
    """
    written = _FOR_MAYA if origin.kind == "blend" else origin
    centimetres = written.metres_per_unit * 100.0
    if not _UNITS[0] <= centimetres <= _UNITS[1]:
        written, centimetres = replace(written, metres_per_unit=0.01), 1.0
    contents, taken = Contents(path.name, written), set[str]()
    enable()
    with ExitStack() as after:
        members = []
        for one, part in objects:
            after.callback(setattr, one, "name", one.name)  # another format keeps the artist's own
            one.name = numbered(node_name(part.name or one.name), taken)
            taken.add(one.name)
            contents.add(replace(part, name=one.name, path=one.name, triangles=triangle_count(one.data)))
            members.append((one, part))
        forward = "Y" if written.up_axis == "Z" else "-Z"
        turn = axis_conversion(to_forward=forward, to_up=written.up_axis).to_4x4()
        # Meshes of Blender are converted. Those of an imported file have its units still, unlike their places.
        is_baked = origin.kind == "blend"
        to_file = Matrix.Identity(4) if is_baked else Matrix.Scale(100.0 / centimetres, 4) @ turn
        after.enter_context(_grouped(scene, members, taken, to_file))
        blocks = {slot.material for one, _ in members for slot in one.material_slots if slot.material is not None}
        after.enter_context(without_private([*(one for one, _ in members), *blocks]))
        after.enter_context(_texture_paths(original))
        after.enter_context(_no_file_path())
        after.enter_context(_filled_slots([one for one, _ in members]))
        units = scene.unit_settings
        after.callback(setattr, units, "scale_length", units.scale_length)
        after.callback(setattr, units, "system", units.system)
        units.system, units.scale_length = "METRIC", 1.0 / centimetres
        bpy.context.window.scene = scene
        bpy.ops.export_scene.fbx(
            filepath=str(path),
            use_selection=False,
            # With these, lengths are in the unit that the file names.
            apply_scale_options="FBX_SCALE_CUSTOM",
            global_scale=centimetres,
            axis_forward=forward,
            axis_up=written.up_axis,
            bake_space_transform=is_baked,
            bake_anim=False,
            use_custom_props=True,
            mesh_smooth_type="EDGE",
            add_leaf_bones=False,
            path_mode="STRIP",
        )
    _refuse_own_paths(path)
    return contents


def node_name(name: str) -> str:
    """A name of any script as FBX and Maya hold it: a colon would make a namespace, and a bar a path."""
    plain = re.sub(r"[:|/\\\x00-\x1f]", "_", name.encode("utf-8", "replace").decode("utf-8"))
    return plain or "object"


@contextmanager
def _grouped(scene: Any, members: list[tuple[Any, Part]], taken: set[str], to_file: Matrix) -> Iterator[None]:
    """Have a LOD group around the levels of each source for the length of a `with` block.

    Args:
        scene: Holds the levels.
        members: The levels.
        taken: Names that others have.
        to_file: What the exporter does with the places of topmost objects: a group does nothing with its members.
    """
    groups = bpy.data.collections.new("LOD groups")
    renamed, placed = [], []
    for group in lod_groups(members):
        if len(group) < 2:
            continue
        finest = group[0][0].name
        name = numbered(re.sub(r"_LOD\d+$", "", finest) or finest, taken)
        holder = bpy.data.objects.get((name, None))
        if holder is not None:  # the source itself, which is not written
            renamed.append((holder, name))
            holder.name = f"{name[:40]} of the scene"
        node = bpy.data.objects.new(name, None)
        node[_NODE_TYPE] = _LOD_GROUP
        node.matrix_world = to_file.inverted()
        groups.objects.link(node)
        for one, _ in group:
            place = one.matrix_world.copy()
            one.parent = node
            one.matrix_parent_inverse = Matrix.Identity(4)
            one.matrix_basis = to_file @ place
            placed.append((one, place))
    scene.collection.children.link(groups)
    scene.view_layers[0].update()
    try:
        yield
    finally:
        for one, place in placed:
            one.parent = None
            one.matrix_basis = place
        scene.collection.children.unlink(groups)
        nodes = list(groups.objects)
        bpy.data.collections.remove(groups)
        for node in nodes:  # nothing else knows them: a look for their users would take longer the more there is
            bpy.data.objects.remove(node, do_unlink=False, do_ui_user=False)
        for one, name in reversed(renamed):
            one.name = name


@contextmanager
def _filled_slots(objects: list[Any]) -> Iterator[None]:
    """Have a material in each empty slot: Blender's exporter gives such faces the first material instead."""
    material = bpy.data.materials.new(_UNASSIGNED)
    filled = []
    for one in objects:
        slots = [slot for slot in one.material_slots if slot.material is None]
        for slot in slots if len(slots) < len(one.material_slots) else ():
            slot.material = material
            filled.append(slot)
    try:
        yield
    finally:
        for slot in filled:
            slot.material = None
        bpy.data.materials.remove(material)


@contextmanager
def _texture_paths(original: Original | None) -> Iterator[None]:
    """Have Blender's exporter write the artist's paths of textures; it knows those of this machine only."""
    from io_scene_fbx import export_fbx_bin

    def paths(image: Any, _scene_data: Any) -> tuple[str, str]:
        path = texture_path(image, original).removeprefix("//")
        return path, path

    before = export_fbx_bin._gen_vid_path
    export_fbx_bin._gen_vid_path = paths
    try:
        yield
    finally:
        export_fbx_bin._gen_vid_path = before


class _WithoutFile:
    """Something of Blender's, but for the path of the open file, which Blender's exporter writes into the header."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name == "filepath":
            return ""
        found = getattr(self._real, name)
        return _WithoutFile(found) if name == "data" else found


@contextmanager
def _no_file_path() -> Iterator[None]:
    """Have Blender's exporter believe that the open file was never saved."""
    from io_scene_fbx import export_fbx_bin

    before = export_fbx_bin.bpy
    export_fbx_bin.bpy = _WithoutFile(before)
    try:
        yield
    finally:
        export_fbx_bin.bpy = before


def _refuse_own_paths(path: Path) -> None:
    """Another version of Blender's exporter may write paths in another way. Raises RuntimeError if it did."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        own = [PurePosixPath(path.parent).as_posix(), bpy.data.filepath]
        if any(one and content.find(one.encode("utf-8", "surrogateescape")) >= 0 for one in own):
            raise RuntimeError(f"{path.name} holds a path of the worker")
