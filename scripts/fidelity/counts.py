"""What `scene.check` should find, counted by bmesh inside Blender, and the comparison with its report."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import bmesh
import bpy
import numpy as np
from surfaces import Shown, library_of

#: check and severity of a finding, by our name for the count.
FINDINGS = {
    "ngons": ("ngons", "warning"),
    "edges of more than two faces": ("non_manifold_edges", "error"),
    "edges without a face": ("non_manifold_edges", "warning"),
    "edges of an open border": ("non_manifold_edges", "info"),
    "vertices without an edge": ("loose_vertices", "warning"),
}


def counts_of(mesh: bpy.types.Mesh) -> dict[str, tuple[int, int]]:
    """The least and the most that is right, for each kind."""
    counted = bmesh.new()
    try:
        counted.from_mesh(mesh)
        positions = np.array([vertex.co[:] for vertex in counted.verts], np.float64).reshape(-1, 3)
        diagonal = float(((positions.max(axis=0) - positions.min(axis=0)) ** 2).sum()) if len(positions) else 0.0
        areas = np.array([face.calc_area() for face in counted.faces], np.float64)
        links = np.array([len(edge.link_faces) for edge in counted.edges], np.int32)
        exact = {
            "ngons": sum(len(face.verts) > 4 for face in counted.faces),
            "edges of more than two faces": int((links > 2).sum()),
            "edges without a face": int((links == 0).sum()),
            "edges of an open border": int((links == 1).sum()),
            "vertices without an edge": sum(not vertex.link_edges for vertex in counted.verts),
        }
        found = {name: (count, count) for name, count in exact.items()}
        # An area at the limit may fall on either side.
        found["faces without area"] = (int((areas == 0).sum()), int((~(areas > 4e-12 * diagonal)).sum()))
        without_uv = int(bool(len(counted.faces)) and not mesh.uv_layers)
        found["no UV map"] = (without_uv, without_uv)
    finally:
        counted.free()
    return found


def judge_check(shown: Sequence[Shown], report: dict[str, Any] | None, texts: Iterable[str]) -> list[str]:
    """Compare the report with our own counts; returns a line for each deviation."""
    names: dict[str, Shown] = {}
    for one in shown:
        names.setdefault(one.name, one)
    expected = [one for one in names.values() if not one.is_left_alone]
    if report is None:
        return ["report: there is no report.json"] if expected else []
    by_object: dict[tuple[str, str, str], int] = defaultdict(int)
    missing_files: list[str] = []
    lines = [f"check: {text}" for text in texts if "could not be checked" in text]
    for finding in report.get("findings", []):
        if finding["check"] == "missing_textures":
            missing_files.append(finding["message"])
        if finding["datablock"] != "object" or finding["check"] in {"name_clashes", "missing_textures"}:
            continue
        by_object[finding["object"], finding["check"], finding["severity"]] += finding["count"]
        if finding["object"] in names and names[finding["object"]].is_left_alone:
            lines.append(f"check: “{finding['object']}” is a {names[finding['object']].is_left_alone} and was checked")
        elif finding["object"] not in names and not _is_surface(finding["object"]):
            lines.append(f"check: “{finding['object']}” is not shown on screen and was checked")
    lines += _judge_meshes(expected, by_object)
    return sorted(dict.fromkeys(lines)) + _judge_missing(expected, missing_files)


def _is_surface(name: str) -> bool:
    """Whether an object holds others' surfaces: an instancer, a curve."""
    one = bpy.data.objects.get(name)
    return one is not None and one.type != "MESH"


def _judge_meshes(expected: Sequence[Shown], by_object: dict[tuple[str, str, str], int]) -> list[str]:
    lines = []
    users: dict[bpy.types.Mesh, list[str]] = defaultdict(list)
    for shown in expected:
        for one in bpy.data.objects:
            is_it = one.name == shown.name and one.type == "MESH" and one.data is not None
            if is_it and library_of(one) == shown.library:
                users[one.data].append(one.name)
    for mesh, objects in users.items():
        own = counts_of(mesh)
        for name, (check, severity) in {
            **FINDINGS, "faces without area": ("zero_area_faces", "error"), "no UV map": ("missing_uvs", "warning")
        }.items():  # fmt: skip
            least, most = own[name]
            told = max(by_object.get((one, check, severity), 0) for one in objects)
            if not least <= told <= most:
                lines.append(f"check: {name} of “{objects[0]}”: {told:,} were found, there are {least:,}")
    return lines


def _judge_missing(expected: Sequence[Shown], messages: Sequence[str]) -> list[str]:
    shown = {one.name for one in expected}
    used: set[bpy.types.Image] = set()
    for one in bpy.data.objects:
        if one.name in shown:
            for slot in one.material_slots:
                if slot.material is not None:
                    used |= images_of(slot.material.node_tree, set())
    lines = []
    for image in sorted(used, key=lambda one: one.name):
        is_named = any(f"“{image.name}”" in message for message in messages)
        if is_missing(image) and not is_named:
            lines.append(f"check: the texture “{image.name}” is missing and was not found out")
        elif is_named and not is_missing(image):
            lines.append(f"check: the texture “{image.name}” is there and was called missing")
    return lines


def images_of(tree: Any, seen: set[Any]) -> set[bpy.types.Image]:
    """All images of a node tree and of its groups."""
    if tree is None or tree in seen:
        return set()
    seen.add(tree)
    found = set()
    for node in tree.nodes:
        if getattr(node, "image", None) is not None:
            found.add(node.image)
        found |= images_of(getattr(node, "node_tree", None), seen)
    return found


def is_missing(image: bpy.types.Image) -> bool:
    """Whether an image should have a file and has none."""
    if image.source not in {"FILE", "SEQUENCE", "MOVIE", "TILED"} or image.packed_file or len(image.packed_files):
        return False
    if not image.filepath:
        return True
    path = Path(bpy.path.abspath(image.filepath, library=image.library).replace("\\", "/"))
    if image.source == "TILED":
        pattern = re.sub(r"<\w+>|\d{4}", "*", path.name, count=1)
        return not (path.parent.is_dir() and any(path.parent.glob(pattern)))
    return not path.is_file()
