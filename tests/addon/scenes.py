"""Files that tests make: images, scenes, results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy


def save_png(path: Path, colour: tuple[float, float, float, float] = (1.0, 0.5, 0.0, 1.0)) -> Path:
    """A real picture of 4 x 4 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("made", 4, 4)
    image.generated_color = colour
    image.file_format = "PNG"
    image.filepath_raw = str(path)
    image.save()
    bpy.data.images.remove(image)
    return path


def textured_material(name: str, path: str, *, source: str = "FILE") -> Any:
    """A material that reads an image; the image has the material's name."""
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):  # from then on each material has nodes
        material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(path, check_existing=False)
    node.image.name = name
    node.image.source = source
    material.use_fake_user = True
    return material


def grid(name: str, *, material: Any = None, cuts: int = 4) -> Any:
    """A flat mesh object of cuts x cuts faces, in the open scene."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=cuts, y_subdivisions=cuts)
    thing = bpy.context.object
    thing.name = thing.data.name = name
    if material is not None:
        thing.data.materials.append(material)
    return thing


def write_result(path: Path, source: Any, *, levels: int = 2) -> Path:
    """A result as the LOD task returns it: a collection with the levels of an object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    collection = bpy.data.collections.new("Sendoff LODs")
    for level in range(1, levels + 1):
        thing = bpy.data.objects.new(f"{source.name}_LOD{level}", source.data.copy())
        thing["sendoff_source"], thing["sendoff_level"] = source.name, level
        collection.objects.link(thing)
    bpy.data.libraries.write(str(path), {collection}, fake_user=True)
    for thing in list(collection.objects):
        mesh = thing.data
        bpy.data.objects.remove(thing)
        bpy.data.meshes.remove(mesh)
    bpy.data.collections.remove(collection)
    return path
