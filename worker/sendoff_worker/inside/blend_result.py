"""A result's .blend: the levels in a scene of their own, without libraries, and with the artist's paths only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from . import blend_file
from .job import Job

if TYPE_CHECKING:
    from .lod_result import LodResult

#: On a datablock: the library that the artist's scene has it from, and its name there; on an image, the path of its
#: file as the artist's scene writes it.
LIBRARY_PROPERTY, NAME_PROPERTY, PATH_PROPERTY = "sendoff_library", "sendoff_name", "sendoff_path"
_PARENT = "sendoff_parent"


def write_blend(job: Job, result: LodResult, path: Path) -> None:
    """Save the collections in their own scene, and nothing else of the artist's; textures are not packed.

    The last thing to do with the open scene, as the rest of it is dropped.
    """
    _note_parents(job, result)
    _drop_the_most(result.scene, beside=path)
    scene = bpy.context.window.scene
    bpy.data.batch_remove([one for one in bpy.data.scenes if one != scene])
    collections = set(scene.collection.children)
    own = {one for collection in collections for one in collection.objects}
    bpy.data.batch_remove([one for one in bpy.data.objects if one not in own])
    bpy.data.batch_remove([one for one in bpy.data.collections if one not in collections])
    bpy.data.batch_remove([*bpy.data.texts, *bpy.data.actions])
    for block in bpy.data.user_map():
        if block.library is None and block.use_fake_user:
            block.use_fake_user = False
    bpy.data.orphans_purge(do_local_ids=True, do_linked_ids=True, do_recursive=True)
    _make_local(job)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=False, relative_remap=False)
    blend_file.clean(path)
    blend_file.compress(path)


def _drop_the_most(scene: Any, *, beside: Path) -> None:
    """Open a scene alone, with what it uses; Blender takes the longer to remove a datablock the more others there are.

    Args:
        scene: The scene that stays.
        beside: Where a file may be written; not used if the open file has a folder, to which its paths are relative.
    """
    folder = Path(bpy.data.filepath).parent if bpy.data.filepath else beside.parent
    alone = folder / "sendoff-levels.blend"
    name = scene.name
    try:
        bpy.data.libraries.write(str(alone), {scene}, path_remap="NONE", compress=False)
        bpy.ops.wm.open_mainfile(filepath=str(alone), load_ui=False, use_scripts=False)
    finally:
        alone.unlink(missing_ok=True)
    bpy.context.window.scene = bpy.data.scenes[name, None]


def _note_parents(job: Job, result: LodResult) -> None:
    """What a level is to follow, for the add-on, which has the parent at hand."""
    for one, parent in result.parents.items():
        one[_PARENT] = parent.name
        library = job.library_path(parent.object)
        if library is not None:
            one[f"{_PARENT}_library"] = library
        one[f"{_PARENT}_type"] = parent.kind
        if parent.bone:
            one[f"{_PARENT}_bone"] = parent.bone
        one[f"{_PARENT}_inverse"] = [float(value) for row in parent.inverse for value in row]


def _make_local(job: Job) -> None:
    """Make what is left of libraries the file's own, marked with where the artist's scene has it from.

    Images name their files as the artist's scene would, those of libraries as well.
    """
    linked = [block for block in bpy.data.user_map() if block.library is not None and block.id_type != "LIBRARY"]
    marks = [(block, job.library_path(block), block.name) for block in linked]
    paths = {block: job.original_path(block) for block in bpy.data.images}
    for block, library, name in marks:
        path = paths.pop(block, None)
        made = block.make_local() or block
        made[LIBRARY_PROPERTY], made[NAME_PROPERTY] = library or "", name
        if path is not None:
            paths[made] = path
    for library in list(bpy.data.libraries):
        bpy.data.libraries.remove(library)
    for image, path in paths.items():
        if path is not None:
            image[PATH_PROPERTY] = path
            image.filepath_raw = path
