from __future__ import annotations

import bpy
import pytest
from scenes import grid, save_png, textured_material, write_result


@pytest.fixture
def job(addon, tmp_path):
    """A job made from the open scene, whose result is here."""
    paint = textured_material("Paint", str(save_png(tmp_path / "paint.png")))
    body = grid("Body", material=paint)
    path = write_result(tmp_path / "results" / "lods.blend", body)
    made = addon.jobs.Job(
        key="k",
        id="j1",
        task="mesh.lods",
        title="car",
        server_url="",
        scene_name=bpy.context.scene.name,
        source_token=addon.current.open_file(),
        mesh_sizes=addon.scene_export.mesh_sizes(),
    )
    made.state = addon.sendoff.JobState.SUCCEEDED
    made.has_result = made.has_files = True
    made.files = (addon.messages.FetchedFile(path, "result", "application/x-blender"),)
    addon.current.jobs.add(made)
    bpy.ops.ed.undo_push(message="before")
    return made


def names():
    kinds = ("objects", "meshes", "materials", "images", "collections", "node_groups", "libraries")
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}


def test_the_result_lies_in_a_collection_of_its_own(addon, job):
    before = names()
    text = addon.results.import_result(job, bpy.context)
    holder = bpy.data.collections["Sendoff LODs"]
    assert text == "2 objects imported into the collection “Sendoff LODs”; tick it in the Outliner to see them"
    assert [thing.name for thing in holder.objects] == ["Body_LOD1", "Body_LOD2"]
    assert holder.name in bpy.context.scene.collection.children
    assert holder["sendoff_job"] == "j1"
    assert set(before["objects"]) <= set(names()["objects"])
    assert names()["libraries"] == []


def test_levels_that_lie_in_their_originals_place_are_not_in_the_way(addon, job):
    addon.results.import_result(job, bpy.context)
    layer = bpy.context.view_layer.layer_collection.children["Sendoff LODs"]
    bpy.context.view_layer.update()
    assert layer.exclude
    assert "Body_LOD1" not in bpy.context.view_layer.objects
    assert "Body" in bpy.context.view_layer.objects


def test_a_result_whose_originals_are_elsewhere_is_seen_at_once(addon, job):
    bpy.data.objects["Body"].name = "Other"
    text = addon.results.import_result(job, bpy.context)
    assert "tick" not in text
    bpy.context.view_layer.update()
    assert "Body_LOD1" in bpy.context.view_layer.objects


def test_the_artists_own_material_is_used_and_no_copy_stays(addon, job):
    addon.results.import_result(job, bpy.context)
    assert names()["materials"] == ["Paint"]
    assert names()["images"] == ["Paint"]
    assert bpy.data.objects["Body_LOD1"].data.materials[0] == bpy.data.materials["Paint"]


def test_a_material_that_is_gone_from_the_scene_comes_with_the_result(addon, job):
    bpy.data.materials["Paint"].name = "Other"
    addon.results.import_result(job, bpy.context)
    assert bpy.data.objects["Body_LOD1"].data.materials[0].name == "Paint"
    assert bpy.data.objects["Body"].data.materials[0].name == "Other"


def test_a_second_import_comes_beside_the_first(addon, job):
    addon.results.import_result(job, bpy.context)
    text = addon.results.import_result(job, bpy.context)
    assert "“Sendoff LODs.001”" in text
    assert len(bpy.data.collections["Sendoff LODs"].objects) == 2


def test_originals_that_changed_are_kept_and_named(addon, job):
    body = bpy.data.objects["Body"]
    body.data.vertices.add(1)
    text = addon.results.import_result(job, bpy.context)
    assert text.endswith("Changed since it was sent, the result shows it as it was: Body")
    assert len(bpy.data.objects["Body"].data.vertices) == 26


def test_the_click_is_one_undo_step(addon, job):
    before = names()
    assert bpy.ops.sendoff.import_result("EXEC_DEFAULT", True) == {"FINISHED"}
    assert "Body_LOD1" in names()["objects"]
    bpy.ops.ed.undo()
    assert names() == before
    bpy.ops.ed.redo()
    assert "Body_LOD1" in names()["objects"]


def test_the_pumps_import_is_one_undo_step(addon, job):
    before = names()
    addon.pump.pump()
    assert job.imported
    assert "Body_LOD1" in names()["objects"]
    bpy.ops.ed.undo()
    assert names() == before


def test_where_another_file_is_open_it_waits_for_the_click(addon, job):
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    addon.pump.pump()
    assert not job.imported
    assert addon.status_bar.model(addon.current.jobs).text.startswith("car: the result is here.")
    assert bpy.ops.sendoff.import_result() == {"FINISHED"}
    assert "Body_LOD1" in bpy.data.objects


def test_the_file_it_came_from_opened_again_takes_it(addon, job, tmp_path):
    path = tmp_path / "car.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    job.source_path = bpy.data.filepath
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    addon.pump.pump()
    assert not job.imported
    bpy.ops.wm.open_mainfile(filepath=str(path))
    addon.pump.pump()
    assert job.imported


def test_in_edit_mode_it_waits(addon, job):
    bpy.context.view_layer.objects.active = bpy.data.objects["Body"]
    bpy.ops.object.mode_set(mode="EDIT")
    addon.pump.pump()
    assert not job.imported
    with pytest.raises(RuntimeError, match="Go to Object Mode"):
        bpy.ops.sendoff.import_result()
    bpy.ops.object.mode_set(mode="OBJECT")
    addon.pump.pump()
    assert job.imported


def test_a_result_that_is_no_blend_is_a_sentence_and_changes_nothing(addon, job):
    job.files[0].path.write_bytes(b"not a blend")
    before = names()
    addon.pump.pump()
    assert "cannot be read by this Blender" in job.problem
    assert names() == before


def test_a_report_stays_a_file_and_says_where(addon, job, tmp_path):
    report = tmp_path / "report.txt"
    report.write_text("no findings")
    job.files = (addon.messages.FetchedFile(report, "report", "text/plain"),)
    before = names()
    addon.pump.pump()
    assert job.imported == f"done, report.txt in {tmp_path}"
    assert names() == before
