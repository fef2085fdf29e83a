"""Makes the demo's scene: ``demo_scene.py OUT_FOLDER`` writes OUT_FOLDER/car.blend and its textures.

Runs in any Python that has bpy (4.2 or newer). The car is a body of more than 200,000 triangles, four wheels that share
one mesh, and parts with modifiers that are not applied. One texture lies beside the scene and one outside its folder.
"""

from __future__ import annotations

import os
import struct
import sys
import traceback
import zlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np

LENGTH = 4.4
STATIONS = 540
RING = 200
CONTROLS = 32
AXLES = (-1.38, 1.36)
WHEEL_RADIUS = 0.35
TRACK = 0.80

# Side view, front to rear, in metres: where along the car, and how high its top is there.
TOP_LINE = np.array(
    [(-2.2, 0.66), (-1.9, 0.70), (-1.2, 0.80), (-0.82, 0.86), (-0.5, 1.08), (-0.1, 1.29), (0.25, 1.35),
     (0.75, 1.32), (1.2, 1.17), (1.6, 0.99), (1.85, 0.94), (2.2, 0.90)]
)  # fmt: skip


def main() -> None:
    """Make the scene in the folder that the command line names."""
    folder = Path(sys.argv[-1]).resolve()
    textures, shared = folder / "textures", folder.parent / "shared-textures"
    for made in (textures, shared):
        made.mkdir(parents=True, exist_ok=True)
    write_png(textures / "paint.png", paint_pixels())
    write_png(shared / "tire.png", tire_pixels())
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.name = "Demo car"
    materials = make_materials(folder)
    collection = bpy.data.collections.new("Car")
    scene.collection.children.link(collection)
    body = add(collection, "Body", body_mesh(materials))
    for name, x, side in (("FL", 0, -1), ("FR", 0, 1), ("RL", 1, -1), ("RR", 1, 1)):
        wheel = add(collection, f"Wheel {name}", bpy.data.meshes.get("Wheel") or wheel_mesh(materials))
        wheel.location = (AXLES[x], side * TRACK, WHEEL_RADIUS)
        wheel.rotation_euler.z = 0 if side > 0 else np.pi
        wheel.parent = body
        smooth = wheel.modifiers.new("Smooth", "SUBSURF")
        smooth.levels = smooth.render_levels = 1
    add_parts(collection, materials, body)
    add_camera(scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "car.blend"), compress=False, relative_remap=False)
    faces = len(body.data.polygons)
    print(f"{folder / 'car.blend'}: {len(collection.objects)} objects, the body has {faces:,} faces")


def add(collection: Any, name: str, mesh: Any) -> Any:
    """A new object of a mesh in the collection."""
    one = bpy.data.objects.new(name, mesh)
    collection.objects.link(one)
    return one


def body_mesh(materials: dict[str, Any]) -> Any:
    """The body: sections along the car, each a closed B-spline, with the UV cut along the floor."""
    along = station_positions()
    rings = np.stack([section(x) for x in along])
    count = len(along)
    vertices = rings.reshape(-1, 3)
    caps = rings[[0, -1]].mean(axis=1)
    i, j = np.meshgrid(np.arange(count - 1), np.arange(RING), indexing="ij")
    i, j = i.ravel(), j.ravel()
    k = (j + 1) % RING
    quads = np.stack([i * RING + j, (i + 1) * RING + j, (i + 1) * RING + k, i * RING + k], axis=1)
    triangles = np.concatenate([quads[:, [0, 2, 1]], quads[:, [0, 3, 2]]])
    u = (along - along[0]) / (along[-1] - along[0])
    v = 1 - np.arange(RING + 1) / RING
    corners = np.stack([np.stack([u[i], v[j]], 1), np.stack([u[i + 1], v[j]], 1),
                        np.stack([u[i + 1], v[j + 1]], 1), np.stack([u[i], v[j + 1]], 1)], axis=1)  # fmt: skip
    uvs = np.concatenate([corners[:, [0, 2, 1]], corners[:, [0, 3, 2]]])
    j_quads, j = j, np.arange(RING)
    front = np.stack([np.full(RING, len(vertices)), j, (j + 1) % RING], axis=1)
    last = (count - 1) * RING
    rear = np.stack([np.full(RING, len(vertices) + 1), last + (j + 1) % RING, last + j], axis=1)
    mid = (v[:-1] + v[1:]) / 2
    pole, low, high = (np.stack([np.zeros(RING), at], axis=1) for at in (mid, v[:-1], v[1:]))
    front_uv = np.stack([pole, low, high], axis=1)
    rear_uv = np.add(np.stack([pole, high, low], axis=1), (1, 0))
    mesh = make_mesh(
        "Body", np.concatenate([vertices, caps]), np.concatenate([triangles, front, rear]),
        np.concatenate([uvs, front_uv, rear_uv]),
    )  # fmt: skip
    mesh.materials.append(materials["Paint"])
    mesh.materials.append(materials["Glass"])
    windows = glass((along[i] + along[i + 1]) / 2, (j_quads + 0.5) / RING * CONTROLS)
    mesh.polygons.foreach_set("material_index", np.concatenate([windows, windows, np.zeros(2 * RING)]).astype(np.int32))
    return mesh


