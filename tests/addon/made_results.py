"""Results as a worker writes them, made in a Blender of their own.

A spec is {"images", "groups", "materials": {key: {...}}, "collections": [{"scene": name, "objects": [object, ...]}]};
what has a "library" is marked as the worker marks it. An object has "name", "source", "level" and, if it matters,
"library", "matrix" (rows), "mesh" (a key: objects of one key share a mesh), "materials" (keys), "object_material"
(the key of one that the object itself has), and "parent" {"name", "library", "type", "bone", "inverse"}.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_SCRIPT = r"""
import json, os, sys
import bpy
from mathutils import Matrix

spec = json.loads(sys.argv[1])
bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def marked(block, library, name):
    if library:
        block["sendoff_library"], block["sendoff_name"] = library, name


images = {}
for key, one in spec.get("images", {}).items():
    image = bpy.data.images.new(one["name"], 4, 4)
    image.source = "FILE"
    if one.get("packed"):
        image.pack(data=b"a picture", data_len=9)
    if one.get("stored"):
        image.filepath_raw = one["stored"]
    if one.get("path"):
        image["sendoff_path"] = one["path"]
    marked(image, one.get("library"), one["name"])
    images[key] = image
groups = {}
for key, one in spec.get("groups", {}).items():
    group = bpy.data.node_groups.new(one["name"], "ShaderNodeTree")
    for image in one.get("images", ()):
        group.nodes.new("ShaderNodeTexImage").image = images[image]
    marked(group, one.get("library"), one["name"])
    groups[key] = group
materials = {}
for key, one in spec.get("materials", {}).items():
    material = bpy.data.materials.new(one["name"])
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    for image in one.get("images", ()):
        material.node_tree.nodes.new("ShaderNodeTexImage").image = images[image]
    for group in one.get("groups", ()):
        material.node_tree.nodes.new("ShaderNodeGroup").node_tree = groups[group]
    material.use_fake_user = one.get("fake_user", False)
    marked(material, one.get("library"), one["name"])
    materials[key] = material
scene = bpy.context.scene
scene.name = "Sendoff LODs"
meshes = {}
for number, part in enumerate(spec["collections"]):
    collection = bpy.data.collections.new("Sendoff LODs" if not number else f"Sendoff LODs {part['scene']}")
    collection["sendoff_scene"] = part["scene"]
    scene.collection.children.link(collection)
    for one in part["objects"]:
        key = one.get("mesh", one["name"])
        if key not in meshes:
            size = one.get("size", 1.0)
            mesh = meshes[key] = bpy.data.meshes.new(key)
            mesh.from_pydata([(x * size, y * size, z * size) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)],
                             [], [(0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6)])
            for material in one.get("materials", ()):
                mesh.materials.append(materials[material])
        thing = bpy.data.objects.new(one["name"], meshes[key])
        collection.objects.link(thing)
        thing.matrix_world = Matrix(one.get("matrix", Matrix.Identity(4)))
        if one.get("object_material"):
            thing.material_slots[0].link = "OBJECT"
            thing.material_slots[0].material = materials[one["object_material"]]
        thing["sendoff_source"], thing["sendoff_level"] = one["source"], one.get("level", 1)
        if one.get("library"):
            thing["sendoff_library"] = one["library"]
        parent = one.get("parent")
        if parent:
            thing["sendoff_parent"] = parent["name"]
            if parent.get("library"):
                thing["sendoff_parent_library"] = parent["library"]
            thing["sendoff_parent_type"] = parent.get("type", "OBJECT")
            thing["sendoff_parent_bone"] = parent.get("bone", "")
            thing["sendoff_parent_inverse"] = [value for row in parent["inverse"] for value in row]
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[2], compress=True, check_existing=False)
print("written", flush=True)
os._exit(0)
"""


def write(path: Path, spec: dict[str, Any]) -> Path:
    """Write a result's .blend."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps(spec), str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "written" in done.stdout, done.stdout + done.stderr
    return path


def rows(matrix: Any) -> list[list[float]]:
    """A matrix as a spec holds it."""
    return [list(row) for row in matrix]
