from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import bpy
import pytest
from sendoff_inside import scene_check
from sendoff_inside.scene import open_scene


@pytest.fixture
def check(make_job: Any) -> Any:
    """Runs the task on the open scene; returns the report's findings by check."""

    def run(**params: Any) -> dict[str, list[dict[str, Any]]]:
        job = make_job(**params)
        summary = scene_check.run(job)
        report = json.loads((job.folder / "report.json").read_text(encoding="utf-8"))
        assert report["summary"] == summary
        assert (report["version"], report["scope"]) == (1, None)
        found: dict[str, list[dict[str, Any]]] = {}
        for finding in report["findings"]:
            found.setdefault(finding["check"], []).append(finding)
        assert summary["by_check"] == {name: len(some) for name, some in found.items()}
        return found

    return run


def add_mesh(name: str, vertices: Any, edges: Any, faces: Any, *, uvs: bool = False) -> Any:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, edges, faces)
    if uvs:
        mesh.uv_layers.new(name="UVMap")
    one = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(one)
    return one


SQUARE = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]


def test_a_sound_cube_has_no_findings(check: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    assert check() == {}


ELEMENTS = {
    "ngons": "face",
    "zero_area_faces": "face",
    "flipped_uvs": "face",
    "non_manifold_edges": "edge",
    "loose_vertices": "vertex",
}


def test_what_the_indices_count_is_told_and_they_are_of_the_mesh_that_is_edited(check: Any) -> None:
    add_mesh("Odd", [*SQUARE, (0.5, 2, 0), (9, 9, 9), (2, 0, 0), (3, 0, 0)], [], [(0, 1, 2, 4, 3), (1, 6, 7)])
    one = bpy.data.objects["Odd"]
    one.modifiers.new("Smooth", "SUBSURF").levels = 2
    layer = one.data.uv_layers.new(name="UVMap")
    for corner, place in enumerate([(1, 0), (0, 0), (0, 1), (0.5, 2), (1, 1)]):
        layer.uv[corner].vector = place
    one.scale.x = 2
    found = check(face_budget=1)
    assert set(found) == {*ELEMENTS, "unapplied_scale", "over_budget"}
    for name, findings in found.items():
        for finding in findings:
            assert finding["element"] == ELEMENTS.get(name, "")
            assert bool(finding["indices"]) == bool(finding["element"])
            assert (finding["object"], finding["library"], finding["datablock"]) == ("Odd", None, "object")
    assert [found[name][0]["indices"] for name in ("ngons", "zero_area_faces", "flipped_uvs", "loose_vertices")] == [
        [0], [1], [0], [5],
    ]  # fmt: skip


def test_an_image_that_no_object_uses_is_told_from_an_object(check: Any) -> None:
    image = bpy.data.images.new("Cube", 1, 1)
    image.source, image.filepath = "FILE", "/nowhere/paint.png"
    bpy.ops.mesh.primitive_cube_add()
    (finding,) = check()["missing_textures"]
    assert (finding["object"], finding["datablock"], finding["severity"]) == ("Cube", "image", "info")


def test_the_report_names_the_scenes_file(make_job: Any) -> None:
    job = make_job()
    job.scene = job.folder / "car.blend"
    scene_check.run(job)
    assert json.loads((job.folder / "report.json").read_text(encoding="utf-8"))["scene"] == "car.blend"
    assert (job.folder / "report.txt").read_text(encoding="utf-8").startswith("Check of car.blend\n")


def test_ngons(check: Any) -> None:
    bpy.ops.mesh.primitive_circle_add(vertices=8, fill_type="NGON")
    (finding,) = check()["ngons"]
    assert (finding["object"], finding["indices"], finding["count"]) == ("Circle", [0], 1)


def test_non_manifold_edges_by_kind(check: Any) -> None:
    vertices = [(0, 0, 0), (0, 0, 1), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (5, 0, 0), (6, 0, 0)]
    add_mesh("Fan", vertices, [(5, 6)], [(0, 1, 2), (0, 1, 3), (0, 1, 4)])
    counts = {finding["severity"]: finding["count"] for finding in check()["non_manifold_edges"]}
    assert counts == {"error": 1, "warning": 1, "info": 6}


def test_zero_area_faces_and_loose_vertices(check: Any) -> None:
    add_mesh("Thin", [*SQUARE, (2, 0, 0), (3, 0, 0), (9, 9, 9)], [], [(0, 1, 2, 3), (1, 4, 5)])
    found = check()
    assert found["zero_area_faces"][0]["indices"] == [1]
    assert found["loose_vertices"][0]["indices"] == [6]


def test_positions_that_are_no_numbers_are_found_and_nothing_else_is_said_of_the_rest(check: Any) -> None:
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=4, y_subdivisions=4)
    bpy.context.object.data.vertices[0].co.x = float("nan")
    found = check()
    assert found["invalid_positions"][0]["indices"] == [0]
    assert found["zero_area_faces"][0]["indices"] == [0], "the one face at that corner"


def test_missing_and_flipped_uvs(check: Any) -> None:
    add_mesh("Bare", SQUARE, [], [(0, 1, 2, 3)])
    mirrored = add_mesh("Mirrored", SQUARE, [], [(0, 1, 2, 3)], uvs=True)
    for corner, (x, y, _) in enumerate(SQUARE):
        mirrored.data.uv_layers[0].uv[corner].vector = (1 - x, y)
    found = check()
    assert [finding["object"] for finding in found["missing_uvs"]] == ["Bare"]
    assert [(finding["object"], finding["indices"]) for finding in found["flipped_uvs"]] == [("Mirrored", [0])]


