from __future__ import annotations

import importlib.util
import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from sendoff_inside import mesh_lods
from sendoff_inside.mesh_arrays import Corners, border_edges, column, uv_seam_edges

_spec = importlib.util.spec_from_file_location("lod_scenes", Path(__file__).with_name("lod_scenes.py"))
lod_scenes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lod_scenes)
ball, grid, triangles = lod_scenes.ball, lod_scenes.grid, lod_scenes.triangles


def test_every_level_has_its_ratio_of_the_one_before(make_levels: Any, recorder: Any) -> None:
    ball(segments=64)
    summary, collection = make_levels(levels=4, ratio=0.4)
    (entry,) = summary["objects"]
    for before, after in pairwise(entry["triangles"]):
        assert after == pytest.approx(before * 0.4, rel=0.05)
    assert entry["triangles"][1:] == [triangles(collection.objects[f"Ball_LOD{level}"].data) for level in (1, 2, 3, 4)]
    assert entry["faces"][0] == 64 * 32
    assert recorder.warnings == []
    assert recorder.of("progress")[-1]["fraction"] == 1.0


def test_levels_of_a_large_mesh_come_from_the_level_before(
    make_levels: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh_lods, "LARGE_TRIANGLES", 1000)
    grid()
    summary, collection = make_levels(levels=3)
    counts = summary["objects"][0]["triangles"]
    for before, after in pairwise(counts):
        assert after == pytest.approx(before * 0.5, rel=0.05)
    assert all(len(one.vertex_groups) == 0 for one in collection.objects)
    assert recorder.warnings == []


def test_levels_stand_where_the_object_stands_with_its_materials_and_its_name(make_levels: Any) -> None:
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.collection.objects.link(parent)
    parent.location = (5, 6, 7)
    one = ball()
    one.parent = parent
    one.rotation_euler, one.scale = (0.3, 0.2, 0.1), (1, 2, 3)
    one.data.materials.append(bpy.data.materials.new("Inside"))
    one.data.materials.append(bpy.data.materials.new("Other"))
    for polygon in one.data.polygons:
        polygon.material_index = int(polygon.center.z > 0)
    bpy.context.view_layer.update()
    matrix = one.matrix_world.copy()
    _, collection = make_levels(levels=1)
    (level,) = collection.objects
    np.testing.assert_allclose(np.array(level.matrix_basis), np.array(matrix), atol=1e-5)
    assert [material.name for material in level.data.materials] == ["Inside", "Other"]
    assert {polygon.material_index for polygon in level.data.polygons} == {0, 1}
    assert (level.name, level["sendoff_source"], level["sendoff_level"]) == ("Ball_LOD1", "Ball", 1)
    assert len(level.vertex_groups) == 0


def test_borders_and_uv_seams_are_held_as_asked(make_levels: Any) -> None:
    grid()
    _, collection = make_levels(levels=2)
    mesh = collection.objects["Grid_LOD2"].data
    corners = Corners.of(mesh)
    ends = column(mesh.edges, "vertices", np.int32, 2)
    positions = column(mesh.vertices, "co", np.float32, 3)
    border = positions[np.unique(ends[border_edges(mesh, corners)])]
    assert np.abs(np.abs(border[:, :2]).max(axis=1) - 1).max() < 0.01, "the border is still the square"
    seam = positions[np.unique(ends[uv_seam_edges(mesh, corners)])]
    assert len(seam) > 2
    assert np.abs(seam[:, 0]).max() < 0.02, "the seam is still at x = 0"


def test_uvs_fit_the_positions_as_before(make_levels: Any) -> None:
    grid()
    _, collection = make_levels(levels=2)
    mesh = collection.objects["Grid_LOD2"].data
    uv = column(mesh.uv_layers[0].uv, "vector", np.float32, 2)
    positions = column(mesh.vertices, "co", np.float32, 3)[column(mesh.loops, "vertex_index", np.int32)]
    right = np.repeat(column(mesh.polygons, "center", np.float32, 3)[:, 0] > 0, 3)
    expected = np.column_stack([positions[:, 0] * 0.4 + np.where(right, 0.6, 0.4), positions[:, 1] * 0.5 + 0.5])
    assert np.abs(uv - expected).mean() < 0.005
    assert np.quantile(np.abs(uv - expected), 0.99) < 0.05


def test_modifiers_are_applied(make_levels: Any) -> None:
    one = ball(segments=8)
    one.modifiers.new("Smooth", "SUBSURF").levels = 3
    hidden = one.modifiers.new("Off", "ARRAY")
    hidden.show_viewport = False
    summary, _ = make_levels(levels=1)
    start = summary["objects"][0]["triangles"][0]
    assert start == summary["objects"][0]["faces"][0] * 2
    assert start > 3000


