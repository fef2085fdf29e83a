"""What comes back: collision meshes, UV sets, anything else, images and findings; and what cannot be read."""

from __future__ import annotations

import json

import pytest
from maya import cmds, standin, state
from pxr import Gf, Sdf, Usd, UsdGeom

ROOT = "/sendoff_result"


@pytest.fixture
def body(plugin, tmp_path):
    """A saved scene with one box, and the fingerprints of what was sent."""
    cmds.polyCube(name="Body", width=100)
    cmds.file(rename=str(tmp_path / "car.ma"))
    cmds.file(save=True)
    return plugin.meshes.fingerprints(plugin.meshes.transforms())


@pytest.fixture
def job(plugin, body, tmp_path):
    """A job of that scene that has ended; its files are given by a test."""
    made = plugin.host.jobs.Job(
        key="k", id="j1", task="studio.things", title="car", server_url="", source_token=plugin.desk.open_file
    )
    made.state, made.has_result, made.has_files = plugin.jobstate, True, True
    made.fingerprints = body
    plugin.desk.jobs.add(made)
    yield made
    plugin.desk.forget(made)


@pytest.fixture(autouse=True)
def jobstate(plugin):
    from sendoff_maya.sendoff import JobState

    object.__setattr__(plugin, "jobstate", JobState.SUCCEEDED)


def files(plugin, job, *entries):
    job.files = tuple(plugin.host.messages.FetchedFile(path, role, kind) for path, role, kind in entries)


def result(folder, *parts, mesh=None):
    """A file with a box for each part, and its contents; a part is a dictionary of contents.json."""
    stage = Usd.Stage.CreateNew(str(folder / "result.usdc"))
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    UsdGeom.SetStageUpAxis(stage, "Y")
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, ROOT).GetPrim())
    source = cmds.polyCube(name="Template", width=100)[0]
    from maya.naming import mesh_node

    box = mesh_node(source).mesh
    cmds.delete(source)
    for part in parts:
        prim = UsdGeom.Mesh.Define(stage, f"{ROOT}/{part['name']}")
        prim.CreatePointsAttr([Gf.Vec3f(*point) for point in box.points])
        prim.CreateFaceVertexCountsAttr(box.counts)
        prim.CreateFaceVertexIndicesAttr(box.indices)
        primvar = UsdGeom.PrimvarsAPI(prim).CreatePrimvar(
            part.get("uv_layer") or "st", Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying"
        )
        primvar.Set([Gf.Vec2f(0.25, 0.75)] * len(box.indices))
    stage.Save()
    contents = folder / "contents.json"
    objects = [{"path": f"{ROOT}/{part['name']}", **part} for part in parts]
    contents.write_text(json.dumps({"version": 1, "file": "result.usdc", "objects": objects}))
    return (folder / "result.usdc", "result", "model/vnd.usd"), (contents, "contents", "application/json")


def imported(plugin, job):
    assert plugin.pump.import_and_say(job), job.problem
    return job.imported


def test_collision_meshes_are_drawn_as_wires_and_not_rendered(plugin, job, tmp_path):
    files(plugin, job, *result(tmp_path, {"name": "UCX_Body", "kind": "collision", "source": "/Body"}))
    assert imported(plugin, job) == "1 collision mesh, in “car_things:sendoff_result”"
    (shape,) = cmds.listRelatives("car_things:UCX_Body", shapes=True)
    assert cmds.getAttr(f"{shape}.overrideEnabled") is True
    assert not cmds.getAttr(f"{shape}.overrideShading")
    assert not cmds.getAttr(f"{shape}.primaryVisibility")


