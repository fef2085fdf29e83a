"""Run by a Blender Python: make a large scene, or make a small edit to it, in a process of its own.

python make_scene.py make FILE.blend MEGABYTES
python make_scene.py edit FILE.blend EDITED.blend
python make_scene.py sculpt FILE.blend EDITED.blend
"""

from __future__ import annotations

import sys

import bpy
import numpy as np

BYTES_PER_FACE = 102.0


def make(path: str, megabytes: float) -> None:
    """Sculpted grids with UVs and noise, as many faces as the size asks for, and a hundred small objects."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    random = np.random.default_rng(7)
    parts = 4
    side = int((megabytes * 1e6 / BYTES_PER_FACE / parts) ** 0.5)
    for part in range(parts):
        add_grid(f"Terrain {part}", side, random, offset=part * 3.0)
    for number in range(100):
        bpy.ops.mesh.primitive_uv_sphere_add(location=(number % 10, number // 10, 3))
        bpy.context.object.name = f"Prop {number}"
    bpy.ops.wm.save_as_mainfile(filepath=path, compress=False)


def add_grid(name: str, side: int, random: np.random.Generator, *, offset: float) -> None:
    """One grid of side x side faces with a UV layer."""
    axis = np.linspace(0.0, 2.0, side + 1, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    z = random.normal(0.0, 0.01, x.shape).astype(np.float32)
    corners = np.arange((side + 1) * (side + 1)).reshape(side + 1, side + 1)
    faces = np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=-1).reshape(-1, 4)
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(x.size)
    mesh.vertices.foreach_set("co", np.stack([x + offset, y, z], axis=-1).ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.ravel().astype(np.int32))
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 4, dtype=np.int32))
    layer = mesh.uv_layers.new(name="UVMap")
    flat = np.stack([x.ravel()[faces.ravel()] / 2, y.ravel()[faces.ravel()] / 2], axis=-1)
    layer.data.foreach_set("uv", flat.astype(np.float32).ravel())
    mesh.update(calc_edges=True)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new(name, mesh))


def edit(path: str, edited: str) -> None:
    """What an artist does between two submits: move a prop, rename one, change a material's colour."""
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=False)
    bpy.data.objects["Prop 7"].location.z += 0.5
    bpy.data.objects["Prop 8"].name = "Renamed"
    material = bpy.data.materials.new("Paint")
    material.diffuse_color = (0.8, 0.1, 0.1, 1.0)
    bpy.data.objects["Prop 9"].data.materials.append(material)
    bpy.ops.wm.save_as_mainfile(filepath=edited, copy=True, compress=False)


def sculpt(path: str, edited: str) -> None:
    """Move one vertex in the middle of a large mesh."""
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=False)
    vertices = bpy.data.objects["Terrain 1"].data.vertices
    vertices[len(vertices) // 2].co.z += 0.1
    bpy.ops.wm.save_as_mainfile(filepath=edited, copy=True, compress=False)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], float(sys.argv[3]))
    else:
        {"edit": edit, "sculpt": sculpt}[sys.argv[1]](sys.argv[2], sys.argv[3])
