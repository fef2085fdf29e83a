"""A script has its result in the scene, in whatever mode Blender is, or an error that says where it is."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import bpy
import made_results
import pytest
from scenes import grid

NEW_PENCIL = bpy.app.version >= (4, 3, 0)
SPEC = {"collections": [{"scene": "Scene", "objects": [{"name": "Body_LOD1", "source": "Body"}]}]}


@pytest.fixture(scope="module")
def lods(tmp_path_factory):
    return made_results.write(tmp_path_factory.mktemp("made") / "lods.blend", SPEC).read_bytes()


@pytest.fixture
def worker(addon, signed_in, lods, monkeypatch):
    """Lets each job succeed with levels of detail; the session asks, since the tiny server has no event stream."""
    stop = threading.Event()

    def run():
        while not stop.wait(0.05):
            for job_id, job in list(signed_in.jobs.items()):
                if job["state"] == "queued":
                    signed_in.finish(job_id, "lods.blend", lods)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    before = addon.pump.work

    def work():
        for job in addon.desk.jobs.active:
            if job.id and job.state is not None and not job.state.is_final:
                addon.desk.session().ask(job.id)
        return before()

    monkeypatch.setattr(addon.pump, "work", work)
    yield
    stop.set()
    thread.join(5)


@pytest.fixture
def scene(addon, worker):
    """Something of each kind that has a mode; two bodies and a hidden one, of which one is selected."""
    for name in ("Body", "Second", "Third"):
        grid(name)
    bpy.data.objects["Body"].modifiers.new("Hair", "PARTICLE_SYSTEM")
    bpy.data.objects["Body"].particle_systems[0].settings.type = "HAIR"
    bpy.ops.object.armature_add()
    bpy.ops.object.text_add()
    if NEW_PENCIL:
        bpy.ops.object.grease_pencil_add(type="STROKE")
    else:
        bpy.ops.object.gpencil_add(type="STROKE")
    bpy.context.object.name = "Pencil"


def process():
    return bpy.ops.sendoff.process(task="mesh.lods", params="{}", timeout_seconds=60)


def state():
    layer = bpy.context.view_layer
    return (
        bpy.context.mode,
        layer.objects.active.name,
        sorted(thing.name for thing in layer.objects.selected),
        sorted((thing.name, thing.mode) for thing in layer.objects if thing.mode != "OBJECT"),
    )


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        (["Body"], "EDIT"),
        (["Body", "Second"], "EDIT"),
        (["Body"], "SCULPT"),
        (["Body"], "VERTEX_PAINT"),
        (["Body"], "WEIGHT_PAINT"),
        (["Body"], "TEXTURE_PAINT"),
        (["Body"], "PARTICLE_EDIT"),
        (["Armature"], "POSE"),
        (["Armature"], "EDIT"),
        (["Text"], "EDIT"),
        (["Pencil"], "PAINT_GREASE_PENCIL" if NEW_PENCIL else "PAINT_GPENCIL"),
    ],
)
def test_in_each_mode_the_result_comes_in_and_all_is_as_before(addon, scene, names, mode):
    bpy.ops.object.select_all(action="DESELECT")
    for name in names:
        bpy.data.objects[name].select_set(True)
    bpy.context.view_layer.objects.active = bpy.data.objects[names[-1]]
    bpy.ops.object.mode_set(mode=mode)
    bpy.data.objects["Third"].select_set(True)
    if mode == "EDIT" and names[0] == "Body":
        bpy.ops.mesh.select_all(action="DESELECT")
        bpy.ops.mesh.select_random(ratio=0.3, seed=1)
    before = state()
    assert process() == {"FINISHED"}
    assert "Body_LOD1" in bpy.context.scene.objects
    assert addon.desk.jobs.jobs[-1].imported
    assert state() == before
    if mode == "EDIT" and names[0] == "Body":
        bpy.ops.object.mode_set(mode="OBJECT")
        assert any(vertex.select for vertex in bpy.data.objects["Body"].data.vertices)


def test_a_scene_of_its_own_that_is_in_edit_mode_takes_it_too(addon, scene):
    home = bpy.context.scene
    bpy.context.view_layer.objects.active = bpy.data.objects["Body"]
    bpy.ops.object.mode_set(mode="EDIT")
    other = bpy.data.scenes.new("Other")
    bpy.context.window.scene = other
    with bpy.context.temp_override(scene=home, view_layer=home.view_layers[0]):
        assert process() == {"FINISHED"}
    assert "Body_LOD1" in home.objects
    assert bpy.data.objects["Body"].mode == "EDIT"
    assert bpy.context.scene == other


def test_with_another_file_open_it_raises_and_says_where_the_files_are(addon, scene, monkeypatch):
    before = addon.desk.another_file_is_open
    plain = addon.host.jobs.JobList.apply

    def apply(jobs, message, now=None):
        if isinstance(message, addon.host.messages.Fetched):
            before()
        return plain(jobs, message, now)

    monkeypatch.setattr(addon.host.jobs.JobList, "apply", apply)
    with pytest.raises(RuntimeError, match="another file is open now") as caught:
        process()
    job = addon.desk.jobs.jobs[-1]
    assert str(job.files[0].path.parent) in str(caught.value)
    assert "Body_LOD1" not in bpy.data.objects
    assert bpy.ops.sendoff.import_result(job=job.key) == {"FINISHED"}
    assert "Body_LOD1" in bpy.data.objects


def test_a_mode_that_cannot_be_left_is_an_error_that_says_where_the_files_are(addon, scene, monkeypatch):
    bpy.context.view_layer.objects.active = bpy.data.objects["Body"]
    bpy.ops.object.mode_set(mode="EDIT")
    stuck = SimpleNamespace(object=SimpleNamespace(mode_set=lambda **_mode: {"CANCELLED"}))
    monkeypatch.setattr(addon.any_mode, "bpy", SimpleNamespace(types=bpy.types, context=bpy.context, ops=stuck))
    with pytest.raises(RuntimeError, match=r"cannot be taken from EDIT to OBJECT mode.*Its files are in"):
        process()
    monkeypatch.undo()


def test_a_click_waits_for_object_mode_as_before(addon, scene):
    bpy.context.view_layer.objects.active = bpy.data.objects["Body"]
    bpy.ops.object.mode_set(mode="EDIT")
    order = addon.host.submitting.Order(task="mesh.lods", params={})
    job = addon.process.begin(order, bpy.context.scene.name)
    addon.current.submitting.save_and_send(job)
    addon.process.wait_for(job, 60.0)
    addon.pump.pump()
    assert job.files
    assert not job.imported
    bpy.ops.object.mode_set(mode="OBJECT")
    addon.pump.pump()
    assert job.imported
