"""The property that matters: whatever a scene holds, its levels are where and as the artist sees the originals.

The scenes are random: parents, shear, negative scales, modifiers, geometry nodes, collections that are instanced, also
from a library. The measuring is that of the fidelity tool, which uses nothing of Sendoff.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from mathutils import Euler, Matrix
from sendoff_inside import mesh_lods

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts" / "fidelity"))
from judge import Request, judge_levels
from levels import levels_among
from surfaces import Shown, distance_and_angle, what_is_shown

#: Of so few triangles a level of 0.95 has all, and so the very same shape.
KEPT_TRIANGLES = 10
SHAPES = {
    "tetrahedron": (
        [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1.5)],
        [(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)],
    ),
    "wedge": (
        [(0, 0, 0), (2, 0, 0), (2, 1, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1)],
        [(0, 3, 2, 1), (0, 1, 4), (2, 3, 5), (1, 2, 5, 4), (0, 4, 5, 3)],
    ),
    "sheet": ([(-1, -1, 0), (1, -1, 0.3), (1, 1, 0), (-1, 1, 0.5)], [(0, 1, 2, 3)]),
}
MODIFIERS = ("mirror", "array", "solidify", "subsurf", "scatter")

#: From whole numbers: Blender sets the processor so that hypothesis refuses to draw floats.
number = st.integers(-4000, 4000).map(lambda value: value / 1000)
size = st.sampled_from([0.25, 0.5, 1.0, 1.0, 2.0, 3.0, -1.0, -0.5])
angle = st.integers(-180, 180).map(math.radians)
place = st.tuples(st.tuples(number, number, number), st.tuples(angle, angle, angle), st.tuples(size, size, size))
thing = st.fixed_dictionaries(
    {
        "shape": st.sampled_from([*SHAPES, "empty", "curve", "text"]),
        "place": place,
        "parent": st.integers(0, 4),
        "inverse": st.booleans(),
        "modifiers": st.lists(st.sampled_from(MODIFIERS), max_size=2, unique=True),
        "holder": st.sampled_from(["scene", "scene", "inner", "library"]),
    }
)
instances = st.lists(st.tuples(st.sampled_from(["inner", "library"]), place, st.booleans()), max_size=4)


#: Blender's matrices have seven digits, and their errors add up along a chain of parents.
SAME = 5e-4
#: The judge pairs no more levels and places one by one.
MOST_PLACES = 2000


def thing_of(shape: str, where: Any, **more: Any) -> dict[str, Any]:
    """A thing as it is drawn."""
    return {"shape": shape, "place": where, "parent": 0, "inverse": False, "modifiers": [], "holder": "scene"} | more


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(things=st.lists(thing, min_size=1, max_size=6), instances=instances)
@example(
    things=[
        thing_of("empty", ((0, 0, 0), (0, 0, 0), (1, 3, 1))),
        thing_of("wedge", ((1, 0, 0), (0, 0, 0.8), (1, 1, 1)), parent=1, inverse=True),
    ],
    instances=[],
)
def test_levels_are_where_and_as_the_artist_sees_the_originals(
    things: list[dict[str, Any]], instances: list[Any], make_job: Any, recorder: Any, tmp_path: Path
) -> None:
    build(things, instances, tmp_path)
    shown = what_is_shown(bpy.context)
    assume(len(shown) <= MOST_PLACES)
    recorder.sent.clear()
    job = make_job(levels=1, ratio=0.95)
    result = job.folder / "lods.blend"
    result.unlink(missing_ok=True)
    summary = mesh_lods.run(job)
    levels: list[Any] = []
    if result.is_file():
        bpy.ops.wm.open_mainfile(filepath=str(result), load_ui=False, use_scripts=False)
        levels = levels_among(bpy.data.objects)
    said = (*recorder.warnings, *(entry["reason"] for entry in summary["skipped"]))
    request = Request(levels=1, ratio=0.95, texts=said)
    assert judge_levels(shown, levels, request, measure=distance_and_angle) == []
    assert len(levels) == sum(one.surface.triangles > 0 for one in shown)
    for level in levels:
        originals = [one for one in shown if level.source in {one.name, one.instancer}]
        if all(one.surface.triangles <= KEPT_TRIANGLES for one in originals):
            assert min(gap(level.shown, one) for one in originals) < SAME


def gap(level: Shown, original: Shown) -> float:
    """How far the vertices of a level are from those of a mesh that has the same, relative to its size."""
    mine, its = (np.unique(np.round(points_of(one), 5), axis=0) for one in (level, original))
    if len(mine) != len(its):
        return math.inf
    apart = np.linalg.norm(mine[:, None] - its[None], axis=2)
    diagonal = float(np.linalg.norm(original.box[1] - original.box[0])) or 1.0
    return float(max(apart.min(axis=0).max(), apart.min(axis=1).max())) / max(diagonal, 1.0)


def points_of(one: Shown) -> np.ndarray:
    """Its vertices in the world."""
    return one.surface.positions @ one.matrix[:3, :3].T + one.matrix[:3, 3]


def build(things: list[dict[str, Any]], instances: list[Any], folder: Path) -> None:
    """Make the scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    holders = {"scene": scene.collection}
    for name in ("inner", "library"):
        holders[name] = bpy.data.collections.new(name.capitalize())
        holders[name].instance_offset = (0.5, 0, 0.25)
    made: dict[str, list[Any]] = {name: [] for name in holders}
    for index, one in enumerate(things):
        before = made[one["holder"]]
        before.append(make(one, index, before))
        holders[one["holder"]].objects.link(before[-1])
    holders["library"] = by_link(holders["library"], folder)
    for index, (name, where, is_inside) in enumerate(instances):
        empty = bpy.data.objects.new(f"Instance {index}", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", holders[name]
        empty.matrix_basis = matrix_of(where)
        (holders["inner"] if is_inside and name == "library" else scene.collection).objects.link(empty)
    bpy.context.view_layer.update()


def make(one: dict[str, Any], index: int, before: list[Any]) -> Any:
    """One object, below one of those that were made before it."""
    data = shape(one["shape"], f"{one['shape']} {index}")
    made = bpy.data.objects.new(f"Thing {index}", data)
    made.matrix_basis = matrix_of(one["place"])
    if one["parent"] and before:
        made.parent = before[(one["parent"] - 1) % len(before)]
        if one["inverse"]:
            made.matrix_parent_inverse = Matrix.Rotation(0.4, 4, "X") @ Matrix.Translation((0, 1, 0))
    for name in one["modifiers"] if data is not None else ():
        modify(made, name)
    return made


def shape(kind: str, name: str) -> Any:
    """The data of an object."""
    if kind in SHAPES:
        mesh = bpy.data.meshes.new(name)
        positions, faces = SHAPES[kind]
        mesh.from_pydata(positions, [], faces)
        mesh.uv_layers.new(name="UVMap")
        return mesh
    if kind == "curve":
        curve = bpy.data.curves.new(name, "CURVE")
        curve.dimensions, curve.bevel_depth, curve.bevel_resolution = "3D", 0.2, 1
        line = curve.splines.new("POLY")
        line.points.add(2)
        for point, at in zip(line.points, ((0, 0, 0, 1), (1, 0, 0.5, 1), (1.5, 1, 1, 1)), strict=True):
            point.co = at
        return curve
    if kind == "text":
        text = bpy.data.curves.new(name, "FONT")
        text.body, text.extrude = "Lod", 0.1
        return text
    return None


def modify(made: Any, name: str) -> None:
    """Add a modifier."""
    if name == "scatter":
        made.modifiers.new("Scatter", "NODES").node_group = scatter()
        return
    modifier = made.modifiers.new(name.capitalize(), name.upper())
    if name == "array":
        modifier.relative_offset_displace = (1.5, 0.2, 0)
    elif name == "solidify":
        modifier.thickness = 0.1
    elif name == "subsurf":
        modifier.levels = 2


def scatter() -> Any:
    """A tree that keeps the mesh and puts a small, turned cone on each of its points."""
    found = bpy.data.node_groups.get("Scatter")
    if found is not None:
        return found
    tree = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    into, out = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    points, cone = tree.nodes.new("GeometryNodeInstanceOnPoints"), tree.nodes.new("GeometryNodeMeshCone")
    join, turn = tree.nodes.new("GeometryNodeJoinGeometry"), tree.nodes.new("FunctionNodeInputVector")
    cone.inputs["Vertices"].default_value = 4
    turn.vector = (0.3, 0.9, 0.5)
    points.inputs["Scale"].default_value = (0.2, 0.3, 0.1)
    tree.links.new(turn.outputs[0], points.inputs["Rotation"])
    tree.links.new(into.outputs[0], points.inputs["Points"])
    tree.links.new(cone.outputs["Mesh"], points.inputs["Instance"])
    tree.links.new(points.outputs[0], join.inputs[0])
    tree.links.new(into.outputs[0], join.inputs[0])
    tree.links.new(join.outputs[0], out.inputs[0])
    return tree


def matrix_of(where: Any) -> Matrix:
    """A place as a matrix."""
    at, turned, scaled = where
    return Matrix.LocRotScale(at, Euler(turned), scaled)


def by_link(collection: Any, folder: Path) -> Any:
    """The same collection, in a library."""
    path = folder / "library.blend"
    bpy.data.libraries.write(str(path), {collection}, fake_user=True)
    objects = list(collection.objects)
    bpy.data.collections.remove(collection)
    for one in objects:
        bpy.data.objects.remove(one)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = ["Library"]
    return wanted.collections[0]
