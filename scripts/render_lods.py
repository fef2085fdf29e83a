"""Renders the levels of detail of a scene side by side: ``render_lods.py RESULT.blend OUT.png``.

Runs in any Python that has bpy, without a display or a GPU (Cycles on the CPU). One column per level: above, the whole
scene; below, a part of it from near, where the triangles can be counted.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections import defaultdict
from math import radians
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector

WIDTH, HEIGHT = 1600, 500
SAMPLES = 12
NEAR = 0.26
"""How much of a column's width the near view shows."""
VIEW = Euler((radians(70), 0.0, radians(-28)))
BACKGROUND = (0.80, 0.82, 0.84)


def main() -> int:
    """Render the file that the command line names; the exit status is 1 where it holds no levels."""
    blend, picture = (Path(argument).resolve() for argument in sys.argv[-2:])
    bpy.ops.wm.open_mainfile(filepath=str(blend), load_ui=False, use_scripts=False)
    levels = levels_of_detail()
    if not levels:
        print(f"{blend.name} holds no levels of detail to render.", file=sys.stderr)
        return 1
    scene = bpy.data.scenes.new("Levels side by side")
    right, up = VIEW.to_matrix().col[0].copy(), VIEW.to_matrix().col[1].copy()
    low, high = extent(levels, right, up)
    size, middle = high - low, (low + high) / 2
    column = size.x * 1.12
    materials: dict[Any, Any] = {}
    for index, (title, parts) in enumerate(levels):
        for mesh, matrix in parts:
            one = bpy.data.objects.new(mesh.name, wired(mesh, materials))
            one.matrix_world = Matrix.Translation(right * column * index) @ matrix
            scene.collection.objects.link(one)
        label(scene, title, right * (column * index + middle.x) + up * (low.y - size.y * 0.20), size.x * 0.062)
    prepare(scene)
    with tempfile.TemporaryDirectory() as folder:
        views = [Path(folder) / f"{number}.png" for number in range(len(levels) + 1)]
        count = len(levels)
        aim(scene, right * (middle.x + column * (count - 1) / 2) + up * (middle.y - size.y * 0.08), column * count)
        render(scene, views[0], WIDTH, HEIGHT // 2)
        near = near_point(levels, right, up)
        for index, view in enumerate(views[1:]):
            aim(scene, right * (near.x + column * index) + up * near.y, column * NEAR)
            render(scene, view, column_pixels(index, count), HEIGHT - HEIGHT // 2)
        rows = [pixels(views[0]), np.concatenate([pixels(view) for view in views[1:]], axis=1)]
    save(np.concatenate(rows[::-1]), picture)  # Blender counts rows from below
    print(picture)
    return 0


Column = tuple[str, list[tuple[Any, Matrix]]]


def levels_of_detail() -> list[Column]:
    """The title and the (mesh, place) pairs of every column: the original where the file has it, then its levels."""
    by_level: dict[int, list[Any]] = defaultdict(list)
    for one in bpy.data.objects:
        if one.type == "MESH" and "sendoff_level" in one:
            by_level[int(one["sendoff_level"])].append(one)
    sources = {one["sendoff_source"] for ones in by_level.values() for one in ones}
    originals = [one for one in bpy.context.scene.objects if one.name in sources and "sendoff_level" not in one]
    if originals:
        by_level[0] = originals
    graph = bpy.context.evaluated_depsgraph_get()
    columns: list[Column] = []
    first: dict[str, Vector] = {}
    for level, ones in sorted(by_level.items()):
        shown = [one.evaluated_get(graph) for one in ones]
        places = {one.get("sendoff_source", one.name): one.matrix_world.translation for one in ones}
        # A level stands beside the one before as a whole, or in the same place; here each has a column of its own.
        beside = next((place - first[source] for source, place in places.items() if source in first), Vector())
        first = {source: place - beside for source, place in places.items()} | first
        back = Matrix.Translation(-beside)
        parts = [(bpy.data.meshes.new_from_object(each, depsgraph=graph), back @ each.matrix_world) for each in shown]
        triangles = sum(len(mesh.loops) - 2 * len(mesh.polygons) for mesh, _ in parts)
        columns.append((f"{f'LOD {level}' if level else 'Original'} · {triangles:,} triangles", parts))
    return columns


def extent(levels: list[Column], right: Vector, up: Vector) -> tuple[Vector, Vector]:
    """The corners, seen from the camera, of what a column holds."""
    seen = np.concatenate([projected(mesh, matrix, right, up) for _, parts in levels for mesh, matrix in parts])
    return Vector(seen.min(axis=0)), Vector(seen.max(axis=0))


def near_point(levels: list[Column], right: Vector, up: Vector) -> Vector:
    """Where the near view looks: the part in front with the most triangles for its size."""
    _, parts = levels[-1]
    small = [part for part in parts if len(part[0].polygons) > 100] or parts
    front = VIEW.to_matrix().col[2]
    mesh, matrix = max(small, key=lambda part: (part[1].translation.dot(front), len(part[0].polygons)))
    return Vector(projected(mesh, matrix, right, up).mean(axis=0))


def projected(mesh: Any, matrix: Matrix, right: Vector, up: Vector) -> np.ndarray:
    """The mesh's vertices as the camera sees them, (n, 2)."""
    positions = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", positions)
    world = positions.reshape(-1, 3) @ np.array(matrix.to_3x3()).T + np.array(matrix.translation)
    return world @ np.array((right, up)).T


def wired(mesh: Any, made: dict[Any, Any]) -> Any:
    """The mesh, flat, with materials of its own colours that draw the edges."""
    mesh.shade_flat()
    colours = [material.diffuse_color[:3] if material else (0.6, 0.6, 0.6) for material in mesh.materials]
    places = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("material_index", places)
    mesh.materials.clear()
    for colour in colours or [(0.6, 0.6, 0.6)]:
        key = tuple(round(part, 3) for part in colour)
        if key not in made:
            made[key] = wire_material(key)
        mesh.materials.append(made[key])
    mesh.polygons.foreach_set("material_index", np.minimum(places, max(0, len(colours) - 1)))
    return mesh


def wire_material(colour: tuple[float, ...]) -> Any:
    """A plain colour with thin edges, light on dark and dark on light."""
    material = node_material("Wired")
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = 0.45
    wire, mix = nodes.new("ShaderNodeWireframe"), nodes.new("ShaderNodeMixRGB")
    wire.use_pixel_size = True
    wire.inputs["Size"].default_value = 0.7
    bright = sum(colour) / 3
    edge = 0.16 if bright < 0.08 else 0.0
    mix.inputs["Color1"].default_value = (*(max(part, 0.03) for part in colour), 1)
    mix.inputs["Color2"].default_value = (edge, edge, edge, 1)
    soften = nodes.new("ShaderNodeMath")
    soften.operation = "MULTIPLY"
    soften.inputs[1].default_value = 0.55
    links.new(wire.outputs["Fac"], soften.inputs[0])
    links.new(soften.outputs["Value"], mix.inputs["Fac"])
    links.new(mix.outputs["Color"], surface.inputs["Base Color"])
    return material


def label(scene: Any, text: str, place: Vector, size: float) -> None:
    """A line of text that faces the camera."""
    curve = bpy.data.curves.new("Label", "FONT")
    curve.body, curve.align_x, curve.size = text, "CENTER", size
    material = node_material("Label")
    surface = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Base Color"].default_value = (0.01, 0.01, 0.01, 1)
    curve.materials.append(material)
    one = bpy.data.objects.new("Label", curve)
    one.matrix_world = Matrix.Translation(place) @ VIEW.to_matrix().to_4x4()
    scene.collection.objects.link(one)


def node_material(name: str) -> Any:
    """A new material with its default shader."""
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True  # from 5.0 on every material has nodes
    return material


def prepare(scene: Any) -> None:
    """Light, camera and the renderer's settings."""
    world = bpy.data.worlds.new("Light")
    if bpy.app.version < (5, 0, 0):
        world.use_nodes = True
    background = next(node for node in world.node_tree.nodes if node.type == "BACKGROUND")
    background.inputs["Color"].default_value = (*BACKGROUND, 1)
    background.inputs["Strength"].default_value = 0.9
    scene.world = world
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 2.2, (radians(48), 0, radians(-75))
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.type = "ORTHO"
    camera.data.clip_end = 1e6
    for one in (sun, camera):
        scene.collection.objects.link(one)
    scene.camera = camera
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", SAMPLES, False
    scene.cycles.max_bounces = 2
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    bpy.context.window.scene = scene


def aim(scene: Any, place: Vector, width: float) -> None:
    """Point the camera at a place of the picture's plane, this wide."""
    away = VIEW.to_matrix().col[2] * width * 4
    scene.camera.matrix_world = Matrix.Translation(place + away) @ VIEW.to_matrix().to_4x4()
    scene.camera.data.ortho_scale = width
    scene.camera.data.sensor_fit = "HORIZONTAL"


def render(scene: Any, path: Path, width: int, height: int) -> None:
    """Render one view into a file."""
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def column_pixels(index: int, columns: int) -> int:
    """The width of a column, so that all of them make up the picture."""
    return WIDTH * (index + 1) // columns - WIDTH * index // columns


def pixels(path: Path) -> np.ndarray:
    """A picture as (height, width, 4), its lowest row first."""
    image = bpy.data.images.load(str(path))
    values = np.empty(image.size[0] * image.size[1] * 4, dtype=np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], 4)


def save(values: np.ndarray, path: Path) -> None:
    """Write a picture as PNG."""
    height, width, _ = values.shape
    image = bpy.data.images.new("Levels", width, height)
    image.pixels.foreach_set(np.ascontiguousarray(values, dtype=np.float32).ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save()


if __name__ == "__main__":
    status = 1
    try:
        status = main()
    except Exception:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Blender's own way out can hang
