"""Sendoff's window as an artist uses it: server, settings, parameters, jobs and their buttons."""

from __future__ import annotations

import dataclasses

import pytest
from maya import cmds, standin, state, ui_commands

SCHEMA = {
    "type": "object",
    "properties": {
        "levels": {"type": "integer", "minimum": 1, "maximum": 8, "default": 3, "title": "Levels"},
        "ratio": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5, "title": "Ratio"},
        "mode": {"enum": ["fast", "good"], "default": "good", "title": "Mode"},
        "formats": {"type": "array", "items": {"enum": ["usd", "fbx"]}, "uniqueItems": True, "default": ["usd"]},
        "keep": {"type": "boolean", "default": True, "title": "Keep"},
        "note": {"type": "string", "default": "", "title": "Note"},
        "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None, "title": "Seed"},
        "size": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3, "default": [1, 2, 3]},
        "where": {"type": "string", "format": "directory-path", "default": "", "title": "Where"},
    },
}


@pytest.fixture
def opened(signed_in, plugin):
    signed_in.tasks = [
        {"name": "mesh.lods", "title": "LODs", "accepts": ["usd", "usdc"], "params": SCHEMA},
        {"name": "studio.rig", "title": "Rig", "accepts": ["ma", "mb"]},
        {"name": "studio.blender", "title": "Only Blender", "accepts": ["blend"]},
    ]
    cmds.polyCube(name="Body")
    plugin.panel.show()
    standin.idle(until=lambda: plugin.desk.tasks != () and standin.control("sendoffProcessButton").values["enable"])
    return plugin


def labels(name):
    return [one.values["label"] for one in standin.control(name).children[0].children]


def shown(name):
    return standin.control(name).values["label"]


def test_only_tasks_that_maya_can_serve_are_offered(opened):
    assert labels("sendoffTaskMenu") == ["LODs", "Rig"]


def test_another_task_brings_its_own_parameters_and_is_remembered(opened):
    assert "Levels" in standin.tree("sendoffParams")
    standin.set_value("sendoffTaskMenu", "Rig")
    assert standin.control("sendoffParams").children == []
    assert not standin.control("sendoffPlacementMenu").is_shown
    standin.restart_maya()
    cmds.loadPlugin("sendoff_plugin")
    assert opened.preferences.text("sendoffTask") == "studio.rig"


def test_what_is_set_is_sent_and_kept_over_a_restart(opened, signed_in):
    prefix = "sendoffParam_mesh_lods_"
    for name, value in (("levels", 5), ("ratio", 0.25), ("mode", "Fast"), ("keep", False), ("note", "für später")):
        standin.set_value(prefix + name, value)
    standin.set_value(f"{prefix}formats_1", True)
    standin.set_value(f"{prefix}seed_given", True)
    standin.set_value(f"{prefix}seed", 7)
    standin.control(f"{prefix}size").values["changeCommand"](4.0, 5.0, 6.0, 0.0)
    state.now.answers.append("/proj/maps")
    standin.control(f"{prefix}where").values["buttonCommand"]()
    standin.click("sendoffProcessButton")
    standin.idle(until=lambda: len(signed_in.submitted) == 1)
    wanted = {
        "levels": 5, "ratio": 0.25, "mode": "fast", "formats": ["usd", "fbx"], "keep": False, "note": "für später",
        "seed": 7, "size": [4.0, 5.0, 6.0], "where": "/proj/maps",
    }  # fmt: skip
    assert signed_in.submitted[0]["params"] == wanted
    standin.restart_maya()
    assert opened.preferences.params("mesh.lods")["levels"] == 5


def test_an_empty_scope_is_said_at_the_click_and_nothing_is_sent(opened, signed_in):
    cmds.select(clear=True)
    standin.set_value("sendoffScopeMenu", "Selected")
    standin.click("sendoffProcessButton")
    assert state.now.in_view[-1].endswith("Select the objects to process, or choose another scope.")
    assert opened.desk.jobs.jobs == []


def test_a_set_is_a_scope(opened, signed_in):
    cmds.sets("Body", name="Props")
    standin.set_value("sendoffScopeMenu", "Set")
    assert standin.control("sendoffSetMenu").is_shown
    standin.set_value("sendoffSetMenu", "Props")
    standin.click("sendoffProcessButton")
    standin.idle(until=lambda: len(signed_in.submitted) == 1)
    assert opened.desk.jobs.jobs[-1].scope_title == "the set “Props”"


def test_a_token_is_used_until_maya_is_closed_and_kept_nowhere(plugin, server, monkeypatch):
    plugin.panel.show()
    standin.set_value("sendoffUrl", f" {server.url}/ ")
    assert state.option_vars["sendoffServerUrl"] == f"{server.url}/"
    standin.idle(until=lambda: "Not signed in" in shown("sendoffWho"))
    standin.set_value("sendoffToken", "go od\n")
    assert standin.control("sendoffToken").values["text"] == ""
    standin.idle(until=lambda: plugin.desk.tasks != ())
    assert "good" not in str(state.option_vars)
    assert "good" not in "".join(
        path.read_text(errors="replace") for path in standin.app_dir().rglob("*") if path.is_file()
    )


