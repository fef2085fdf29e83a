"""A result comes into the scene: beside what is there, in a collection of its own, never in the place of anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from . import scene_export
from .jobs import Job

COLLECTION_NAME = "Sendoff result"
#: Kinds of datablocks of which the artist's own one is used where the result brings one of the same name.
_SHARED = ("materials", "images")
_COUNTED = ("materials", "node_groups", "textures", "images")


class ImportFailed(Exception):
    """A result could not be brought into the scene; the text is a sentence for the artist."""


def scene_file(job: Job) -> Path | None:
    """The .blend of a job's result, where there is one."""
    found = (file.path for file in job.files if file.role == "result" and file.path.suffix == ".blend")
    return next(found, None)


def why_not_now(job: Job, context: Any) -> str:
    """Why the result cannot be imported at this moment, as a sentence; "" where it can."""
    if not job.files:
        return "The result is not here yet" if job.is_active else "This job has no result"
    if scene_file(job) is not None and context.mode != "OBJECT":
        return "Go to Object Mode to import the result"
    if bpy.app.is_job_running("RENDER"):
        return "Wait until the render has ended"
    return ""


def import_result(job: Job, context: Any) -> str:
    """Append the result to the scene that it came from; returns a sentence on what is where.

    Makes no undo step of its own: the caller's is the one. Raises ImportFailed.
    """
    path = scene_file(job)
    if path is None:
        names = ", ".join(file.path.name for file in job.files)
        return f"done, {names} in {job.files[0].path.parent}"
    scene = bpy.data.scenes.get(job.scene_name) or context.scene
    holder = _append(path)
    holder["sendoff_job"] = job.id
    scene.collection.children.link(holder)
    objects = list(holder.all_objects)
    text = f"{len(objects)} object{'' if len(objects) == 1 else 's'} imported into the collection “{holder.name}”"
    if any(thing.get("sendoff_source") in scene.objects for thing in objects):
        _leave_unticked(scene, holder)
        text += "; tick it in the Outliner to see them"
    changed = _changed_since(job, objects)
    if changed:
        shown = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        text += f". Changed since it was sent, the result shows it as it was: {shown}"
    return text


def _leave_unticked(scene: Any, holder: Any) -> None:
    """Keep what lies in the same place as its originals out of the view and the render until the artist wants it."""
    for view_layer in scene.view_layers:
        found = view_layer.layer_collection.children.get(holder.name)
        if found is not None:
            found.exclude = True


def _append(path: Path) -> Any:
    before = {kind: set(getattr(bpy.data, kind)) for kind in (*_COUNTED, "libraries")}
    try:
        with bpy.data.libraries.load(str(path), link=False) as (source, target):
            names = {kind: list(getattr(source, kind)) for kind in _SHARED}
            for kind in _SHARED:
                setattr(target, kind, list(names[kind]))
            target.collections = list(source.collections)
            if not source.collections:
                target.objects = list(source.objects)
    except (OSError, RuntimeError) as error:
        raise ImportFailed(
            f"The result {path.name} cannot be read by this Blender: {str(error).strip().splitlines()[0]}"
        ) from error
    collections = [collection for collection in target.collections if collection is not None]
    inner = {child for collection in collections for child in collection.children_recursive}
    outer = [collection for collection in collections if collection not in inner]
    if len(outer) == 1:
        holder = outer[0]
    else:
        holder = bpy.data.collections.new(COLLECTION_NAME)
        for collection in outer:
            holder.children.link(collection)
        for thing in target.objects or () if not collections else ():
            holder.objects.link(thing)
    for kind in _SHARED:
        _use_own(before[kind], dict(zip(names[kind], getattr(target, kind))))  # noqa: B905
    _drop_unused(before)
    return holder


def _use_own(own: set[Any], appended: dict[str, Any]) -> None:
    """The artist's materials and images are used, as they are now, in the place of copies by the same name."""
    by_name = {block.name: block for block in own if block.library is None}
    for name, block in appended.items():
        mine = by_name.get(name)
        if block is None or mine is None or block in own:
            continue
        block.user_remap(mine)
        block.use_fake_user = False


def _drop_unused(before: dict[str, set[Any]]) -> None:
    """What came along and nobody uses goes again; nothing that was there before is touched."""
    for kind in _COUNTED:
        blocks = getattr(bpy.data, kind)
        for block in [block for block in blocks if block not in before[kind] and not block.users]:
            blocks.remove(block)
    for library in [library for library in bpy.data.libraries if library not in before["libraries"]]:
        if not library.users_id:
            bpy.data.libraries.remove(library)


def _changed_since(job: Job, objects: list[Any]) -> list[str]:
    """Names of the objects of which the result is, and which are not as they were sent."""
    sources = dict.fromkeys(str(thing["sendoff_source"]) for thing in objects if "sendoff_source" in thing)
    now = scene_export.mesh_sizes()
    return [name for name in sources if name in job.mesh_sizes and now.get(name) != tuple(job.mesh_sizes[name])]