def test_lod_groups_of_an_fbx_are_taken_apart(plugin, job, tmp_path, monkeypatch):
    def read_fbx(_path):
        group = cmds.createNode("lodGroup", name="Body")
        for level in (0, 1, 2):
            (level_node, _) = cmds.polyCube(name=f"Body_LOD{level}")
            cmds.setAttr(f"{cmds.parent(level_node, group)[0]}.lodVisibility", level == 0)

    monkeypatch.setattr(plugin.interchange, "read_fbx", read_fbx)
    _, contents = result(
        tmp_path, *({"name": f"Body_LOD{level}", "kind": "lod", "level": level, "source": "Body"} for level in range(3))
    )
    (tmp_path / "lods.fbx").write_bytes(b"Kaydara")
    contents[0].write_text(contents[0].read_text().replace("result.usdc", "lods.fbx"))
    files(plugin, job, (tmp_path / "lods.fbx", "result", "application/octet-stream"), contents)
    imported(plugin, job)
    assert not [name for name in cmds.ls(type="lodGroup") or [] if name.endswith("Body")]
    assert not cmds.ls("car_things:Body_LOD0")  # the original, which is in the scene
    for level in (1, 2):
        (node,) = cmds.ls(f"car_things:Body_LOD{level}")
        assert cmds.getAttr(f"{node}.lodVisibility") is True


def test_a_uv_set_goes_back_onto_the_unchanged_mesh_and_nothing_else_stays(plugin, job, tmp_path):
    files(plugin, job, *result(tmp_path, {"name": "Body", "kind": "uv", "source": "/Body", "uv_layer": "lightmap"}))
    before = [node.path for node in state.now.scene.nodes()]
    assert imported(plugin, job) == "1 UV set put back"
    assert cmds.polyUVSet("Body", query=True, allUVSets=True) == ["map1", "lightmap"]
    assert [node.path for node in state.now.scene.nodes()] == before
    assert not cmds.namespace(exists="car_things")
    cmds.undo()
    assert cmds.polyUVSet("Body", query=True, allUVSets=True) == ["map1"]


def test_a_mesh_that_was_changed_keeps_its_uvs_and_the_artist_is_told(plugin, job, tmp_path):
    files(plugin, job, *result(tmp_path, {"name": "Body", "kind": "uv", "source": "/Body", "uv_layer": "lightmap"}))
    cmds.delete("Body")
    cmds.polyCube(name="Body", width=120)
    imported(plugin, job)
    assert job.imported == "1 object, in “car_things:sendoff_result”"
    assert cmds.polyUVSet("Body", query=True, allUVSets=True) == ["map1"]
    assert any("“Body” was changed meanwhile, so it was left as it is" in note for note in job.import_notes)
    assert cmds.objExists("car_things:Body")


def test_a_mesh_that_only_moved_in_the_tree_gets_its_uv_set(plugin, job, tmp_path):
    files(plugin, job, *result(tmp_path, {"name": "Body", "kind": "uv", "source": "/Body", "uv_layer": "lightmap"}))
    cmds.group("Body", name="Car", world=True)
    assert imported(plugin, job) == "1 UV set put back"


def test_mayas_own_file_comes_in_with_its_empty_groups(plugin, job, tmp_path):
    own = job.source_token
    cmds.file(newFile=True, force=True)
    cmds.polyCube(name="Rigged")
    cmds.group(empty=True, name="controls")
    cmds.file(rename=str(tmp_path / "rig.ma"))
    cmds.file(save=True)
    cmds.file(newFile=True, force=True)
    assert plugin.desk.open_file != own
    files(plugin, job, (tmp_path / "rig.ma", "result", "application/x-maya"))
    assert imported(plugin, job).startswith("2 objects, in “")
    assert {one.rpartition("|")[2] for one in cmds.ls("car_things:*", type="transform")} >= {
        "car_things:Rigged",
        "car_things:controls",
    }


