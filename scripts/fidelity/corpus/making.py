"""What the scenes are made of: meshes, materials, images, node trees; and the list of all kinds."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

#: Files in folders of this name are named by scenes and are no scenes.
EXTERNAL = "external"


@dataclass(frozen=True)
class Kind:
    """One kind of scene."""

    name: str
    make: Callable[[Path], None]
    since: tuple[int, int]


KINDS: list[Kind] = []


def kind(since: tuple[int, int] = (4, 2)) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Register a function that makes a scene in a folder of its own; `since` is the first Blender that can."""

    def register(make: Callable[[Path], None]) -> Callable[[Path], None]:
        KINDS.append(Kind(make.__name__, make, since))
        return make

    return register


def save(path: Path | str) -> None:
    """Save the open file as one of the corpus, with relative paths to its externals."""
    Path(os.fspath(path)).parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=os.fspath(path), check_existing=False, relative_remap=False)


def empty_file() -> None:
    """Begin a new file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


def place(one: Any, *, at: tuple[float, float, float] = (0, 0, 0), collection: Any = None) -> Any:
    """Put a new object into a collection, by default the scene's own."""
    one.location = at
    (collection or bpy.context.scene.collection).objects.link(one)
    return one


def add(name: str, data: Any, **where: Any) -> Any:
    """A new object with data, or None for an empty."""
    return place(bpy.data.objects.new(name, data), **where)


def ball(name: str, *, segments: int = 24, material: Any = None, **where: Any) -> Any:
    """A sphere that is not the same from any two sides, with UVs, so that each wrong turn shows."""
    return add(name, ball_mesh(name, segments=segments, material=material), **where)


def ball_mesh(name: str, *, segments: int = 24, material: Any = None) -> Any:
    """A lopsided sphere of about `segments` squared triangles."""
    rings = segments // 2
    turn = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    tilt = np.linspace(0, np.pi, rings + 1)[1:-1]
    positions = [(0.0, 0.0, 1.4)]
    positions += [
        (np.sin(t) * np.cos(a) * 1.0, np.sin(t) * np.sin(a) * 0.7, np.cos(t) * 1.2) for t in tilt for a in turn
    ]
    positions += [(0.1, 0.0, -1.0)]
    last, faces = len(positions) - 1, []
    for index in range(segments):
        after = (index + 1) % segments
        faces.append((0, 1 + index, 1 + after))
        for ring in range(rings - 2):
            first = 1 + ring * segments
            faces.append((first + index, first + segments + index, first + segments + after, first + after))
        bottom = 1 + (rings - 2) * segments
        faces.append((bottom + index, last, bottom + after))
    mesh = mesh_of(name, positions, faces)
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    if material is not None:
        mesh.materials.append(material)
    return mesh


def mesh_of(name: str, positions: Any, faces: Any) -> Any:
    """A mesh with a UV layer that is made from the places."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(map(float, one)) for one in positions], [], [tuple(map(int, one)) for one in faces])
    layer = mesh.uv_layers.new(name="UVMap")
    for loop in mesh.loops:
        x, y, z = mesh.vertices[loop.vertex_index].co
        layer.uv[loop.index].vector = (x * 0.3 + 0.5, (y + z) * 0.2 + 0.5)
    mesh.update()
    return mesh


def sheet(name: str, *, cells: int = 20, size: float = 2.0, **where: Any) -> Any:
    """A bumpy sheet of `cells` squared faces."""
    steps = np.linspace(-size / 2, size / 2, cells + 1)
    x, y = np.meshgrid(steps, steps)
    z = 0.15 * np.sin(x * 4) * np.cos(y * 3)
    row = cells + 1
    faces = [
        (j * row + i, j * row + i + 1, (j + 1) * row + i + 1, (j + 1) * row + i)
        for j in range(cells)
        for i in range(cells)
    ]
    return add(name, mesh_of(name, np.stack([x, y, z], axis=-1).reshape(-1, 3), faces), **where)


def material(name: str, *, image: Any = None, colour: tuple[float, float, float] = (0.8, 0.2, 0.1)) -> Any:
    """A material with a shader, and a texture if there is an image."""
    made = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        made.use_nodes = True
    made.diffuse_color = (*colour, 1)
    shader = next(node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*colour, 1)
    if image is not None:
        texture = made.node_tree.nodes.new("ShaderNodeTexImage")
        texture.image = image
        made.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    return made


def load(path: Path | str, *, name: str = "", stored: str = "") -> Any:
    """An image from a file; `stored` is the path that the file keeps."""
    image = bpy.data.images.load(os.fspath(path), check_existing=False)
    image.name = name or image.name
    image.filepath = stored or image.filepath
    return image


def png(path: Path | str, colour: tuple[int, int, int] = (200, 60, 30), size: int = 8) -> Path | str:
    """Write a small picture of one colour."""
    Path(os.fspath(path)).parent.mkdir(parents=True, exist_ok=True)
    rows = b"".join(b"\0" + bytes(colour) * size for _ in range(size))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    data = b"\x89PNG\r\n\x1a\n"
    for code, body in parts:
        data += struct.pack(">I", len(body)) + code + body + struct.pack(">I", zlib.crc32(code + body))
    with open(os.fsencode(os.fspath(path)), "wb") as file:  # noqa: PTH123 - the name may be no text
        file.write(data)
    return path


def link(library: Path, kinds: str, names: list[str]) -> list[Any]:
    """Link datablocks of a kind from a library, by a relative path; the open file has to be saved before."""
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, wanted):
        setattr(wanted, kinds, list(names))
    return list(getattr(wanted, kinds))


def collection_of(name: str, *objects: Any, scene: Any = None) -> Any:
    """A collection of its own with these objects; in a scene if one is given."""
    made = bpy.data.collections.new(name)
    for one in objects:
        for holder in list(one.users_collection):
            holder.objects.unlink(one)
        made.objects.link(one)
    if scene is not None:
        scene.collection.children.link(made)
    return made


def instance_of(instanced: Any, name: str, **where: Any) -> Any:
    """An empty that instances a collection."""
    one = add(name, None, **where)
    one.instance_type, one.instance_collection = "COLLECTION", instanced
    return one


def tree(name: str) -> tuple[Any, Any, Any]:
    """A geometry-nodes tree; returns it, its input node and its output node."""
    made = bpy.data.node_groups.new(name, "GeometryNodeTree")
    made.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    made.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    return made, made.nodes.new("NodeGroupInput"), made.nodes.new("NodeGroupOutput")


def use_tree(one: Any, made: Any) -> Any:
    """Give an object a geometry-nodes modifier."""
    modifier = one.modifiers.new(made.name, "NODES")
    modifier.node_group = made
    return modifier


def activate(one: Any) -> None:
    """Make an object the only selected and the active one."""
    for other in bpy.context.view_layer.objects:
        other.select_set(False)
    one.select_set(True)
    bpy.context.view_layer.objects.active = one
