"""The stand-in for Maya refuses what Maya refuses: it is worth no more than that."""

from __future__ import annotations

import threading

import pytest
from maya import cmds, mel, standin, state, utils
from maya.api import OpenMaya as om  # noqa: N813 - as everybody shortens it
from pxr import Usd, UsdGeom


@pytest.fixture(autouse=True)
def maya(tmp_path):
    standin.reset(user_app_dir=tmp_path / "maya")
    return standin


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: cmds.progressBar("mainProgressBar", edit=True, isInterruptible=True), TypeError, "isInterruptible"),
        (lambda: cmds.ls(selectoin=True), TypeError, "Invalid flag 'selectoin'"),
        (lambda: cmds.ls(sl=True, query=True), TypeError, "Invalid flag"),
        (lambda: cmds.polyCube(width="wide"), TypeError, "width"),
        (lambda: cmds.button(label=3), TypeError, "label"),
        (lambda: cmds.file("a", "b", query=True, modified=True), TypeError, "Too many objects"),
        (lambda: cmds.progressBar("mainProgressBar", query=True, edit=True), TypeError, "query and edit"),
        (lambda: cmds.progressBar("mainProgressBar", query=True, step=1), RuntimeError, "query mode"),
        (lambda: cmds.progressBar("mainProgressBar", edit=True, isCancelled=True), RuntimeError, "query mode"),
        (lambda: cmds.sphereOfPower, AttributeError, "sphereOfPower"),
        (lambda: cmds.polyReduce("a"), NotImplementedError, "polyReduce"),
        (lambda: cmds.setAttr("persp.name", "x"), RuntimeError, "Error reading data element"),
        (lambda: cmds.select("Nothing"), ValueError, "No object matches name"),
        (lambda: cmds.mayaUSDExport(file="/x.usd"), AttributeError, "mayaUSDExport"),
        (lambda: mel.eval("noSuchProcedure 3"), RuntimeError, "Cannot find procedure"),
        (lambda: cmds.text("nowhere", edit=True, label="x"), RuntimeError, "not found"),
        (lambda: cmds.button(label="x", parent="nowhere"), RuntimeError, "not found"),
        (lambda: cmds.loadPlugin("nothing"), RuntimeError, "MAYA_PLUG_IN_PATH"),
    ],
)
def test_what_maya_refuses_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_call_off_the_main_thread_is_refused_and_noted_even_where_nobody_looks():
    seen = []

    def call():
        try:
            cmds.ls()
        except RuntimeError as error:
            seen.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert "main thread" in seen[0]
    with pytest.raises(AssertionError, match="off the main thread"):
        standin.assert_clean()


def test_what_can_hang_maya_is_noted():
    with pytest.raises(AttributeError):
        utils.executeInMainThreadWithResult(print)
    assert state.now.offences


def test_deferred_calls_wait_until_maya_is_idle():
    called = []
    thread = threading.Thread(target=lambda: utils.executeDeferred(called.append, 1))
    thread.start()
    thread.join()
    assert called == []
    standin.idle()
    assert called == [1]
    utils.executeDeferred(lambda: 1 / 0)
    standin.idle()
    with pytest.raises(AssertionError):
        standin.assert_clean()


def test_in_a_batch_there_is_no_window(tmp_path):
    standin.reset(is_batch=True, user_app_dir=tmp_path)
    assert cmds.about(batch=True)
    with pytest.raises(RuntimeError, match="needs Maya's window"):
        cmds.window("sendoff")


def test_the_scene_is_really_written_and_read_as_usd(tmp_path):
    cmds.loadPlugin("mayaUsdPlugin")
    cmds.polyCube(name="Body", width=200, height=100, depth=50)
    cmds.xform("Body", translation=(10, 20, 30), rotation=(0, 90, 0))
    path = tmp_path / "a.usdc"
    cmds.mayaUSDExport(file=str(path), mergeTransformAndShape=True)
    stage = Usd.Stage.Open(str(path))
    assert UsdGeom.GetStageMetersPerUnit(stage) == 0.01
    before = cmds.exactWorldBoundingBox("Body")
    assert before == pytest.approx([-15, -30, -70, 35, 70, 130])
    cmds.file(newFile=True, force=True)
    cmds.mayaUSDImport(file=str(path), primPath="/")
    assert cmds.exactWorldBoundingBox("Body") == pytest.approx(before)
    assert cmds.polyEvaluate("Body", triangle=True) == 12


