"""A result comes into the scene: beside what is there, in a collection of its own, never in the place of anything."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import appending, findings_list, fingerprints, framing, images, library_paths, parents
from .appending import ImportFailed
from .name_of import name_of, shown_name
from .placement import level_of, move_beside, source_of
from .sendoff.host import findings
from .sendoff.host.jobs import Job
from .sendoff.host.placement import OVER

__all__ = ["ImportFailed", "Imported", "import_result", "scene_file", "show_result", "why_not_now"]

#: Operators that are asked for by their jobs: they themselves end with the next event, perhaps long after.
_JOBS = frozenset({"RENDER_OT_render", "OBJECT_OT_bake"})


@dataclass(frozen=True)
class Imported:
    """What became of a result."""

    #: Short, for the status bar.
    text: str
    #: Sentences on what the artist should know besides, for example which originals changed.
    notes: tuple[str, ...] = ()
    object_names: tuple[str, ...] = ()
    image_names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def scene_file(job: Job) -> Path | None:
    """The .blend of a job's result, where there is one."""
    found = (file.path for file in job.files if file.role == "result" and file.path.suffix == ".blend")
    return next(found, None)


def why_not_now(job: Job, context: bpy.types.Context) -> str:
    """Why the result cannot be imported at this moment, as a sentence; "" where it can."""
    if not job.files:
        return "The result is not here yet" if job.is_active else "This job has no result"
    if scene_file(job) is not None:
        if context.mode != "OBJECT":
            return "Go to Object Mode to import the result"
        scene, view_layer = _target(job, context)
        active = view_layer.objects.active
        if active is not None and active.mode != "OBJECT":
            return f"Go to Object Mode in the scene “{shown_name(scene)}” to import the result"
    if bpy.app.is_job_running("RENDER") or bpy.app.is_job_running("OBJECT_BAKE"):
        return "Wait until the render has ended"
    if _is_held(context):
        return "Finish what you are doing in the view to import the result"
    return ""


def import_result(job: Job, context: bpy.types.Context, placement: str = "") -> Imported:
    """Bring all of a result into the open file, objects into the scene that they came from.

    Makes no undo step of its own: the caller's is the one. Raises ImportFailed.

    Args:
        job: The job; its files are here.
        context: The artist's.
        placement: "BESIDE" or "OVER" the originals; as the artist chose with the job where it is empty.
    """
    gone = [file.path for file in job.files if not file.path.is_file()]
    if gone or not job.files:
        where = f"gone from {gone[0].parent}" if gone else "not here"
        raise ImportFailed(f"The files of this result are {where}. Retry fetches them again.")
    try:
        with appending.all_or_nothing():
            return _import(job, context, placement or job.lod_placement)
    except ImportFailed:
        raise
    except Exception as error:
        traceback.print_exc()
        raise ImportFailed(
            f"Sendoff made a mistake while importing ({type(error).__name__}: {error}). "
            f"The files are in {job.files[0].path.parent}. Please tell your TD."
        ) from error


def show_result(job: Job, context: bpy.types.Context) -> str:
    """Show what was imported: objects selected and framed, the list of findings, the image; else the folder.

    Returns a sentence where there is something to say, "" otherwise.
    """
    shown, said = False, ""
    report = findings.report_file(job)
    if report is not None and report.is_file():
        found = findings_list.fill(context.window_manager, job)
        shown, said = True, found.problem or found.summary.capitalize()
    holders = _holders(job)
    if holders:
        here = [holder for holder in holders if holder in context.scene.collection.children_recursive]
        return _show_objects((here or holders)[-1], context) or said
    if images.brought(job):
        return images.show(job, context) or said
    if scene_file(job) is not None or images.image_files(job):
        return "The result is not in this file (any more). Import it to have it here"
    if not shown and job.files:
        folder = job.files[0].path.parent
        if not folder.is_dir():
            return f"The files of this result are gone from {folder}. Retry fetches them again"
        if not bpy.app.background:
            bpy.ops.wm.path_open(filepath=str(folder))
        said = f"The files are in {folder}"
    return said


def is_here(job: Job) -> bool:
    """Whether what a job brought into a scene is in the open file: undone, or in another file, it is not."""
    if scene_file(job) is not None:
        return bool(_holders(job))
    return not images.image_files(job) or bool(images.brought(job))


def _holders(job: Job) -> list[bpy.types.Collection]:
    return [holder for holder in bpy.data.collections if job.id and holder.get("sendoff_job") == job.id]


