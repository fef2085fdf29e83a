"""From the click to the job, and what a script gets."""

from __future__ import annotations

import pytest
from maya import cmds, mel, standin, state


@pytest.fixture
def body(maya):
    cmds.polyCube(name="Body", width=100)


@pytest.fixture
def opened(signed_in, body, plugin):
    """The plug-in's window with the tasks of the server in it."""
    plugin.panel.show()
    standin.idle(until=lambda: plugin.desk.tasks != ())
    standin.idle(until=lambda: standin.control("sendoffProcessButton").values["enable"])
    return plugin


def test_a_click_in_the_window_sends_and_returns_at_once(opened, signed_in):
    standin.click("sendoffProcessButton")
    (job,) = opened.desk.jobs.jobs
    assert job.is_saving
    assert "saving a copy to send" in standin.control("sendoffStatusText").values["label"]
    standin.idle(until=lambda: len(signed_in.submitted) == 1)
    assert any("sending; go on working" in text for text in state.now.in_view)
    (submitted,) = signed_in.submitted
    assert submitted["task"] == "mesh.lods"
    assert [file["path"] for file in submitted["manifest"]["files"]] == ["untitled.usdc"]
    assert submitted["host"]["application"] == "maya"


def test_the_result_comes_into_the_scene_as_one_undo_step_and_is_told(opened, signed_in, tmp_path):
    standin.click("sendoffProcessButton")
    (job,) = opened.desk.jobs.jobs
    standin.idle(until=lambda: bool(job.id))
    signed_in.finish(job.id, "lods.txt", b"done")
    opened.desk.session().ask(job.id)
    standin.idle(until=lambda: bool(job.imported))
    assert "lods.txt in" in job.imported
    standin.idle(until=lambda: any("lods.txt" in text for text in state.now.in_view))
    assert cmds.undoInfo(query=True, undoName=True) == "Import untitled from Server"


def test_the_command_in_a_batch_waits_and_prints_each_step(maya, signed_in, module_folder, monkeypatch, capsys):
    standin.reset(is_batch=True)
    cmds.polyCube(name="Body")
    cmds.loadPlugin("sendoff_plugin")
    with pytest.raises(RuntimeError, match="when the wait ended; the job goes on"):
        cmds.sendoffProcess(task="mesh.lods", params='{"levels": 1}', timeoutSeconds=1.0)
    (submitted,) = signed_in.submitted
    assert submitted["params"] == {"levels": 1}
    assert "Sendoff: untitled · LODs" in capsys.readouterr().out


def test_from_mel_too(opened, signed_in):
    key = mel.eval('sendoffProcess -task "mesh.lods" -params "{\\"levels\\": 2}" -wait false;')
    assert opened.desk.jobs.find(key) is not None
    standin.idle(until=lambda: len(signed_in.submitted) == 1)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"task": "mesh.lods", "params": "[1]"}, "not a JSON object"),
        ({"task": "mesh.lods", "scope": "half"}, "one of scene, selected, set"),
        ({"task": "mesh.lods", "scope": "set", "setName": "Props"}, "no set “Props”"),
        ({"task": "mesh.lods", "scope": "selected"}, "Select the objects"),
    ],
)
def test_nonsense_in_a_script_is_one_sentence(opened, flags, sentence):
    cmds.select(clear=True)
    with pytest.raises(RuntimeError, match=sentence):
        cmds.sendoffProcess(**flags)
    assert opened.desk.jobs.jobs == []


def test_without_a_server_the_click_says_where_to_set_one(body, plugin):
    plugin.panel.process()
    (said,) = [text for kind, text in state.now.script_editor if kind == "warning"]
    assert said == "Sendoff: No server is set. Put its URL into Sendoff's settings, or set SENDOFF_URL."
    assert "sendoffBody" in standin.tree()
