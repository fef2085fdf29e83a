"""Small programs that a Blender Python runs, in a process of its own: make scenes, and measure results."""

from __future__ import annotations

import json
import subprocess
import textwrap
from pathlib import Path
from typing import Any

_SECONDS = 300


def run(python: Path, program: str, *arguments: str | Path) -> Any:
    """Run a program with bpy; returns the JSON object it prints last."""
    done = subprocess.run(
        [python, "-I", "-c", textwrap.dedent(program), *map(str, arguments)], capture_output=True, text=True,
        timeout=_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    # Blender's own lines come whenever its buffer is written.
    return json.loads(next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{")))


MAKE_SCENE = """
    import sys, bpy
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, location=(1, 2, 3))
    ball = bpy.context.object
    ball.name = "Ball"
    ball.data.materials.append(bpy.data.materials.new("Paint"))
    ball.modifiers.new("Smooth", "SUBSURF").levels = 1
    bpy.ops.mesh.primitive_torus_add(location=(5, 0, 0))
    ring = bpy.context.object
    ring.name = "Ring"
    twin = bpy.data.objects.new("Twin", ring.data)
    twin.location = (8, 0, 0)
    bpy.context.scene.collection.objects.link(twin)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Nothing", bpy.data.meshes.new("Nothing")))
    bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1], compress=False)
    print("{}")
"""

MAKE_EMPTY = """
    import sys, bpy
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1], compress=sys.argv[2] == "compressed")
    print("{}")
"""

MEASURE = """
    import json, sys, bpy
    bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
    print(json.dumps({
        o.name: {
            "triangles": sum(len(p.vertices) - 2 for p in o.data.polygons),
            "mesh": o.data.name,
            "materials": [m.name if m else None for m in o.data.materials],
            "uvs": [layer.name for layer in o.data.uv_layers],
            "location": [round(c, 4) for c in o.matrix_world.translation],
            "source": o.get("sendoff_source"),
            "level": o.get("sendoff_level"),
        }
        for o in bpy.data.objects if o.type == "MESH"
    }))
"""
