"""A mesh's own normals, carried over to a mesh of the same shape with other faces."""

from __future__ import annotations

from typing import Any

import bpy

from .evaluation import Workbench, drop_mesh


def transfer(workbench: Workbench, source: Any, target: Any) -> Any:
    """A new mesh: `target` with the custom normals that `source` has at the same places; `target` is removed.

    Blender's own Data Transfer modifier takes them from the nearest corner of the face that looks the same way: to
    blend between faces would round hard edges.
    """
    giver = bpy.data.objects.new("Sendoff normals", source)
    taker = bpy.data.objects.new("Sendoff level", target)
    modifier = taker.modifiers.new("Normals", "DATA_TRANSFER")
    modifier.object = giver
    modifier.use_object_transform = False
    modifier.use_loop_data = True
    modifier.data_types_loops = {"CUSTOM_NORMAL"}
    modifier.loop_mapping = "NEAREST_POLYNOR"
    for one in (giver, taker):
        workbench.hold(one)
    try:
        made = workbench.evaluate(taker)
    finally:
        for one in (taker, giver):
            workbench.release(one)
    name = target.name
    drop_mesh(target)
    made.name = name
    return made