def test_flags_of_a_newer_usd_plug_in_are_refused_by_an_older_one(tmp_path):
    standin.reset(user_app_dir=tmp_path, usd_release="0.19")
    cmds.loadPlugin("mayaUsdPlugin")
    with pytest.raises(TypeError, match="upAxis"):
        cmds.mayaUSDExport(file=str(tmp_path / "a.usdc"), upAxis="y")
    assert "-upAxis" not in cmds.help("mayaUSDExport")
    standin.reset(user_app_dir=tmp_path)
    cmds.loadPlugin("mayaUsdPlugin")
    assert "-upAxis" in cmds.help("mayaUSDExport")


def test_unsaved_changes_are_not_thrown_away_unasked(tmp_path):
    cmds.polyCube()
    with pytest.raises(RuntimeError, match="Unsaved changes"):
        cmds.file(newFile=True)
    cmds.file(rename=str(tmp_path / "a.ma"))
    cmds.file(save=True)
    cmds.file(newFile=True)
    cmds.file(str(tmp_path / "a.ma"), open=True)
    assert cmds.objExists("pCube1")


def test_one_chunk_is_one_step_back_and_one_forth():
    cmds.undoInfo(openChunk=True, chunkName="two")
    cmds.polyCube(name="A")
    cmds.polyCube(name="B")
    cmds.undoInfo(closeChunk=True)
    assert cmds.undoInfo(query=True, undoName=True) == "two"
    cmds.undo()
    assert not cmds.objExists("A")
    assert not cmds.objExists("B")
    cmds.redo()
    assert cmds.objExists("B")


def test_layouts_hold_what_they_can_hold():
    cmds.window("w")
    row = cmds.rowLayout(numberOfColumns=1)
    cmds.button("first", label="x", parent=row)
    with pytest.raises(RuntimeError, match="Too many children"):
        cmds.button(label="y", parent=row)
    column = cmds.columnLayout(parent="w")
    cmds.button("second", label="x", parent=column)
    with pytest.raises(RuntimeError, match="not unique"):
        cmds.button("second", label="x", parent=column)


def test_a_click_runs_the_command_as_maya_does_and_grey_cannot_be_clicked():
    called = []
    cmds.window("w")
    cmds.columnLayout("c")
    cmds.button("b", label="x", command=lambda *arguments: called.append(arguments))
    standin.click("b")
    assert called == [(False,)]
    cmds.button("b", edit=True, enable=False)
    with pytest.raises(AssertionError, match="grey"):
        standin.click("b")


def test_a_flag_of_a_command_keeps_mayas_rules_for_names():
    syntax = om.MSyntax()
    syntax.addFlag("w", "wait", om.MSyntax.kBoolean)
    with pytest.raises(RuntimeError):
        syntax.addFlag("long", "longName", om.MSyntax.kString)
    with pytest.raises(RuntimeError):
        syntax.addFlag("s", "set", om.MSyntax.kString)
    with pytest.raises(RuntimeError):
        syntax.addFlag("w", "width", om.MSyntax.kString)


def test_the_main_progress_bar_has_to_be_ended():
    cmds.progressBar("mainProgressBar", edit=True, beginProgress=True, isInterruptable=True, maxValue=3)
    assert not cmds.progressBar("mainProgressBar", query=True, isCancelled=True)
    standin.press_escape()
    assert cmds.progressBar("mainProgressBar", query=True, isCancelled=True)
    with pytest.raises(AssertionError, match="left open"):
        standin.assert_clean()


def test_what_is_renamed_or_hung_elsewhere_is_still_selected_still_in_its_sets_and_stays_where_it_is():
    cmds.polyCube(name="Body")
    cmds.xform("Body", translation=(1, 2, 3), rotation=(0, 90, 0))
    cmds.sets("Body", name="Props")
    cmds.select("Body")
    holder = cmds.group(empty=True, name="Holder")
    cmds.xform(holder, translation=(10, 0, 0), rotation=(0, 0, 90), scale=(2, 2, 2))
    before = cmds.exactWorldBoundingBox("Body")
    cmds.parent("Body", holder)
    assert cmds.exactWorldBoundingBox("Body") == pytest.approx(before)
    assert cmds.rename("Body", "Hull 1") == "Hull_1"
    assert cmds.ls(selection=True, long=True) == ["|Holder|Hull_1"]
    assert cmds.sets("Props", query=True) == ["|Holder|Hull_1"]
    assert cmds.listRelatives("Hull_1", shapes=True) == ["Hull_1Shape"]
    with pytest.raises(RuntimeError, match="already a child"):
        cmds.parent("Hull_1", holder)
    with pytest.raises(RuntimeError, match="to itself or to one of its children"):
        cmds.parent(holder, "Hull_1")


