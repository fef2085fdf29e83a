"""The whole loop: a scene in (the stand-in for) Maya, the real server, the real worker, the real Blender, and back."""

from __future__ import annotations

import pytest
from maya import cmds, standin, state

from sendoff import Client, SignInRequired

pytestmark = pytest.mark.blender
LIMIT_SECONDS = 90


@pytest.fixture
def car(at_the_stack, tmp_path):
    """A car of two parts in centimetres, saved, away from the origin and below a group that is turned."""
    cmds.polySphere(name="Body", radius=100, subdivisionsX=40, subdivisionsY=40)
    cmds.polySphere(name="Wheel", radius=30, subdivisionsX=20, subdivisionsY=20)
    cmds.setAttr("Wheel.translateX", 120)
    cmds.group("Body", "Wheel", name="Car", world=True)
    cmds.xform("Car", translation=(300, 50, -200), rotation=(0, 90, 0))
    path = tmp_path / "car.ma"
    cmds.file(rename=str(path))
    cmds.file(save=True)
    return path


@pytest.fixture
def opened(car, plugin):
    """The window, with the server's tasks in it."""
    plugin.panel.show()
    standin.idle(until=lambda: plugin.desk.tasks != () and standin.control("sendoffProcessButton").values["enable"])
    return plugin


def box(name):
    found = cmds.exactWorldBoundingBox(name)
    return found[:3], found[3:]


def process(plugin, task, **params):
    """Click the button for a task; wait for the end as an artist does, who goes on working."""
    title = next(one.title for one in plugin.desk.tasks if one.name == task)
    standin.set_value("sendoffTaskMenu", title)
    plugin.preferences.set_params(task, params)
    standin.click("sendoffProcessButton")
    job = plugin.desk.jobs.jobs[-1]
    standin.idle(until=lambda: bool(job.imported) or job.problem is not None, timeout_seconds=LIMIT_SECONDS)
    assert job.problem is None, job.problem
    return job


def test_levels_of_detail_come_back_with_the_right_counts_sizes_and_places(opened):
    plugin = opened
    plugin.preferences.set_text(plugin.preferences.PLACEMENT, "OVER")
    before = {name: (box(name), cmds.polyEvaluate(name, triangle=True)) for name in ("Body", "Wheel")}
    undo_steps = len(state.now.undo)
    job = process(plugin, "mesh.lods", levels=2, ratio=0.5)
    assert job.imported == "4 levels of detail over the originals, in “car_lods:sendoff_result”"
    assert len(state.now.undo) == undo_steps + 1
    found = cmds.ls("car_lods:*_LOD*", long=True)
    levels = {
        (cmds.getAttr(f"{one}.sendoffSource"), cmds.getAttr(f"{one}.sendoffLevel")): one
        for one in found
        if cmds.nodeType(one) == "transform"
    }
    assert set(levels) == {(f"/Car/{name}", level) for name in ("Body", "Wheel") for level in (1, 2)}
    for (source, level), one in levels.items():
        (low, high), triangles = before[source.rpartition("/")[2]]
        assert cmds.polyEvaluate(one, triangle=True) == pytest.approx(triangles * 0.5**level, rel=0.03)
        width = max(high) - min(low)
        for sent, came in zip((low, high), box(one), strict=True):
            assert came == pytest.approx(sent, abs=0.03 * width)
    cmds.undo()
    assert cmds.ls("car_lods:*") == []


def test_levels_have_their_originals_shading(opened):
    plugin = opened
    paint = cmds.createNode("shadingEngine", name="paintSG")
    cmds.sets("Body", edit=True, forceElement=paint)
    process(plugin, "mesh.lods", levels=1)
    groups = {
        cmds.getAttr(f"{one}.sendoffSource"): cmds.listSets(object=cmds.listRelatives(one, shapes=True)[0], type=1)
        for one in cmds.ls("*.sendoffLevel", objectsOnly=True)
    }
    assert groups == {"/Car/Body": ["paintSG"], "/Car/Wheel": ["initialShadingGroup"]}


def test_beside_the_originals_they_are_clear_of_them_and_of_each_other(opened):
    plugin = opened
    process(plugin, "mesh.lods", levels=2)
    edges = [box("Car")]
    for level in (1, 2):
        parts = [box(one) for one in cmds.ls(f"car_lods:*_LOD{level}", type="transform")]
        edges.append(([min(low[0] for low, _ in parts)], [max(high[0] for _, high in parts)]))
    assert edges[0][1][0] < edges[1][0][0]
    assert edges[1][1][0] < edges[2][0][0]


def test_in_a_lod_group_the_finest_comes_first(opened):
    plugin = opened
    plugin.preferences.set_on(plugin.preferences.LOD_GROUP, True)
    process(plugin, "mesh.lods", levels=2)
    (group,) = cmds.ls(type="lodGroup", long=True)
    assert cmds.ls(selection=True, long=True) == [group]
    children = cmds.listRelatives(group, type="transform")
    assert children == ["car_lods:LOD1", "car_lods:LOD2"] or [one.rpartition("|")[2] for one in children] == [
        "LOD1",
        "LOD2",
    ]
    assert cmds.listConnections(f"{cmds.listRelatives(group, fullPath=True)[1]}.lodVisibility", plugs=True) == [
        f"{group}.output[1]"
    ]