def test_unapplied_and_negative_scale(check: Any) -> None:
    for name, scale in (("Large", (2, 2, 2)), ("Inside out", (-1, 1, 1)), ("Plain", (1, 1, 1))):
        bpy.ops.mesh.primitive_cube_add()
        bpy.context.object.name, bpy.context.object.scale = name, scale
    found = {finding["object"]: finding["severity"] for finding in check()["unapplied_scale"]}
    assert found == {"Large": "warning", "Inside out": "error"}


def test_missing_textures_name_their_object(check: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    material = bpy.data.materials.new("Paint")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    image = bpy.data.images.new("Paint", 1, 1)
    image.source, image.filepath = "FILE", "/nowhere/paint.png"
    material.node_tree.nodes.new("ShaderNodeTexImage").image = image
    bpy.context.object.data.materials.append(material)
    (finding,) = check()["missing_textures"]
    assert finding["object"] == "Cube"
    assert "“Paint” (paint.png)" in finding["message"]


def test_names_that_an_engine_takes_for_one(check: Any) -> None:
    for name in ("Wheel", "wheel", "Door", "Door.001", "Roof"):
        bpy.ops.mesh.primitive_cube_add()
        bpy.context.object.name = name
    found = {finding["object"].casefold(): finding["severity"] for finding in check()["name_clashes"]}
    assert found == {"wheel": "warning", "door": "info"}


def test_the_budget_counts_what_modifiers_add(check: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.modifiers.new("Smooth", "SUBSURF").levels = 3
    assert "over_budget" not in check(face_budget=768)
    (finding,) = check(face_budget=767)["over_budget"]
    assert "768 triangles" in finding["message"]


def test_a_shared_mesh_is_checked_once(check: Any) -> None:
    bpy.ops.mesh.primitive_circle_add(vertices=8, fill_type="NGON")
    other = bpy.context.object.copy()
    bpy.context.scene.collection.objects.link(other)
    assert len(check()["ngons"]) == 1


def test_indices_are_listed_up_to_the_limit(check: Any) -> None:
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=30, y_subdivisions=30)
    (finding,) = check(max_findings_listed=5)["non_manifold_edges"]
    assert len(finding["indices"]) == 5
    assert finding["count"] == 120


def test_an_empty_scene_ends_well_and_says_so(check: Any, recorder: Any, make_job: Any) -> None:
    assert check() == {}
    assert recorder.warnings == ["The scene has no mesh objects to check."]
    files = {file["path"].rsplit("/", 1)[-1]: (file["role"], file["media_type"]) for file in recorder.of("file")}
    assert files == {"report.json": ("report", "application/json"), "report.txt": ("report", "text/plain")}


def test_a_million_faces_take_seconds(check: Any) -> None:
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=1000, y_subdivisions=1000)
    started = time.monotonic()
    found = check()
    assert time.monotonic() - started < 20
    assert set(found) == {"non_manifold_edges", "over_budget"}


def test_a_file_that_was_saved_in_edit_mode_is_checked_as_it_was_edited(make_job: Any, tmp_path: Path) -> None:
    bpy.ops.mesh.primitive_cylinder_add(vertices=8)
    bpy.context.object.name = "Pipe"
    bpy.ops.object.mode_set(mode="EDIT")
    path = tmp_path / "pipe.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    job = make_job()
    open_scene(job, path, None)
    summary = scene_check.run(job)
    assert bpy.data.objects["Pipe"].mode == "OBJECT"
    assert summary["by_check"] == {"ngons": 1, "flipped_uvs": 1}


def test_the_budget_counts_what_an_object_instances(check: Any) -> None:
    """A plane with a cube of 12 triangles at each of its four corners."""
    bpy.ops.mesh.primitive_plane_add()
    plane = bpy.context.object
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.parent, plane.instance_type = plane, "VERTS"
    (finding,) = check(face_budget=40)["over_budget"]
    assert (finding["object"], "50 triangles" in finding["message"]) == ("Plane", True)


def test_why_there_is_nothing_to_check_is_the_true_reason(make_job: Any, recorder: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.hide_set(True)
    job = make_job()
    scene_check.run(job)
    assert "no visible objects" in (job.folder / "report.txt").read_text(encoding="utf-8")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    job.missing("//lib/props.blend", "library “props.blend”")
    scene_check.run(job)
    text = (job.folder / "report.txt").read_text(encoding="utf-8")
    assert "Nothing of the scene that came along has a surface to check, and 1 of its files are missing." in text
    assert "no mesh objects" not in text
    assert recorder.warnings[-1] in text


def test_what_cannot_be_checked_is_told_with_what_to_do(
    check: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(findings: Any, one: Any) -> None:
        raise IndexError("index 99 is out of bounds")

    monkeypatch.setattr(scene_check, "check_mesh", fail)
    bpy.ops.mesh.primitive_cube_add()
    check()
    assert recorder.warnings == [
        "The mesh of “Cube” is damaged and could not be checked. Open it in Edit Mode and use Mesh > Clean Up, or "
        "import it again."
    ]
