"""What an artist chose in a scene: task, scope, where levels of detail go; remembered in each scene."""

from __future__ import annotations

import bpy

from .current import desk
from .scopes import SCOPES
from .sendoff.host.known_tasks import KnownTask

DEFAULT_TASK = "mesh.lods"
#: Blender keeps no copy of the texts of an enumeration that is made while it runs: they have to stay alive.
_kept_items: list[tuple[str, str, str, int]] = []


def _task_items(settings: SENDOFF_PG_scene, _context: bpy.types.Context) -> list[tuple[str, str, str, int]]:
    found = [(task.name, task.title, task.description, number) for number, task in enumerate(desk.tasks)]
    if _task_number(settings) == len(found):
        text = f"{settings.task_name} (not offered now)" if found else settings.task_name
        found.append((settings.task_name, text, "No worker of this server offers it now", len(found)))
    if found != _kept_items:
        _kept_items[:] = found
    return _kept_items


def _task_number(settings: SENDOFF_PG_scene) -> int:
    """The number of the chosen task; that of an item behind all others where it is not offered.

    Where nobody has chosen, it is the first that is offered in the place of the default.
    """
    names = [task.name for task in desk.tasks]
    if settings.task_name in names:
        return names.index(settings.task_name)
    return len(names) if settings.is_property_set("task_name") else 0


def _choose_task(settings: SENDOFF_PG_scene, number: int) -> None:
    if 0 <= number < len(desk.tasks):
        settings.task_name = desk.tasks[number].name


class SENDOFF_PG_scene(bpy.types.PropertyGroup):
    """`scene.sendoff`."""

    # The name is what is kept: numbers of an enumeration change with what the server offers.
    task_name: bpy.props.StringProperty(name="Task", description="Name of the chosen task", default=DEFAULT_TASK)
    task: bpy.props.EnumProperty(
        name="Task", description="What the server does with this scene", items=_task_items, get=_task_number,
        set=_choose_task,
    )  # fmt: skip
    scope: bpy.props.EnumProperty(
        name="Scope", description="What of the scene the task is about", items=SCOPES, default="SCENE"
    )
    collection: bpy.props.PointerProperty(
        name="Collection", description="The collection that is processed, with those in it", type=bpy.types.Collection
    )
    lod_placement: bpy.props.EnumProperty(
        name="Placement",
        description="Where levels of detail go when they come back",
        items=(
            ("BESIDE", "Beside", "In a row beside their originals"),
            ("OVER", "Over", "In the place of their originals, and not rendered"),
        ),
        default="BESIDE",
    )


CLASSES = (SENDOFF_PG_scene,)


def of(scene: bpy.types.Scene) -> SENDOFF_PG_scene:
    """What is chosen in a scene: `scene.sendoff`."""
    return scene.sendoff  # type: ignore[attr-defined, no-any-return] # it is there once the add-on is registered


def chosen_task(scene: bpy.types.Scene) -> KnownTask | None:
    """The task that is chosen in a scene; None where it is not offered, or the server has not told of any."""
    number = _task_number(of(scene))
    return desk.tasks[number] if number < len(desk.tasks) else None


def why_no_task(scene: bpy.types.Scene) -> str:
    """Why the chosen task cannot be run, as a sentence; "" where it can, or where nobody knows yet."""
    if not desk.tasks or chosen_task(scene) is not None:
        return ""
    return f"“{of(scene).task_name}” is not offered by this server now: choose another task"


def register() -> None:
    """Have the settings on every scene."""
    bpy.types.Scene.sendoff = bpy.props.PointerProperty(  # type: ignore[attr-defined] # made here
        type=SENDOFF_PG_scene, name="Sendoff"
    )


def unregister() -> None:
    """Have them no more; their values stay in the file."""
    del bpy.types.Scene.sendoff  # type: ignore[attr-defined] # made above