def test_objects_that_share_a_mesh_share_its_levels(make_levels: Any) -> None:
    first = ball("Wheel")
    for index in range(3):
        other = first.copy()
        other.name = f"Wheel {index}"
        other.location.x = index + 2
        bpy.context.collection.objects.link(other)
        other.modifiers.new("Smooth", "SUBSURF")
    summary, collection = make_levels(levels=2)
    assert len(summary["objects"]) == 4
    assert len(collection.objects) == 8
    smooth = {collection.objects[f"Wheel {index}_LOD1"].data for index in range(3)}
    assert len(smooth) == 1, "the same modifiers give the same mesh"
    assert collection.objects["Wheel_LOD1"].data not in smooth
    assert len(bpy.data.meshes) == 4


def test_an_objects_own_materials_stay_its_own(make_levels: Any) -> None:
    one = ball("A")
    one.data.materials.append(bpy.data.materials.new("Red"))
    other = one.copy()
    other.name = "B"
    bpy.context.collection.objects.link(other)
    other.material_slots[0].link = "OBJECT"
    other.material_slots[0].material = bpy.data.materials.new("Blue")
    _, collection = make_levels(levels=1)
    shown = {one.name: one.material_slots[0].material.name for one in collection.objects}
    assert shown == {"A_LOD1": "Red", "B_LOD1": "Blue"}


def test_own_normals_are_carried_over(make_levels: Any) -> None:
    one = grid(bumps=0.0)
    one.data.normals_split_custom_set([(0.0, 0.6, 0.8)] * len(one.data.loops))
    _, result = make_levels(levels=2)
    for level in result.objects:
        normals = column(level.data.corner_normals, "vector", np.float32, 3)
        assert level.data.has_custom_normals
        assert (normals @ (0.0, 0.6, 0.8)).min() > 0.99


def test_own_normals_keep_hard_edges(make_levels: Any) -> None:
    """A cylinder whose sides are round and whose caps are flat, by its own normals alone."""
    bpy.ops.mesh.primitive_cylinder_add(vertices=64, end_fill_type="TRIFAN")
    mesh = bpy.context.object.data
    normals = []
    for polygon in mesh.polygons:
        for corner in polygon.loop_indices:
            at = mesh.vertices[mesh.loops[corner].vertex_index].co
            normals.append(polygon.normal.copy() if abs(polygon.normal.z) > 0.5 else at.xy.to_3d().normalized())
    mesh.normals_split_custom_set(normals)
    _, result = make_levels(levels=1)
    level = result.objects[0].data
    shown = column(level.corner_normals, "vector", np.float32, 3)
    up = np.abs(shown[:, 2])
    assert np.minimum(up, 1 - up).max() < 0.05, "each corner's normal is flat or round, none is in between"
    is_cap = np.repeat(np.abs(column(level.polygons, "normal", np.float32, 3)[:, 2]) > 0.5, 3)
    assert (is_cap == (up > 0.5)).all()


def test_no_path_of_the_worker_is_in_the_result(make_job: Any, tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    ball()
    work = tmp_path / "work folder of a job"
    work.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(work / "scene.blend"))
    job = make_job(levels=1)
    mesh_lods.run(job)
    packed = (job.folder / "lods.blend").read_bytes()
    plain = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read()
    assert plain.startswith(b"BLENDER")
    assert str(tmp_path).encode() not in plain


def test_what_cannot_be_done_is_told_and_the_rest_is_done(make_levels: Any, recorder: Any) -> None:
    ball("Good")
    bpy.context.collection.objects.link(bpy.data.objects.new("Empty mesh", bpy.data.meshes.new("Empty mesh")))
    points = bpy.data.meshes.new("Points")
    points.from_pydata([(0, 0, 0), (1, 0, 0)], [(0, 1)], [])
    bpy.context.collection.objects.link(bpy.data.objects.new("Points", points))
    bad = ball("Not a number")
    bad.data.vertices[3].co.x = float("nan")
    bpy.ops.object.light_add()
    bpy.ops.curve.primitive_bezier_circle_add()
    summary, _ = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["Good"]
    assert {entry["object"]: entry["reason"] for entry in summary["skipped"]} == {
        "Not a number": "has vertices whose positions are not numbers, or too large to be meant",
    }
    assert recorder.warnings == [
        "Left alone: 2 objects without faces.",
        "“Not a number” has vertices whose positions are not numbers, or too large to be meant; it is left out.",
    ]


