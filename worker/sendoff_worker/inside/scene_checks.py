"""What can be wrong with a scene's objects, names and textures."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import bpy

from .findings import Findings
from .mesh_arrays import triangle_count
from .origin import identity, scale_of
from .view import View, plain_name

SCALE_TOLERANCE = 1e-4
COPY_SUFFIX = re.compile(r"\.\d{3,}$")
SHOWN_NAMES = 6


def check_scale(findings: Findings, one: Any) -> None:
    """A scale that is not applied bends bevels, physics and exports."""
    scale = scale_of(one)
    if max(abs(part - 1) for part in scale) <= SCALE_TOLERANCE:
        return
    text = ", ".join(f"{part:.3g}" for part in scale)
    if scale[0] * scale[1] * scale[2] < 0:
        message = f"Its scale ({text}) is negative: normals turn inside out when it is applied or exported."
        findings.add("unapplied_scale", "error", one, message)
    else:
        findings.add("unapplied_scale", "warning", one, f"Its scale ({text}) is not applied.")


def triangles_shown(view: View) -> dict[Any, int]:
    """How many triangles each object shows: its own with modifiers, and those of what it instances.

    What a collection instance shows counts for the objects of the collection, once each: an empty shows nothing itself.
    """
    own: dict[Any, int] = {}
    instanced: dict[Any, int] = defaultdict(int)
    for shape in view.shapes:
        triangles = triangle_count(shape.mesh)
        for place in shape.places:
            by_empty = place.instancer is not None and place.instancer.type == "EMPTY"
            if place.instancer is None or by_empty:
                own.setdefault(place.object, triangles)
            else:
                instanced[place.instancer] += triangles
    return {one: own.get(one, 0) + instanced.get(one, 0) for one in dict.fromkeys((*own, *instanced))}


def check_budget(findings: Findings, shown: dict[Any, int], face_budget: int) -> None:
    """Triangles as each object shows itself, modifiers and instances included."""
    for one, triangles in shown.items():
        if triangles > face_budget:
            message = f"It shows {triangles:,} triangles, more than the budget of {face_budget:,}."
            findings.add("over_budget", "warning", one, message)


def check_names(findings: Findings, objects: list[Any]) -> None:
    """Names that differ only by case or by Blender's .001, which engines and file systems take for one."""
    alike: dict[str, list[Any]] = defaultdict(list)
    for one in objects:
        alike[COPY_SUFFIX.sub("", plain_name(one)).casefold()].append(one)
    for some in alike.values():
        if len(some) > 1:
            names = [identity(one) for one in some]
            listed = ", ".join(names[:SHOWN_NAMES]) + (", ..." if len(names) > SHOWN_NAMES else "")
            message = f"{len(names):,} names differ only by case or by a number that engines drop: {listed}."
            severity = "warning" if len({name.casefold() for name in names}) < len(names) else "info"
            findings.add("name_clashes", severity, some[0], message)


def check_textures(findings: Findings, objects: list[Any], *, unused: bool) -> None:
    """Images that the objects' materials use (with ``unused`` the others too) and whose file is not there."""
    users = _image_users(objects)
    for image in bpy.data.images:
        if not unused and image not in users:
            continue
        if image.source in {"FILE", "SEQUENCE", "MOVIE", "TILED"} and not image.packed_file and not _found(image):
            name = Path(bpy.path.abspath(image.filepath).replace("\\", "/")).name or "no file"
            used = f", which {len(users[image]):,} objects use" if image in users else ", which no object uses"
            message = f"The file of the texture “{image.name}” ({name}){used}, is missing."
            severity = "error" if image in users else "info"
            findings.add("missing_textures", severity, users.get(image, [image])[0], message)


def _found(image: Any) -> bool:
    path = Path(bpy.path.abspath(image.filepath, library=image.library).replace("\\", "/"))
    if "<" in path.name:  # <UDIM> and <UVTILE>: any tile will do
        return path.parent.is_dir() and any(path.parent.glob(re.sub(r"<\w+>", "*", path.name)))
    return path.is_file()


def _image_users(objects: list[Any]) -> dict[Any, list[Any]]:
    users: dict[Any, list[Any]] = defaultdict(list)
    images: dict[Any, set[Any]] = {}
    for one in objects:
        of_object: set[Any] = set()
        for slot in one.material_slots:
            if slot.material is not None:
                if slot.material not in images:
                    images[slot.material] = _images_of(slot.material.node_tree, set())
                of_object |= images[slot.material]
        for image in of_object:
            users[image].append(one)
    return users


def _images_of(tree: Any, seen: set[Any]) -> set[Any]:
    if tree is None or tree in seen:
        return set()
    seen.add(tree)
    found = set()
    for node in tree.nodes:
        if getattr(node, "image", None) is not None:
            found.add(node.image)
        if node.type == "GROUP":
            found |= _images_of(node.node_tree, seen)
    return found
