"""What the plug-in brings into Maya, and that it leaves nothing behind."""

from __future__ import annotations

import threading

from maya import cmds, mel, standin, state


def test_loaded_it_brings_command_menu_and_shelf_button(plugin):
    assert "sendoffProcess" in state.now.commands
    assert cmds.menu("sendoffMenu", exists=True)
    assert [one.values["label"] for one in standin.control("Sendoff").children] == ["Process on Server"]


def test_unloaded_it_leaves_nothing_behind(maya):
    running = set(threading.enumerate())
    cmds.loadPlugin("sendoff_plugin")
    standin.idle()
    before = standin.tree()
    cmds.unloadPlugin("sendoff_plugin")
    after = standin.tree()
    assert "endoff" in before
    assert "endoff" not in after
    assert state.now.commands == {}
    assert state.now.callbacks == {}
    assert [one.name for one in threading.enumerate() if one not in running] == []
    cmds.loadPlugin("sendoff_plugin")
    assert [one.split(":")[1] for one in standin.tree().splitlines()] == [
        one.split(":")[1] for one in before.splitlines()
    ]


def test_the_shelf_button_is_edited_in_place_and_never_doubled(plugin):
    cmds.unloadPlugin("sendoff_plugin")
    mel.eval('addNewShelfTab "Mine"')
    cmds.shelfButton(parent="Mine", label="Old", command="from sendoff_maya import panel; panel.old()")
    cmds.loadPlugin("sendoff_plugin")
    buttons = [one for one in state.now.controls.all() if one.kind == "shelfButton"]
    assert [(one.parent.name, one.values["label"]) for one in buttons] == [("Mine", "Process on Server")]