def _import(job: Job, context: bpy.types.Context, placement: str) -> Imported:
    texts: list[str] = []
    notes: list[str] = []
    objects: list[bpy.types.Object] = []
    used: set[Path] = set()
    path = scene_file(job)
    report = findings.report_file(job)
    if path is not None:
        text, objects = _import_objects(job, context, path, placement, notes)
        texts.append(text)
        used.add(path)
    loaded = _import_images(job, context, texts, notes, used)
    folder = library_paths.folder_of(job.source_path)
    concerned = [source_of(thing, folder) for thing in objects if level_of(thing) is not None]
    if report is not None:
        found = findings_list.fill(context.window_manager, job)
        if found.problem:
            notes.append(found.problem)
        else:
            texts.append(found.summary)
            used.update(file.path for file in job.files if file.role == "report")
            concerned += [
                (library_paths.absolute(finding.library, folder), finding.object) for finding in found.findings
            ]
    rest = [file.path for file in job.files if file.path not in used and file.role != "log"]
    if rest:
        named = ", ".join(path.name for path in rest[:3]) + (f" and {len(rest) - 3:,} more" if len(rest) > 3 else "")
        said = f"{named} in {rest[0].parent}"
        (notes if texts else texts).append(said if texts else f"done, {said}")
    notes[:0] = fingerprints.compare(job.fingerprints, concerned).notes()
    local_view = getattr(framing.space(context), "local_view", None)
    if objects and local_view is not None:
        notes.append("Leave Local View to see the result.")
    return Imported(
        text="; ".join(texts) or "done",
        notes=tuple(notes),
        object_names=tuple(name_of(thing) for thing in objects),
        image_names=tuple(name_of(image) for image in loaded),
    )


def _is_held(context: bpy.types.Context) -> bool:
    """Whether the artist holds something in the hand: one of Blender's own operators is in the middle of it.

    An operator that an add-on wrote may go on for as long as Blender runs, and one that has a file chosen waits.
    """
    windows = context.window_manager.windows
    running = {operator.bl_idname for window in windows for operator in window.modal_operators}
    spaces = [area.spaces.active for window in windows for area in window.screen.areas]
    choosing = {
        space.active_operator.bl_idname
        for space in spaces
        if isinstance(space, bpy.types.SpaceFileBrowser) and space.active_operator is not None
    }
    return any(bpy.types.Operator.bl_rna_get_subclass_py(name) is None for name in running - choosing - _JOBS)


def _target(job: Job, context: bpy.types.Context) -> tuple[bpy.types.Scene, bpy.types.ViewLayer]:
    """The scene that a result goes into, and the view layer in which it is selected."""
    return _shown(_scene(job.scene_name) or _own_scene(context), context)


def scenes_of(job: Job, context: bpy.types.Context) -> list[tuple[bpy.types.Scene, bpy.types.ViewLayer]]:
    """The scenes that have to be in Object Mode to take a result: the one on screen and the result's own."""
    if scene_file(job) is None:
        return []
    return list(dict.fromkeys(((context.scene, context.view_layer), _target(job, context))))


def _scene(name: object) -> bpy.types.Scene | None:
    return bpy.data.scenes.get((name, None)) if isinstance(name, str) and name else None


