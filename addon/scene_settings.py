"""What an artist chose in a scene: task, scope, where levels of detail go; remembered in each scene."""

from __future__ import annotations

import bpy

from . import current
from .known_tasks import KnownTask
from .scopes import SCOPES

DEFAULT_TASK = "mesh.lods"
#: Blender keeps no copy of the texts of an enumeration that is made while it runs: they have to stay alive.
_kept_items: list[tuple[str, str, str, int]] = []


def _task_items(_self: SENDOFF_PG_scene, _context: bpy.types.Context) -> list[tuple[str, str, str, int]]:
    _kept_items[:] = [(task.name, task.title, task.description, number) for number, task in enumerate(current.tasks)]
    return _kept_items


def _task_number(settings: SENDOFF_PG_scene) -> int:
    names = [task.name for task in current.tasks]
    wanted = settings.task_name if settings.task_name in names else DEFAULT_TASK
    return names.index(wanted) if wanted in names else 0


def _choose_task(settings: SENDOFF_PG_scene, number: int) -> None:
    if 0 <= number < len(current.tasks):
        settings.task_name = current.tasks[number].name


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
    """The task that is chosen in a scene; None while the server has not told of any."""
    return current.tasks[_task_number(of(scene))] if current.tasks else None


def register() -> None:
    """Have the settings on every scene."""
    bpy.types.Scene.sendoff = bpy.props.PointerProperty(  # type: ignore[attr-defined] # made here
        type=SENDOFF_PG_scene, name="Sendoff"
    )


def unregister() -> None:
    """Have them no more; their values stay in the file."""
    del bpy.types.Scene.sendoff  # type: ignore[attr-defined] # made above
