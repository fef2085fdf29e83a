"""A scene apart from the artist's, in which a task evaluates objects that it made itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy


class Workbench:
    """A scene that holds one object at a time, so that a bad one disturbs no other."""

    def __init__(self) -> None:
        self._scene = bpy.data.scenes.new("Sendoff workbench")
        self._layer = self._scene.view_layers[0]

    def hold(self, one: Any) -> None:
        """Put an object into the scene, to be evaluated."""
        self._scene.collection.objects.link(one)

    def release(self, one: Any) -> None:
        """Take an object out of the scene and remove it; its mesh stays."""
        self._scene.collection.objects.unlink(one)
        bpy.data.objects.remove(one, do_unlink=False, do_ui_user=False)

    def evaluate(self, one: Any) -> Any:
        """A new mesh with all that the modifiers of an object do, which the scene holds."""
        self._layer.update()
        graph = self._layer.depsgraph
        evaluated = one.evaluated_get(graph)
        if evaluated.is_evaluated is False:
            raise RuntimeError("Blender did not evaluate the object")
        return bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True, depsgraph=graph)

    def join(self, meshes: Sequence[Any]) -> Any:
        """One new mesh of several, with all their attributes and materials; the given ones are removed."""
        objects = [bpy.data.objects.new("Sendoff part", mesh) for mesh in meshes]
        for one in objects:
            self._scene.collection.objects.link(one)
        shown, bpy.context.window.scene = bpy.context.window.scene, self._scene
        try:
            self._layer.objects.active = objects[0]
            for one in objects:
                one.select_set(True, view_layer=self._layer)
            if len(objects) > 1:
                bpy.ops.object.join()
            joined = objects[0].data
            bpy.data.objects.remove(objects[0])
        finally:
            bpy.context.window.scene = shown
        for mesh in meshes:
            if mesh != joined and not mesh.users:
                bpy.data.meshes.remove(mesh)
        return joined

    def close(self) -> None:
        """Remove the scene."""
        bpy.data.scenes.remove(self._scene)


def drop_mesh(mesh: Any) -> None:
    """Remove a mesh that no object has.

    To look for its users in the whole file and in the waiting notices takes the longer the more there are.
    """
    bpy.data.meshes.remove(mesh, do_unlink=False, do_ui_user=False)
