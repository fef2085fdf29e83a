"""What of the scene a task on meshes cannot take, said by count and name before anything is sent.

Looks at the types of objects alone: nothing is evaluated, so that the click stays quick.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import bpy

from .name_of import name_of, shown_name
from .sendoff.host.submitting import Order

#: Tasks on meshes: those of this family, and the check of a scene.
_FAMILY, _CHECK = "mesh.", "scene.check"
#: Kinds of objects that have a surface or look like one, and cannot be read as a mesh: one, several.
_KINDS = {
    "CURVES": ("hair object", "hair objects"),
    "POINTCLOUD": ("point cloud", "point clouds"),
    "VOLUME": ("volume", "volumes"),
    "GPENCIL": ("Grease Pencil object", "Grease Pencil objects"),
    "GREASEPENCIL": ("Grease Pencil object", "Grease Pencil objects"),
    "HAIR": ("object with particle hair", "objects with particle hair"),
}
_SHOWN = 3


def notes(order: Order) -> tuple[str, ...]:
    """A sentence that names what the task leaves out; none if that is nothing, or the task is no mesh task."""
    if not (order.task.startswith(_FAMILY) or order.task == _CHECK):
        return ()
    found: dict[tuple[str, str], list[str]] = {}
    suspects = {thing: kinds for thing in bpy.data.objects if (kinds := _kinds(thing))}
    if not suspects:
        return ()
    meant = None if order.scope is None else set(order.scope.objects)
    for thing in _concerned(order, suspects):
        if meant is None or _name(thing) in meant:
            for kind in suspects[thing]:
                found.setdefault(kind, []).append(shown_name(thing))
    if not found:
        return ()
    parts = [_counted(kind, names) for kind, names in found.items()]
    return (f"This task cannot take: {'; '.join(parts)}. Convert them to meshes to have them processed.",)


def _kinds(thing: bpy.types.Object) -> list[tuple[str, str]]:
    kinds = [_KINDS[thing.type]] if thing.type in _KINDS and not _may_become_a_mesh(thing) else []
    if len(bpy.data.particles):
        for system in thing.particle_systems:
            settings = system.settings
            if settings is not None and settings.type == "HAIR" and settings.render_type == "PATH":
                kinds.append(_KINDS["HAIR"])
    return kinds


def _may_become_a_mesh(thing: bpy.types.Object) -> bool:
    """Whether geometry nodes may make a mesh of it; the task tells afterwards of those that they do not."""
    return any(
        isinstance(modifier, bpy.types.NodesModifier)
        and modifier.node_group is not None
        and (modifier.show_viewport or modifier.show_render)
        for modifier in thing.modifiers
    )


def _concerned(order: Order, suspects: Iterable[bpy.types.Object]) -> Iterator[bpy.types.Object]:
    """Those that the task would look at: what is visible on screen, by itself or in an instanced collection."""
    choice = order.params.get("objects", "visible")
    if choice == "all":
        yield from (thing for thing in suspects if thing.users_scene or thing.users_collection)
        return
    scene = bpy.data.scenes.get((order.scene_name, None)) or bpy.context.scene
    view_layer = scene.view_layers.get(order.view_layer_name) or scene.view_layers[0]
    there = set(view_layer.objects)
    instanced: set[bpy.types.Object] = set()
    for thing in there:
        if thing.instance_type == "COLLECTION" and thing.instance_collection is not None and _counts(thing, view_layer):
            _gather(thing.instance_collection, instanced, set())
    for thing in suspects:
        if thing in instanced or (thing in there and _counts(thing, view_layer, renders=choice == "renderable")):
            yield thing


def _counts(thing: bpy.types.Object, view_layer: bpy.types.ViewLayer, *, renders: bool = False) -> bool:
    return not thing.hide_render if renders else thing.visible_get(view_layer=view_layer)


def _gather(collection: bpy.types.Collection, found: set[bpy.types.Object], seen: set[bpy.types.Collection]) -> None:
    if collection in seen:
        return
    seen.add(collection)
    for thing in collection.all_objects:
        found.add(thing)
        if thing.instance_type == "COLLECTION" and thing.instance_collection is not None:
            _gather(thing.instance_collection, found, seen)


def _name(thing: bpy.types.Object) -> tuple[str, str | None]:
    return name_of(thing), thing.library.filepath if thing.library is not None else None


def _counted(kind: tuple[str, str], names: list[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{len(names):,} {kind[0] if len(names) == 1 else kind[1]} ({shown}{more})"