def _own_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene on screen; if that is a library's, which cannot take anything in, the first of the file's own."""
    if context.scene.library is None:
        return context.scene
    return next((scene for scene in bpy.data.scenes if scene.library is None), context.scene)


def _shown(scene: bpy.types.Scene, context: bpy.types.Context) -> tuple[bpy.types.Scene, bpy.types.ViewLayer]:
    return scene, context.view_layer if scene == context.scene else scene.view_layers[0]


def _import_objects(
    job: Job, context: bpy.types.Context, path: Path, placement: str, notes: list[str]
) -> tuple[str, list[bpy.types.Object]]:
    """Bring in the objects of a result, each collection into the scene that its originals are in."""
    before = _target(job, context)[1].objects.active
    active = None if before is None else (library_paths.of(before), name_of(before))
    folder = library_paths.folder_of(job.source_path)
    appended = appending.append(path, folder=folder)
    by_scene: dict[bpy.types.Scene, list[bpy.types.Collection]] = {}
    gone = []
    for holder in appended.collections:
        holder["sendoff_job"] = job.id
        wanted = holder.get(appending.SCENE) or job.scene_name
        scene = _scene(wanted)
        if wanted and scene is None:
            gone.append(str(wanted))
        by_scene.setdefault(scene or _target(job, context)[0], []).append(holder)
    parents.restore(appended.objects, folder=folder)
    is_over, places = placement == OVER, []
    for scene, holders in by_scene.items():
        view_layer = _shown(scene, context)[1]
        objects = _link(holders, scene, view_layer)
        if not is_over:
            move_beside(objects, scene, view_layer, folder=folder)
        elif any(level_of(thing) is not None for thing in objects):
            for holder in holders:
                holder.hide_render = True
        _select(objects, view_layer, active, folder)
        named = " and ".join(f"“{shown_name(holder)}”" for holder in holders)
        places.append(named + (f" of the scene “{shown_name(scene)}”" if scene != context.scene else ""))
    notes += [_why_elsewhere(name, context) for name in dict.fromkeys(gone)]
    objects = list(appended.objects)
    return _said(objects, places, is_over=is_over, folder=folder), objects


def _why_elsewhere(name: str, context: bpy.types.Context) -> str:
    own = _own_scene(context)
    if any(name_of(scene) == name for scene in bpy.data.scenes):
        return f"The scene “{name}” is a library's and takes nothing in, so the result is in “{shown_name(own)}”."
    if own != context.scene:
        return f"The scene “{name}” is not in this file, so the result is in “{shown_name(own)}”."
    return f"The scene “{name}” is not in this file, so the result is in the one that is shown."


def _link(
    holders: list[bpy.types.Collection], scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer
) -> list[bpy.types.Object]:
    """Have collections in a scene and shown; returns the objects in them."""
    for holder in holders:
        holder.hide_viewport = False
        scene.collection.children.link(holder)
        layer = next(one for one in view_layer.layer_collection.children if one.collection == holder)
        layer.hide_viewport = False
        if layer.exclude:  # setting it resets the simulations of the scene, even to the same value
            layer.exclude = False
    return list(dict.fromkeys(thing for holder in holders for thing in holder.all_objects))


def _said(objects: list[bpy.types.Object], places: list[str], *, is_over: bool, folder: str) -> str:
    """What came in and where, in a few words."""
    levels = [thing for thing in objects if level_of(thing) is not None]
    text = _counted(objects, levels)
    if levels and library_paths.objects(source_of(thing, folder) for thing in levels):
        text += f" {'over' if is_over else 'beside'} {'its original' if len(levels) == 1 else 'their originals'}"
    text += f", in {', '.join(places)}"
    return f"{text}, not rendered" if levels and is_over else text


def _counted(objects: list[bpy.types.Object], levels: list[bpy.types.Object]) -> str:
    count = len(objects)
    if levels and len(levels) == count:
        return f"{count:,} level{'' if count == 1 else 's'} of detail"
    return f"{count:,} object{'' if count == 1 else 's'}"


def _select(
    objects: list[bpy.types.Object],
    view_layer: bpy.types.ViewLayer,
    active: tuple[str, str] | None,
    folder: str = "",
) -> None:
    """Select exactly these; active is the finest level of what was active before, by library and name, or the first."""
    for thing in list(view_layer.objects.selected):
        thing.select_set(False, view_layer=view_layer)
    there = set(view_layer.objects)
    shown = [thing for thing in objects if thing in there]
    for thing in shown:
        thing.select_set(True, view_layer=view_layer)
    of_active = [thing for thing in shown if level_of(thing) is not None and source_of(thing, folder) == active]
    of_active.sort(key=lambda thing: level_of(thing) or 0)
    if shown:
        view_layer.objects.active = (of_active or shown)[0]


def _import_images(
    job: Job, context: bpy.types.Context, texts: list[str], notes: list[str], used: set[Path]
) -> list[bpy.types.Image]:
    """Load the images; what cannot be is a note, and fails the import only where there is nothing else."""
    paths = images.image_files(job)
    loaded, problems = [], []
    for path in paths[: images.MOST_IMAGES]:
        try:
            loaded.append(images.bring(job, path))
        except images.NoImage as problem:
            problems.append(f"{problem}")
        used.add(path)
    if problems and not loaded and not texts and findings.report_file(job) is None:
        raise ImportFailed(problems[0])
    notes += problems
    if loaded:
        is_seen = images.show_in_open_editor(loaded[0], context)
        names = f"“{shown_name(loaded[0])}”" if len(loaded) == 1 else f"{len(loaded):,} images"
        texts.append(f"{names}, packed into this file" + (" and shown" if is_seen else ""))
    return loaded


def _show_objects(holder: bpy.types.Collection, context: bpy.types.Context) -> str:
    """Select and frame what a collection holds; returns a sentence where that cannot be."""
    if context.mode != "OBJECT":
        return f"Go to Object Mode to have the objects of “{shown_name(holder)}” selected"
    view_layer, space = context.view_layer, framing.space(context)
    there = set(view_layer.objects)
    shown = [
        thing
        for thing in holder.all_objects
        if thing in there and thing.visible_get(view_layer=view_layer, viewport=space)
    ]
    if not shown:
        other = next((scene for scene in bpy.data.scenes if holder in scene.collection.children_recursive), None)
        name = shown_name(holder)
        if other is not None and other != context.scene:
            return f"The result is in the collection “{name}” of the scene “{shown_name(other)}”. Go there to see it"
        return f"The result is in the collection “{name}”, which is hidden here. Tick it in the Outliner"
    active = view_layer.objects.active
    _select(shown, view_layer, None if active is None else (library_paths.of(active), name_of(active)))
    return "" if framing.frame_selected(context) else "Open a 3D view in this window to see the result"