def station_positions() -> np.ndarray:
    """Positions along the car, closer together where the nose and the tail close."""
    turn = np.linspace(-1, 1, STATIONS)
    bent = 0.55 * turn + 0.45 * np.sin(turn * np.pi / 2)
    return bent * (LENGTH / 2 - 0.002)


def section(x: float) -> np.ndarray:
    """The closed outline of the body at a place along it, RING points from the middle of the floor around."""
    close = (1 - abs(x / (LENGTH / 2)) ** 7) ** (1 / 3.2)
    top = np.interp(x, *smooth_line(TOP_LINE).T)
    belt = 0.70 + 0.16 * (x + 2.2) / 4.4
    cabin = np.clip((top - belt - 0.04) / 0.25, 0, 1)
    width = 0.92 - 0.05 * (x / 2.2) ** 2 + 0.035 * sum(np.exp(-(((x - axle) / 0.5) ** 2)) for axle in AXLES)
    arch = max((np.sqrt(max(0.0, 0.43**2 - (x - axle) ** 2)) + WHEEL_RADIUS for axle in AXLES), default=0)
    sill = max(0.22, arch if min(abs(x - axle) for axle in AXLES) < 0.43 else 0.0)
    sill = min(sill, belt - 0.06)
    inner = width - 0.34 if sill > 0.25 else width - 0.12
    roof_half = width * (0.86 - 0.24 * cabin)
    window = belt + 0.05 + (top - belt - 0.12) * 0.55 * cabin
    half = [
        (0, 0.17), (0.3, 0.17), (inner - 0.02, 0.18), (inner, 0.20), (inner + 0.02, sill - 0.03),
        (width - 0.035, sill - 0.008),
        (width - 0.012, sill), (width, sill + 0.03), (width, (sill + belt) / 2 + 0.05), (width - 0.015, belt - 0.03),
        (width - 0.045, belt + 0.005), (width - 0.085 - 0.03 * cabin, belt + 0.02), (roof_half + 0.055, window),
        (roof_half, top - 0.02 - 0.05 * cabin), (roof_half - 0.06, top - 0.008 - 0.012 * cabin),
        (roof_half * 0.55, top + 0.004), (0, top + 0.012),
    ]  # fmt: skip
    half = np.array(half)  # CONTROLS / 2 + 1 points
    centre = 0.52
    half[:, 1] = centre + (half[:, 1] - centre) * close
    half[:, 0] *= 0.25 + 0.75 * close
    ring = np.concatenate([half, (half * (-1, 1))[-2:0:-1]])
    outline = closed_spline(ring, RING)
    bow = 0.10 * (1 - (outline[:, 0] / 0.95) ** 2) * np.sign(x) * abs(x / 2.2) ** 4
    return np.column_stack([x + bow, outline])


def smooth_line(line: np.ndarray) -> np.ndarray:
    """The side view's top line without its corners."""
    x = np.linspace(line[0, 0], line[-1, 0], 221)
    z = np.interp(x, line[:, 0], line[:, 1])
    kernel = np.hanning(23)
    padded = np.pad(z, 11, mode="edge")
    return np.column_stack([x, np.convolve(padded, kernel / kernel.sum(), mode="valid")])


def closed_spline(points: np.ndarray, count: int) -> np.ndarray:
    """A closed uniform cubic B-spline, at places of equal parameter from the first point on."""
    place = np.arange(count) / count * len(points)
    index = place.astype(int)
    t = (place - index)[:, None]
    a, b, c, d = (points[(index + offset) % len(points)] for offset in (-1, 0, 1, 2))
    return ((1 - t) ** 3 * a + (3 * t**3 - 6 * t**2 + 4) * b + (-3 * t**3 + 3 * t**2 + 3 * t + 1) * c + t**3 * d) / 6