def test_a_level_is_never_empty_nor_finer_than_the_one_before(make_levels: Any, recorder: Any) -> None:
    """Blender collapses a shape without any area to nothing, and stops short of the ratio at struts."""
    point = bpy.data.meshes.new("Point")
    point.from_pydata([(1, 1, 1)] * 30, [], [(index, index + 1, index + 2) for index in range(28)])
    bpy.context.collection.objects.link(bpy.data.objects.new("Point", point))
    ball("Truss", segments=12).modifiers.new("Struts", "WIREFRAME")
    summary, _ = make_levels()
    for entry in summary["objects"]:
        assert 0 < entry["triangles"][3] <= entry["triangles"][2] <= entry["triangles"][1] <= entry["triangles"][0]
    assert [text.partition(" at ")[0] for text in recorder.warnings] == [
        "“Point” keeps 28 triangles",
        f"“Truss” keeps {summary['objects'][1]['triangles'][1]} triangles",
    ]


def test_every_kind_of_attribute_survives_or_is_named(make_levels: Any, recorder: Any) -> None:
    """Blender's edge collapse crashes at matrices, depending on the attributes beside them."""
    one = ball()
    kinds = {item.identifier for item in bpy.types.Attribute.bl_rna.properties["data_type"].enum_items}
    wanted = {}
    for kind in sorted(kinds):
        for domain in ("POINT", "EDGE", "FACE", "CORNER"):
            wanted[f"{kind} {domain}"] = kind
            one.data.attributes.new(f"{kind} {domain}", kind, domain)
    _, levels = make_levels(levels=1)
    (level,) = levels.objects
    lost = [name for name in wanted if name not in level.data.attributes]
    assert {wanted[name] for name in lost} == {"FLOAT4X4"}
    listed = ", ".join(f"“{name}”" for name in lost)
    assert recorder.warnings == [f"The levels of “Ball” lack its attributes of matrices: {listed}."]


def test_what_a_material_names_stays_out_of_the_result(make_levels: Any) -> None:
    one, target = ball(), ball("Target")
    target.hide_viewport = True
    target.parent = one
    material = bpy.data.materials.new("Projected")
    if material.node_tree is None:
        material.use_nodes = True
    material.node_tree.nodes.new("ShaderNodeTexCoord").object = target
    one.data.materials.append(material)
    make_levels(levels=1)
    assert [one.name for one in bpy.data.objects] == ["Ball_LOD1"]
    assert [one.name for one in bpy.data.meshes] == ["Ball_LOD1"]
    assert [one.name for one in bpy.data.scenes] == ["Sendoff LODs"]
    assert [one.name for one in bpy.data.materials] == ["Projected"]


def test_what_is_nowhere_is_left_out_and_told(make_levels: Any, recorder: Any) -> None:
    ball("Good")
    ball("Vertex").data.vertices[0].co.x = 3.4e38
    ball("Lost").location.x = float("nan")
    ball("Far").location.x = 1e30
    summary, result = make_levels(levels=1)
    assert [one.name for one in result.objects] == ["Good_LOD1"]
    place = "stands at a place that is not a number, or too far away to be meant"
    assert {entry["object"]: entry["reason"] for entry in summary["skipped"]} == {
        "Vertex": "has vertices whose positions are not numbers, or too large to be meant",
        "Lost": place,
        "Far": place,
    }
    assert len(recorder.warnings) == 3