def test_only_what_is_selected_is_sent_and_comes_back(opened):
    plugin = opened
    cmds.select("Wheel", replace=True)
    standin.set_value("sendoffScopeMenu", "Selected")
    job = process(plugin, "mesh.lods", levels=1)
    assert job.scope_title == "“Wheel”"
    assert {cmds.getAttr(f"{one}.sendoffSource") for one in cmds.ls("*.sendoffSource", objectsOnly=True)} == {
        "/Car/Wheel"
    }


def test_a_finding_selects_the_component_in_maya(opened, at_the_stack):
    plugin = opened
    cmds.polyPlane(name="Floor", width=500, height=500, subdivisionsX=2, subdivisionsY=2)
    job = process(plugin, "scene.check")
    assert "finding" in job.imported
    assert plugin.results.show_result(job)
    lines = standin.control("sendoffFindingsList").values["items"]
    border = next(line for line in lines if line.startswith("Info: Floor: Edges at an open border"))
    standin.set_value("sendoffFindingsList", border)
    selected = cmds.ls(selection=True)
    assert len(selected) == 8
    assert all(one.startswith("Floor.e[") for one in selected)


def test_what_was_changed_meanwhile_is_told(opened):
    plugin = opened
    title = next(one.title for one in plugin.desk.tasks if one.name == "mesh.lods")
    standin.set_value("sendoffTaskMenu", title)
    standin.click("sendoffProcessButton")
    job = plugin.desk.jobs.jobs[-1]
    standin.idle(until=lambda: bool(job.id))
    cmds.delete("Wheel")
    standin.idle(until=lambda: bool(job.imported) or job.problem is not None, timeout_seconds=LIMIT_SECONDS)
    assert "Not in the scene any more: “Wheel”." in job.import_notes


def test_maya_restarted_in_mid_job_finds_it_again(opened, car):
    plugin = opened
    standin.set_value("sendoffTaskMenu", next(one.title for one in plugin.desk.tasks if one.name == "mesh.lods"))
    standin.click("sendoffProcessButton")
    job = plugin.desk.jobs.jobs[-1]
    standin.idle(until=lambda: bool(job.id))
    standin.restart_maya()
    cmds.file(str(car), open=True, force=True)
    cmds.loadPlugin("sendoff_plugin")
    (again,) = plugin.desk.jobs.jobs
    assert again.id == job.id
    assert again is not job
    standin.idle(until=lambda: bool(again.imported) or again.problem is not None, timeout_seconds=LIMIT_SECONDS)
    assert again.imported.startswith("6 levels of detail")


def test_another_scene_opened_in_mid_job_gets_nothing_until_its_own_is_open_again(opened, car):
    plugin = opened
    standin.set_value("sendoffTaskMenu", next(one.title for one in plugin.desk.tasks if one.name == "mesh.lods"))
    standin.click("sendoffProcessButton")
    job = plugin.desk.jobs.jobs[-1]
    standin.idle(until=lambda: bool(job.id))
    cmds.file(newFile=True, force=True)
    standin.idle(until=lambda: bool(job.files) or job.problem is not None, timeout_seconds=LIMIT_SECONDS)
    standin.idle(until=lambda: "the result is here" in standin.control("sendoffStatusText").values["label"])
    assert cmds.ls("*_LOD*") == []
    cmds.file(str(car), open=True, force=True)
    standin.idle(until=lambda: bool(job.imported) or job.problem is not None, timeout_seconds=LIMIT_SECONDS)
    assert job.problem is None


def test_signing_in_by_a_code_that_somebody_approves(maya, stack, plugin, tmp_path):
    plugin.panel.show()
    standin.set_value("sendoffUrl", stack.url)
    plugin.panel.refresh()
    standin.click("sendoffSignIn")
    standin.idle(until=lambda: "The code is" in standin.control("sendoffWho").values["label"])
    assert standin.control("sendoffSignIn").values["label"] == "Stop Signing In"
    code = plugin.desk.jobs.sign_in.user_code
    done = stack.run("approve", code, "--yes", "--url", stack.url, "--token", stack.token)
    assert done.returncode == 0, done.stderr
    assert "Maya 2025 on" in done.stdout
    standin.idle(until=lambda: plugin.desk.tasks != ())
    standin.idle(until=lambda: standin.control("sendoffWho").values["label"].startswith("Signed in"))
    assert standin.control("sendoffSignIn").values["label"] == "Sign Out"
    (kept,) = (tmp_path / "home").rglob("sign-ins.json")
    assert kept.stat().st_mode & 0o077 == 0
    standin.restart_maya()
    cmds.loadPlugin("sendoff_plugin")
    choice = plugin.preferences.server_choice()
    assert choice.signed_in_by == "sign-ins"
    plugin.panel.show()
    plugin.panel.refresh()
    standin.click("sendoffSignIn")
    assert "Not signed in" in standin.control("sendoffWho").values["label"]
    assert choice.token not in kept.read_text()
    with pytest.raises(SignInRequired):  # the server takes it no more
        standin.idle(until=lambda: Client(stack.url, choice.token).jobs() is None)


def test_a_sign_in_can_be_stopped_and_begun_again(maya, stack, plugin):
    plugin.panel.show()
    standin.set_value("sendoffUrl", stack.url)
    plugin.panel.refresh()
    codes = set()
    for _ in range(2):
        standin.click("sendoffSignIn")
        standin.idle(until=lambda: plugin.desk.jobs.sign_in is not None)
        codes.add(plugin.desk.jobs.sign_in.user_code)
        standin.click("sendoffSignIn")
        assert "Not signed in" in standin.control("sendoffWho").values["label"]
    assert len(codes) == 2