def test_a_name_that_is_taken_gets_a_number_and_a_pattern_keeps_to_its_namespace():
    cmds.polyCube(name="A")
    cmds.polyCube(name="B")
    assert cmds.rename("B", "A") == "A1"
    cmds.namespace(addNamespace="ns")
    cmds.namespace(setNamespace=":ns")
    cmds.polyCube(name="A")
    cmds.namespace(setNamespace=":")
    cmds.select(clear=True)
    assert [node.name for node in state.now.scene.find("A*")] == ["A", "AShape", "A1", "A1Shape"]
    assert [node.name for node in state.now.scene.find("ns:*")] == ["ns:A", "ns:AShape"]


def test_nodes_of_a_reference_are_told_and_can_be_neither_renamed_nor_deleted(tmp_path):
    cmds.polyCube(name="Chair")
    cmds.file(str(tmp_path / "chair.ma"), exportAll=True, type="mayaAscii")
    cmds.file(newFile=True, force=True)
    cmds.file(str(tmp_path / "chair.ma"), reference=True, namespace="set")
    assert cmds.referenceQuery("set:Chair", isNodeReferenced=True)
    assert cmds.referenceQuery("set:Chair", filename=True) == (tmp_path / "chair.ma").as_posix()
    assert not cmds.referenceQuery("persp", isNodeReferenced=True)
    for call in (lambda: cmds.delete("set:Chair"), lambda: cmds.rename("set:Chair", "x"), lambda: cmds.delete("persp")):
        with pytest.raises(RuntimeError, match="Cannot"):
            call()


def test_nodes_and_attributes_of_no_kind_that_maya_has_are_refused():
    with pytest.raises(RuntimeError, match="Unknown object type"):
        cmds.createNode("lodgroup")
    node = cmds.createNode("file", name="wood")
    assert cmds.ls(selection=True) == ["wood"]
    with pytest.raises(RuntimeError, match="unknown"):
        cmds.addAttr(node, longName="level", attributeType="integer")
    with pytest.raises(RuntimeError, match="Type of new attribute"):
        cmds.addAttr(node, longName="level")
    cmds.addAttr(node, longName="level", attributeType="long")
    cmds.connectAttr("wood.level", "persp.translateX")
    with pytest.raises(RuntimeError, match="locked or connected"):
        cmds.setAttr("persp.translateX", 1.0)


def test_what_is_read_as_usd_fits_the_scenes_unit_and_axis_in_newer_releases_only(tmp_path):
    path = tmp_path / "metres.usda"
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/World").GetPrim())
    mesh = UsdGeom.Mesh.Define(stage, "/World/Flag")
    mesh.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (1, 0, 2)])
    mesh.CreateFaceVertexCountsAttr([3])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2])
    UsdGeom.Xform.Define(stage, "/Other")
    stage.Save()
    sizes = {"0.30": [0, 0, 0, 100, 200, 0], "0.19": [0, 0, 0, 1, 0, 2]}
    for release, size in sizes.items():
        standin.reset(user_app_dir=tmp_path, usd_release=release)
        cmds.loadPlugin("mayaUsdPlugin")
        assert cmds.mayaUSDImport(file=str(path)) == ["|World"]
        assert cmds.exactWorldBoundingBox("Flag") == pytest.approx(size, abs=1e-6)
    with pytest.raises(RuntimeError, match="No prim"):
        cmds.mayaUSDImport(file=str(path), primPath="/Nothing")
    with pytest.raises(RuntimeError, match="Could not open"):
        cmds.mayaUSDImport(file=str(tmp_path / "nothing.usd"))


def test_uv_sets_are_numbered_in_usd_and_have_their_names_again_in_maya(tmp_path):
    cmds.loadPlugin("mayaUsdPlugin")
    cmds.polyCube(name="Body")
    cmds.polyUVSet("Body", create=True, uvSet="baked")
    path = tmp_path / "a.usda"
    cmds.mayaUSDExport(file=str(path))
    stage = Usd.Stage.Open(str(path))
    primvars = UsdGeom.PrimvarsAPI(stage.GetPrimAtPath("/Body"))
    assert primvars.HasPrimvar("st")
    assert primvars.HasPrimvar("st1")
    cmds.file(newFile=True, force=True)
    cmds.mayaUSDImport(file=str(path), primPath="/")
    assert cmds.polyUVSet("Body", query=True, allUVSets=True) == ["map1", "baked"]
    with pytest.raises(RuntimeError, match="catmullClark"):
        cmds.mayaUSDExport(file=str(path), defaultMeshScheme="smooth")


@pytest.mark.parametrize("flag", ["parent", "childArray", "isObscured"])
def test_what_a_control_is_made_with_or_only_tells_cannot_be_edited(flag):
    cmds.window("w")
    cmds.columnLayout("c")
    with pytest.raises((RuntimeError, TypeError), match=flag):
        cmds.columnLayout("c", edit=True, **{flag: "w" if flag == "parent" else True})