def test_an_error_on_one_object_leaves_the_others(
    make_levels: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ball("Bad")
    ball("Good")
    real = mesh_lods.triangle_count
    monkeypatch.setattr(mesh_lods, "triangle_count", lambda mesh: 1 // 0 if mesh.name.startswith("Bad") else real(mesh))
    summary, _ = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["Good"]
    assert recorder.warnings == ["“Bad” could not be processed (the job's log says why); it is left out."]


def test_a_scene_without_meshes_ends_well_and_says_so(make_levels: Any, recorder: Any) -> None:
    bpy.ops.object.light_add()
    summary, _ = make_levels()
    assert summary == {"objects": [], "skipped": []}
    assert recorder.warnings == ["The scene has no mesh objects to make levels of detail of."]
    assert recorder.of("file") == []


def test_shape_keys_are_baked_and_told(make_levels: Any, recorder: Any) -> None:
    one = ball()
    one.shape_key_add(name="Basis")
    key = one.shape_key_add(name="Up")
    for point in key.data:
        point.co.z += 10
    key.value = 1.0
    _, collection = make_levels(levels=1)
    mesh = collection.objects["Ball_LOD1"].data
    assert column(mesh.vertices, "co", np.float32, 3)[:, 2].min() > 8
    assert mesh.shape_keys is None
    assert recorder.warnings == ["“Ball” has shape keys: its levels hold their present mix, without the keys."]


def test_a_box_stays_a_body_and_the_shortfall_is_told(make_levels: Any, recorder: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    summary, _ = make_levels(levels=3)
    assert summary["objects"][0]["triangles"] == [12, 6, 4, 4]
    (warning,) = recorder.warnings
    assert warning.startswith("“Cube” keeps 4 triangles at LOD 3 instead of 2")


def test_the_shortfall_of_meshes_that_are_alike_is_told_of_each(make_levels: Any, recorder: Any) -> None:
    for x in (0, 5):
        bpy.ops.mesh.primitive_cube_add(location=(x, 0, 0))
    make_levels(levels=3)
    assert [warning.partition(" keeps")[0] for warning in recorder.warnings] == ["“Cube”", "“Cube.001”"]


def test_crowded_edges_do_not_stop_the_collapse(make_levels: Any, recorder: Any) -> None:
    first, second, third = grid("A"), grid("B", bumps=0.05), grid("C", bumps=0.2)
    second.rotation_euler.x = third.rotation_euler.y = 1.57079632679
    for one in (first, second, third):
        one.select_set(True)
    bpy.context.view_layer.objects.active = first
    bpy.ops.object.join()
    bpy.ops.object.duplicate()
    for one in (first, bpy.context.object):
        one.select_set(True)
    bpy.context.view_layer.objects.active = first
    bpy.ops.object.join()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.remove_doubles(threshold=1e-4)
    bpy.ops.object.mode_set(mode="OBJECT")
    summary, _ = make_levels(levels=3)
    counts = summary["objects"][0]["triangles"]
    for before, after in pairwise(counts):
        assert after <= before * 0.52
    assert recorder.warnings == []


def test_names_that_are_taken_or_long_stay_recognisable(make_levels: Any) -> None:
    ball("Body")
    ball("Body_LOD1")
    ball("L" * 63)
    _, collection = make_levels(levels=1)
    names = {one.name for one in collection.objects}
    assert "Body_LOD1" in names
    assert len(names) == 2
    assert all("_LOD1" in name for name in names)


def test_linked_objects_are_done_and_the_result_stands_alone(make_levels: Any, tmp_path: Path) -> None:
    one = ball("Bolt")
    one.data.materials.append(bpy.data.materials.new("Steel"))
    library = tmp_path / "bolts.blend"
    bpy.data.libraries.write(str(library), {one})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.objects = ["Bolt"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    ball("Bolt")
    summary, collection = make_levels(levels=1)
    assert [entry["object"] for entry in summary["objects"]] == ["Bolt", "Bolt"]
    assert len(collection.objects) == 2
    assert {material.name for material in bpy.data.materials} == {"Steel"}
    assert len(bpy.data.libraries) == 0


def test_multiresolution_is_evaluated(make_levels: Any) -> None:
    one = ball(segments=16)
    one.modifiers.new("Sculpt", "MULTIRES")
    bpy.context.view_layer.objects.active = one
    for _ in range(2):
        bpy.ops.object.multires_subdivide(modifier="Sculpt", mode="CATMULL_CLARK")
    summary, _ = make_levels(levels=1)
    assert summary["objects"][0]["triangles"][0] > 16 * 7 * 2 * 15


@pytest.mark.parametrize("original", [True, False])
def test_glb_holds_the_levels_and_the_original_if_asked(make_job: Any, recorder: Any, *, original: bool) -> None:
    ball()
    job = make_job(levels=2, formats=["glb", "blend"], original=original)
    mesh_lods.run(job)
    assert [Path(file["path"]).name for file in recorder.of("file")] == ["lods.glb", "lods.blend"]
    data = (job.folder / "lods.glb").read_bytes()
    assert data[:4] == b"glTF"
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    names = sorted(node["name"] for node in document["nodes"])
    assert names == ([] if not original else ["Ball_LOD0"]) + ["Ball_LOD1", "Ball_LOD2"]
    assert document["nodes"][0]["extras"]["sendoff_source"] == "Ball"


def test_many_warnings_of_a_kind_become_one(make_levels: Any, recorder: Any) -> None:
    for index in range(25):
        bad = ball(f"Bad {index}", segments=4)
        bad.data.vertices[0].co.x = float("nan")
    summary, _ = make_levels()
    assert len(summary["skipped"]) == 25
    assert len(recorder.warnings) == 11
    assert recorder.warnings[-1] == "15 more objects are left out."
