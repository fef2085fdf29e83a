"""The mesh that an object shows: modifiers and shape keys applied, in a scene of its own."""

from __future__ import annotations

from typing import Any

import bpy
from mathutils import Matrix


class Workbench:
    """A scene that holds one object at a time, so that hidden objects evaluate and a bad one disturbs no other."""

    def __init__(self) -> None:
        self._scene = bpy.data.scenes.new("Sendoff workbench")
        self._layer = self._scene.view_layers[0]

    def evaluate(self, one: Any, scene: Any = None) -> tuple[Any, Matrix]:
        """A new mesh with all that the object's modifiers do, and the object's place in the world.

        Args:
            one: The mesh object, the scene's own or a library's.
            scene: Whose frame to evaluate at.
        """
        if scene is not None:
            self._scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        hidden, one.hide_viewport = one.hide_viewport, False
        self._scene.collection.objects.link(one)
        try:
            self._layer.update()
            graph = self._layer.depsgraph
            evaluated = one.evaluated_get(graph)
            if evaluated.is_evaluated is False:
                raise RuntimeError("Blender did not evaluate the object")
            mesh = bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True, depsgraph=graph)
            return mesh, evaluated.matrix_world.copy()
        finally:
            self._scene.collection.objects.unlink(one)
            one.hide_viewport = hidden

    def close(self) -> None:
        """Remove the scene."""
        bpy.data.scenes.remove(self._scene)


def modifiers_in_use(one: Any) -> list[Any]:
    """The modifiers that the viewport shows."""
    return [modifier for modifier in one.modifiers if modifier.show_viewport]


def is_plain(one: Any) -> bool:
    """Whether the object shows its mesh as it is, so that all objects of that mesh look alike."""
    return not modifiers_in_use(one) and one.data.shape_keys is None
