"""Dragging install_sendoff.py into Maya, updating, taking it out again, and what a TD runs."""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import subprocess
import sys

import pytest
from maya import cmds, standin, state


@pytest.fixture
def unpacked(module_folder, tmp_path):
    """The archive, unpacked for this test."""
    shutil.copytree(module_folder.parent, tmp_path / "unpacked")
    return tmp_path / "unpacked"


@pytest.fixture
def drop(unpacked, maya, monkeypatch):
    """Drops the file into Maya's window as an artist does, who has answers ready; returns what was said."""
    monkeypatch.delenv("MAYA_PLUG_IN_PATH")
    monkeypatch.setenv("XBMLANGPATH", "")
    monkeypatch.setattr(sys, "path", [one for one in sys.path if "maya-module" not in one])

    def dropped(*answers):
        spec = importlib.util.spec_from_file_location("install_sendoff", unpacked / "install_sendoff.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        state.now.asked.clear()
        state.now.answers.extend(answers)
        module.onMayaDroppedPythonFile(None)
        assert not state.now.answers
        return state.now.asked[-1] if state.now.asked else ""

    yield dropped
    if "sendoff_plugin" in state.now.loaded:
        cmds.unloadPlugin("sendoff_plugin")


def modules():
    return standin.app_dir() / "modules"


def as_version(unpacked, version):
    path = unpacked / "sendoff" / "sendoff.mod"
    path.write_text(f"+ sendoff {version} .\n")


def test_dropped_it_is_there_at_once_and_at_each_start(drop):
    assert drop("OK").endswith("was installed. It is in the menu Sendoff.")
    assert cmds.menu("sendoffMenu", exists=True)
    assert "sendoff_plugin" in state.now.autoload
    description = (modules() / "sendoff.mod").read_text()
    assert description.split()[3] == (modules() / "sendoff").as_posix()


def test_an_update_leaves_nothing_of_the_old_one(drop, unpacked):
    as_version(unpacked, "0.0.9")
    (unpacked / "sendoff" / "scripts" / "sendoff_maya" / "gone_in_the_next.py").write_text("")
    drop("OK")
    as_version(unpacked, "0.1.0")
    (unpacked / "sendoff" / "scripts" / "sendoff_maya" / "gone_in_the_next.py").unlink()
    assert "from 0.0.9 to 0.1.0" in drop("OK")
    assert not list(modules().rglob("gone_in_the_next.py"))
    assert sorted(path.name for path in modules().iterdir()) == ["sendoff", "sendoff.mod"]
    assert cmds.menu("sendoffMenu", exists=True)


def test_the_same_again_offers_to_take_it_out(drop):
    drop("OK")
    assert "was taken out" in drop("Uninstall", "OK")
    assert list(modules().iterdir()) == []
    assert "sendoff_plugin" not in state.now.loaded
    assert "sendoff_plugin" not in state.now.autoload
    assert not cmds.menu("sendoffMenu", exists=True)


def test_a_newer_one_is_not_replaced_unasked(drop, unpacked):
    as_version(unpacked, "9.0.0")
    drop("OK")
    as_version(unpacked, "0.1.0")
    assert drop("Cancel") == "Sendoff 9.0.0 is installed, which is newer than 0.1.0."
    assert "9.0.0" in (modules() / "sendoff.mod").read_text()


def test_out_of_an_archive_that_was_not_unpacked_it_says_so(drop, unpacked):
    shutil.rmtree(unpacked / "sendoff")
    assert "Unpack the whole archive first" in drop("OK")
    assert not modules().exists()


def test_an_old_maya_is_refused_with_a_sentence(drop):
    state.now.version = "2022"
    assert drop("OK") == "Sendoff needs Maya 2023 or newer, and this is Maya 2022."


def test_a_file_in_the_way_is_a_sentence(drop):
    standin.app_dir().mkdir(parents=True, exist_ok=True)
    modules().write_text("a file where the folder would be")
    assert "cannot be written into" in drop("OK")


def test_on_a_full_disk_it_says_so_and_the_old_one_goes_on(drop, unpacked, monkeypatch):
    as_version(unpacked, "0.0.9")
    drop("OK")
    as_version(unpacked, "0.1.0")

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    said = drop("OK")
    assert said.startswith(f"Sendoff cannot be written into {modules()}: No space left on device. ")
    assert sorted(path.name for path in modules().iterdir()) == ["sendoff", "sendoff.mod"]
    assert "0.0.9" in (modules() / "sendoff.mod").read_text()
    assert cmds.menu("sendoffMenu", exists=True)


def test_where_the_last_step_fails_the_old_one_is_put_back(drop, unpacked):
    as_version(unpacked, "0.0.9")
    drop("OK")
    as_version(unpacked, "0.1.0")
    (modules() / "sendoff.mod").unlink()
    (modules() / "sendoff.mod").mkdir()
    assert "cannot be written into" in drop("OK")
    assert "0.0.9" in (modules() / "sendoff" / "sendoff.mod").read_text()
    assert cmds.menu("sendoffMenu", exists=True)


def test_where_the_loaded_one_cannot_be_unloaded_nothing_is_changed(drop, unpacked, monkeypatch):
    as_version(unpacked, "0.0.9")
    drop("OK")
    as_version(unpacked, "0.1.0")

    def in_use(name):
        raise RuntimeError("Plug-in is in use.")

    with monkeypatch.context() as patched:
        patched.setattr(cmds, "unloadPlugin", in_use)
        said = drop("OK")
    assert said.startswith("Maya could not unload the Sendoff that is there: Plug-in is in use. Nothing was changed.")
    assert "0.0.9" in (modules() / "sendoff.mod").read_text()


def test_what_is_left_of_an_earlier_time_goes(drop):
    (modules() / ".sendoff-1.old" / "held").mkdir(parents=True)
    drop("OK")
    assert sorted(path.name for path in modules().iterdir()) == ["sendoff", "sendoff.mod"]


def test_this_maya_looks_there_at_once_and_no_more_when_it_was_taken_out(drop):
    drop("OK")
    place = (modules() / "sendoff").as_posix()
    assert os.environ["XBMLANGPATH"].startswith(f"{place}/icons")
    assert os.environ["XBMLANGPATH"].endswith("/%B") == sys.platform.startswith("linux")
    drop("Uninstall", "OK")
    assert not [name for name in ("MAYA_PLUG_IN_PATH", "XBMLANGPATH") if place in os.environ[name]]
    assert not [path for path in sys.path if path.startswith(place)]


def test_in_a_batch_it_prints_and_does_not_replace_a_newer_one(drop, unpacked, capsys):
    state.now.is_batch = True
    as_version(unpacked, "9.0.0")
    drop()
    assert capsys.readouterr().out == "Sendoff 9.0.0 was installed.\n"
    as_version(unpacked, "0.1.0")
    drop()
    said = "Sendoff 9.0.0 is installed, which is newer than 0.1.0. Take it out first.\n"
    assert capsys.readouterr().out == said
    assert "sendoff_plugin" in state.now.loaded


def test_a_folder_with_other_letters_is_named_as_seen_from_the_description(unpacked, tmp_path):
    command = [sys.executable, unpacked / "install_sendoff.py", "--user-app-dir", tmp_path / "Åsa"]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    description = (tmp_path / "Åsa/modules/sendoff.mod").read_bytes()
    assert description.split()[3:] == [b"./sendoff"]


def test_a_td_installs_and_removes_it_without_maya(unpacked, tmp_path):
    def run(*more):
        command = [sys.executable, unpacked / "install_sendoff.py", "--user-app-dir", tmp_path / "app", *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert "was installed." in run().stdout
    assert (tmp_path / "app/modules/sendoff/plug-ins/sendoff_plugin.py").is_file()
    assert "was taken out." in run("--uninstall").stdout
    assert run("--uninstall").stdout == "Sendoff was not installed there.\n"
    shutil.rmtree(unpacked / "sendoff")
    refused = run()
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Unpack the whole archive first" in refused.stderr


def test_for_a_studio_the_modules_own_description_is_relative(module_folder):
    assert (module_folder / "sendoff.mod").read_text().split()[3] == "."