def test_objects_without_contents_come_in_as_they_are(plugin, job, tmp_path):
    usd, _ = result(tmp_path, {"name": "Thing"}, {"name": "Other"})
    files(plugin, job, usd)
    assert imported(plugin, job) == "2 objects, in “car_things:sendoff_result”"
    assert plugin.results.show_result(job) == ""
    assert cmds.ls(selection=True) == ["car_things:sendoff_result"]
    for _ in ("the selection", "the import"):
        cmds.undo()
    assert "Import it to have it here" in plugin.results.show_result(job)


def test_a_second_import_gets_a_namespace_of_its_own(plugin, job, tmp_path):
    usd, contents = result(tmp_path, {"name": "Thing"})
    files(plugin, job, usd, contents)
    imported(plugin, job)
    assert imported(plugin, job) == "1 object, in “car_things2:sendoff_result”"


def test_the_current_namespace_is_as_it_was(plugin, job, tmp_path):
    files(plugin, job, *result(tmp_path, {"name": "Thing"}))
    cmds.namespace(addNamespace="mine")
    cmds.namespace(setNamespace="mine")
    imported(plugin, job)
    assert cmds.namespaceInfo(currentNamespace=True) == "mine"
    cmds.namespace(setNamespace=":")


def test_a_file_that_is_damaged_leaves_nothing_and_is_a_sentence(plugin, job, tmp_path):
    (tmp_path / "result.usdc").write_bytes(b"PXR-USDC and then nothing")
    files(plugin, job, (tmp_path / "result.usdc", "result", "model/vnd.usd"))
    before = [node.path for node in state.now.scene.nodes()]
    assert not plugin.pump.import_and_say(job)
    assert job.problem.text.startswith("The result result.usdc cannot be read by this Maya:")
    assert [node.path for node in state.now.scene.nodes()] == before
    assert not cmds.namespace(exists="car_things")


def test_without_mayas_usd_it_says_which_plug_in_is_missing(plugin, job, tmp_path):
    files(plugin, job, *result(tmp_path, {"name": "Thing"}))
    state.now.plugins_available = ()
    assert not plugin.pump.import_and_say(job)
    assert "plug-in mayaUsdPlugin cannot be loaded, which result.usdc needs" in job.problem.text


def test_files_that_are_gone_can_be_fetched_again(plugin, job, tmp_path):
    files(plugin, job, (tmp_path / "gone.usdc", "result", "model/vnd.usd"))
    assert not plugin.pump.import_and_say(job)
    assert "Retry fetches them again" in job.problem.text


def test_contents_that_are_nonsense_are_a_note_and_the_objects_come_in(plugin, job, tmp_path):
    usd, contents = result(tmp_path, {"name": "Thing"})
    contents[0].write_text("{")
    files(plugin, job, usd, contents)
    assert imported(plugin, job) == "1 object, in “car_things:sendoff_result”"
    assert job.import_notes == ("contents.json is damaged. Process the scene again.",)


def test_an_image_is_shown_in_the_render_view(plugin, job, tmp_path):
    (tmp_path / "view.png").write_bytes(b"png")
    files(plugin, job, (tmp_path / "view.png", "result", "image/png"))
    assert imported(plugin, job) == f"“view.png” in {tmp_path}, shown in the Render View"
    assert standin.control("renderView").values["loadImage"] == (tmp_path / "view.png").as_posix()


def test_it_waits_for_the_end_of_a_playback(plugin, job, tmp_path):
    files(plugin, job, *result(tmp_path, {"name": "Thing"}))
    state.now.is_playing = True
    assert plugin.results.why_not_now(job) == "Stop the playback to import the result"
    assert not plugin.pump.is_import_due(job)
    state.now.is_playing = False
    assert plugin.pump.is_import_due(job)


def test_what_could_be_redone_is_not_lost_by_a_result_that_comes_by_itself(plugin, job, tmp_path):
    files(plugin, job, *result(tmp_path, {"name": "Thing"}))
    cmds.undo()
    assert not plugin.pump.is_import_due(job)
    job.is_import_asked = True
    assert plugin.pump.is_import_due(job)