def glass(x: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Which faces of the body are windows, by their place along the car and around it (in control points)."""
    up = np.minimum(place, CONTROLS - place)  # 0 in the middle of the floor, 16 in the middle of the roof
    side = (up > 11.55) & (up < 12.85) & (x > -0.46) & (x < 1.22) & (abs(x - 0.42) > 0.035)
    front = (up > 13.3) & (x > -0.80) & (x < -0.10)
    rear = (up > 13.3) & (x > 0.98) & (x < 1.52)
    return side | front | rear


def wheel_mesh(materials: dict[str, Any]) -> Any:
    """A tyre with tread blocks and a rim of five spokes, turned about the y axis; the outer side is +y."""
    segments, radius = 120, WHEEL_RADIUS
    profile = np.array(
        [(0.215, -0.10), (0.225, -0.115), (0.28, -0.125), (0.325, -0.12), (0.345, -0.10), (0.35, -0.07), (0.35, -0.035),
         (0.35, 0.0), (0.35, 0.035), (0.35, 0.07), (0.345, 0.10), (0.325, 0.12), (0.28, 0.125), (0.235, 0.115),
         (0.225, 0.105), (0.215, 0.10), (0.205, 0.085), (0.195, 0.06), (0.13, 0.05), (0.085, 0.065), (0.06, 0.085),
         (0.012, 0.09)]
    )  # fmt: skip
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    r = np.repeat(profile[None, :, 0], segments, axis=0)
    y = np.repeat(profile[None, :, 1], segments, axis=0)
    tread = (r > 0.3495) & ((np.arange(segments) // 2 % 2)[:, None] == (np.arange(len(profile)) % 2)[None, :])
    r = np.where(tread, r - 0.008, r)
    spoke = np.clip(np.cos(angle * 5) * 2.2, -1, 1)[:, None]
    dish = ((profile[:, 0] < 0.2) & (profile[:, 0] > 0.08))[None, :]
    y = np.where(dish, y + 0.035 * spoke - 0.03, y)
    vertices = np.stack([r * np.cos(angle)[:, None], y, r * np.sin(angle)[:, None]], axis=2).reshape(-1, 3)
    columns = len(profile)
    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(segments), np.arange(columns - 1), indexing="ij"))
    k = (i + 1) % segments
    quads = np.stack([i * columns + j, i * columns + j + 1, k * columns + j + 1, k * columns + j], axis=1)
    v = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    v /= v[-1]
    here, there = i / segments, (i + 1) / segments
    corners = [(here, v[j]), (here, v[j + 1]), (there, v[j + 1]), (there, v[j])]
    uvs = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)
    mesh = make_mesh("Wheel", vertices, quads[:, ::-1], uvs[:, ::-1])
    mesh.materials.append(materials["Tire"])
    mesh.materials.append(materials["Rim"])
    mesh.polygons.foreach_set("material_index", (j >= 13).astype(np.int32))
    assert radius == profile[:, 0].max()
    return mesh


def make_mesh(name: str, vertices: np.ndarray, faces: np.ndarray, uvs: np.ndarray) -> Any:
    """A smooth mesh of faces with equally many corners; uvs has one pair per corner."""
    mesh = bpy.data.meshes.new(name)
    sides = faces.shape[1]
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, dtype=np.float32).ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(faces, dtype=np.int32).ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, sides, dtype=np.int32))
    mesh.update(calc_edges=True)
    layer = mesh.uv_layers.new(name="UVMap")
    layer.uv.foreach_set("vector", np.ascontiguousarray(uvs, dtype=np.float32).ravel())
    mesh.shade_smooth()
    if mesh.validate():
        raise RuntimeError(f"the demo's mesh {name} is not valid")
    return mesh


def add_parts(collection: Any, materials: dict[str, Any], body: Any) -> None:
    """Parts with modifiers that are not applied: a bevelled spoiler, mirrored lamps and mirrors."""
    spoiler = add(collection, "Spoiler", box_mesh("Spoiler", (0.17, 0.74, 0.018), materials["Trim"]))
    spoiler.location = (1.93, 0, 1.10)
    spoiler.rotation_euler.y = -0.12
    posts = add(collection, "Spoiler posts", box_mesh("Spoiler posts", (0.04, 0.02, 0.09), materials["Trim"]))
    posts.location = (1.9, 0.5, 1.02)
    mirrors = add(collection, "Mirrors", box_mesh("Mirrors", (0.06, 0.10, 0.05), materials["Trim"]))
    mirrors.location = (-0.45, 0.95, 0.92)
    lamps = add(collection, "Head lamps", ball_mesh("Head lamps", materials["Lamp"]))
    lamps.location, lamps.scale = (-1.98, 0.56, 0.615), (0.17, 0.15, 0.075)
    lights = add(collection, "Tail lamps", box_mesh("Tail lamps", (0.03, 0.20, 0.035), materials["Tail"]))
    lights.location = (2.17, 0.46, 0.70)
    for one in (posts, mirrors, lamps, lights):
        mirror = one.modifiers.new("Other side", "MIRROR")
        mirror.use_axis = (False, True, False)
        mirror.mirror_object = body
    for one in (spoiler, posts, mirrors, lights):
        bevel = one.modifiers.new("Soft edges", "BEVEL")
        bevel.width, bevel.segments = 0.012, 4
    for one in (mirrors, lamps):
        smooth = one.modifiers.new("Smooth", "SUBSURF")
        smooth.levels = smooth.render_levels = 2


def box_mesh(name: str, half: tuple[float, float, float], material: Any) -> Any:
    """A box of the given half sizes."""
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    faces = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    cell = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) / (3, 2)
    uvs = np.stack([np.add(cell, (index % 3 / 3, index // 3 / 2)) for index in range(6)])
    mesh = make_mesh(name, signs * half, faces, uvs)
    mesh.materials.append(material)
    return mesh


def ball_mesh(name: str, material: Any) -> Any:
    """A cube that a subdivision rounds."""
    mesh = box_mesh(name, (1, 1, 1), material)
    for vertex in mesh.vertices:
        vertex.co.normalize()
        vertex.co *= 1.3
    return mesh


def make_materials(folder: Path) -> dict[str, Any]:
    """The car's materials by name."""
    looks = {
        "Paint": ((0.45, 0.02, 0.02), 0.25, 0.0),
        "Glass": ((0.01, 0.015, 0.02), 0.05, 0.0),
        "Tire": ((0.02, 0.02, 0.02), 0.8, 0.0),
        "Rim": ((0.75, 0.75, 0.77), 0.25, 1.0),
        "Trim": ((0.02, 0.02, 0.02), 0.4, 0.0),
        "Lamp": ((0.9, 0.9, 0.85), 0.1, 0.0),
        "Tail": ((0.6, 0.0, 0.0), 0.2, 0.0),
    }
    images = {"Paint": folder / "textures" / "paint.png", "Tire": folder.parent / "shared-textures" / "tire.png"}
    relative = {"Paint": "//textures/paint.png", "Tire": "//../shared-textures/tire.png"}
    made = {}
    for name, (colour, roughness, metallic) in looks.items():
        material = bpy.data.materials.new(name)
        if bpy.app.version < (5, 0, 0):
            material.use_nodes = True
        material.diffuse_color = (*colour, 1)
        shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
        shader.inputs["Base Color"].default_value = (*colour, 1)
        shader.inputs["Roughness"].default_value = roughness
        shader.inputs["Metallic"].default_value = metallic
        if name in images:
            image = bpy.data.images.load(str(images[name]))
            image.name = name
            image.filepath = relative[name]
            texture = material.node_tree.nodes.new("ShaderNodeTexImage")
            texture.image = image
            material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
        made[name] = material
    return made


def add_camera(scene: Any) -> None:
    """A camera and a sun, so that the scene renders as it is."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (-5.2, -5.4, 2.6), (1.28, 0, -0.77)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 3.0, (0.6, 0.3, 0.4)
    for one in (camera, sun):
        scene.collection.objects.link(one)
    scene.camera = camera


def paint_pixels(size: int = 1024) -> np.ndarray:
    """The body's paint, length to the right and around the car upwards: red with two stripes along the top."""
    v, _ = np.meshgrid((np.arange(size) + 0.5) / size, np.arange(size), indexing="ij")
    pixels = np.empty((size, size, 3), dtype=np.uint8)
    pixels[:] = (168, 22, 24)
    pixels[(abs(v - 0.5) > 0.008) & (abs(v - 0.5) < 0.028)] = (236, 232, 222)
    pixels[(v < 0.11) | (v > 0.89)] = (22, 22, 24)
    return pixels


def tire_pixels(size: int = 512) -> np.ndarray:
    """Rubber: dark, with fine rings."""
    v, _ = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    shade = 24 + 6 * (v // 8 % 2)
    return np.repeat(shade[:, :, None], 3, axis=2).astype(np.uint8)


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write an (height, width, 3) array of bytes as a PNG, its first row at the bottom, always the same bytes."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels[::-1].reshape(height, -1)], axis=1)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),
        (b"IEND", b""),
    )
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in parts:
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


if __name__ == "__main__":
    status = 1
    try:
        main()
        status = 0
    except Exception:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(status)  # Blender's own way out can hang