def test_a_url_that_is_none_is_a_sentence(plugin):
    plugin.panel.show()
    standin.set_value("sendoffUrl", "render01:8780")
    plugin.panel.refresh()
    assert "does not begin with http://" in shown("sendoffWho")
    assert standin.control("sendoffProcessButton").values["enable"] is False


def test_the_studios_server_cannot_be_changed_by_hand(opened):
    assert standin.control("sendoffUrl").values["enable"] is False
    assert "SENDOFF_URL" in shown("sendoffWhere")


def test_a_newer_module_on_the_server_is_told_with_where_it_is(opened, signed_in):
    assert "and this is" not in shown("sendoffWhere")
    opened.desk.jobs.server = dataclasses.replace(opened.desk.jobs.server, addon_version="99.0")
    opened.panel.refresh()
    assert f"The server has Sendoff 99.0, and this is 0.1.0: see {signed_in.url}/maya/." in shown("sendoffWhere")


def test_the_connection_is_tested_hop_by_hop(opened):
    standin.click("sendoffTest")
    standin.idle(until=lambda: not opened.desk.jobs.is_checking)
    standin.idle(until=lambda: len(standin.control("sendoffHops").children) == len(opened.desk.jobs.hops) > 0)
    assert shown("sendoffVerdict").startswith(("Broken:", "Everything works"))


def test_a_job_is_cancelled_and_retried_by_its_buttons(opened, signed_in):
    standin.click("sendoffProcessButton")
    (job,) = opened.desk.jobs.jobs
    standin.idle(until=lambda: bool(job.id) and cmds.button(f"sendoffJob_{job.key}_cancel", exists=True))
    standin.click(f"sendoffJob_{job.key}_cancel")
    standin.idle(until=lambda: signed_in.cancelled == [job.id])
    assert "cancelling" in shown(f"sendoffJob_{job.key}_text")


def test_several_jobs_are_told_apart_the_newest_in_front(opened, signed_in):
    for _ in range(3):
        standin.click("sendoffProcessButton")
        standin.idle(until=lambda: all(job.id for job in opened.desk.jobs.jobs))
    cards = [one.name for one in standin.control("sendoffJobList").children]
    assert cards == [f"sendoffJob_{job.key}_card" for job in reversed(opened.desk.jobs.jobs)]
    assert "LODs" in shown("sendoffStatusMore")


def test_words_and_bars_change_in_place(opened, signed_in):
    standin.click("sendoffProcessButton")
    (job,) = opened.desk.jobs.jobs
    standin.idle(until=lambda: bool(job.id) and cmds.button(f"sendoffJob_{job.key}_cancel", exists=True))
    opened.panel.refresh()
    card, row = standin.control(f"sendoffJob_{job.key}_card"), standin.control("sendoffStatusRow")
    data = {"job": job.id, "kind": "progress", "state": "running", "message": "Body: LOD 2 of 3", "fraction": 0.5}
    from sendoff_maya.sendoff import Event

    opened.desk.jobs.apply(opened.host.messages.JobEvent(Event.from_dict(data)))
    opened.status_bar.show_at_once()
    opened.status_bar.show(opened.host.status.model(opened.desk.jobs))
    assert "LOD 2 of 3" in shown(f"sendoffJob_{job.key}_text")
    assert standin.control("sendoffStatusBar").values["progress"] > 0
    assert standin.control(f"sendoffJob_{job.key}_card") is card
    assert standin.control("sendoffStatusRow") is row


def test_a_panel_that_was_open_comes_back_with_maya(opened):
    script = standin.control("sendoffWorkspaceControl").values["uiScript"]
    standin.restart_maya()
    assert state.now.restored_panels == [script]
    cmds.loadPlugin("sendoff_plugin")
    made = state.now.controls.make("workspaceControl", "sendoffWorkspaceControl", parent=None, uiScript=script)
    ui_commands.build(made)
    assert "Process on Server" in standin.tree("sendoffWorkspaceControl")


def test_a_main_window_without_a_help_line_has_the_panel_alone(opened, signed_in):
    cmds.deleteUI("helpLineForm")
    cmds.deleteUI("statusLineForm")
    standin.click("sendoffProcessButton")
    standin.idle(until=lambda: len(signed_in.submitted) == 1)
    assert not cmds.rowLayout("sendoffStatusRow", exists=True)
    assert len(standin.control("sendoffJobList").children) == 1


def test_a_maya_whose_python_is_broken_loads_it_and_says_what_to_do(maya, monkeypatch):
    import sys

    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name == "sendoff_maya.sendoff.host.desk":
                raise ImportError("libssl.so.1.1: cannot open shared object file")

    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    cmds.loadPlugin("sendoff_plugin")
    assert any("Sendoff cannot work in this Maya: ImportError: libssl" in text for _, text in state.now.script_editor)
    state.now.answers.append("OK")
    standin.control("sendoffProcessItem").values["command"](False)
    assert "libssl.so.1.1" in state.now.asked[-1]
    with pytest.raises(RuntimeError, match="Sendoff cannot work in this Maya"):
        cmds.sendoffProcess(task="mesh.lods")
    cmds.unloadPlugin("sendoff_plugin")
