from __future__ import annotations

import threading
import time

import addon_utils
import bpy
import pytest


def our_traces(package, before=()):
    """Everything that the add-on may leave in Blender; threads of another test's silent server are not its own."""
    classes = [name for name in dir(bpy.types) if name.startswith("SENDOFF_")]
    handlers = [
        handler
        for name in ("load_pre", "load_post", "save_pre", "save_post")
        for handler in getattr(bpy.app.handlers, name)
        if getattr(handler, "__module__", "").startswith(package)
    ]
    drawn = [
        function
        for header in (bpy.types.STATUSBAR_HT_header, bpy.types.TOPBAR_MT_file)
        for function in getattr(header.draw, "_draw_funcs", [])
        if function.__module__.startswith(package)
    ]
    classes += [
        name for owner in (bpy.types.Scene, bpy.types.WindowManager) for name in dir(owner) if "sendoff" in name
    ]
    going = [thread for thread in threading.enumerate() if thread not in before]
    threads = [thread.name for thread in going if thread.name.startswith("sendoff")]
    return classes, handlers, drawn, threads


def test_it_registers_and_unregisters_twice_without_a_trace(addon):
    before = threading.enumerate()
    for _ in range(2):
        addon_utils.disable(addon.package)
        assert our_traces(addon.package, before) == ([], [], [], [])
        addon_utils.enable(addon.package)
        classes, handlers, drawn, _threads = our_traces(addon.package)
        assert "SENDOFF_OT_process" in classes
        assert "sendoff" in classes, "the scene's settings"
        assert len(handlers) == 3
        assert len(drawn) == 2


def test_disabling_ends_the_threads_of_a_silent_server(addon, silent_server):
    addon.preferences.bpy.context.preferences.addons[addon.package].preferences.server_url = silent_server
    bpy.ops.sendoff.process(wait=False)
    assert any(thread.name.startswith("sendoff") for thread in threading.enumerate())
    addon_utils.disable(addon.package)
    try:
        assert addon.desk.running_session is None
    finally:
        addon_utils.enable(addon.package)
        bpy.context.preferences.addons[addon.package].preferences.server_url = ""


def test_process_without_a_server_is_grey_and_fails_with_the_reason(addon):
    assert not bpy.ops.sendoff.process.poll()
    assert "No server is set" in addon.desk.why_offline()
    with pytest.raises(RuntimeError, match="No server is set"):
        bpy.ops.sendoff.process()


def test_a_server_elsewhere_needs_online_access_and_one_here_does_not(addon, monkeypatch):
    assert bpy.app.online_access is False
    monkeypatch.setenv("SENDOFF_URL", "http://render01:8780")
    assert "Online Access" in addon.desk.why_offline()
    addon.preferences._chosen = None
    monkeypatch.setenv("SENDOFF_URL", "http://127.0.0.1:8780")
    assert addon.desk.why_offline() == ""


@pytest.mark.parametrize(
    "name",
    [
        "process", "cancel", "retry", "import_result", "show_result", "seen", "dismiss", "open_log", "open_page",
        "open_folder", "look", "check",
    ],
)  # fmt: skip
def test_every_grey_button_says_why(addon, name):
    with pytest.raises(RuntimeError, match=r"poll\(\) (?!failed, context is incorrect)"):
        getattr(bpy.ops.sendoff, name)()


def test_a_server_that_is_looked_for_has_its_thread_ended_with_the_add_on(addon, silent_server, monkeypatch):
    monkeypatch.setenv("SENDOFF_URL", silent_server)
    addon.pump.pump()
    deadline = time.monotonic() + 10  # another thread starts it
    while not any(thread.name == "sendoff-look" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    addon_utils.disable(addon.package)
    try:
        assert addon.desk.running_session is None
    finally:
        addon_utils.enable(addon.package)


def test_the_environment_goes_before_the_preferences(addon, monkeypatch):
    preferences = bpy.context.preferences.addons[addon.package].preferences
    preferences.server_url = "http://127.0.0.1:1"
    try:
        assert addon.preferences.server_choice().url_from == "preferences"
        addon.preferences._chosen = None
        monkeypatch.setenv("SENDOFF_URL", "http://127.0.0.1:2/")
        choice = addon.preferences.server_choice()
        assert (choice.url, choice.url_from) == ("http://127.0.0.1:2", "SENDOFF_URL")
    finally:
        preferences.server_url = ""


def test_the_session_token_is_written_nowhere(addon, tmp_path):
    bpy.context.preferences.addons[addon.package].preferences.server_url = "http://127.0.0.1:9"
    addon.preferences.sign_in("very-secret-token")
    try:
        bpy.ops.wm.save_userpref()
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), compress=False)
        written = [tmp_path / "a.blend", *(path for path in _user_files() if path.is_file())]
        assert any(path.name == "userpref.blend" for path in written)
        assert not [path for path in written if b"very-secret-token" in path.read_bytes()]
        assert addon.preferences.server_choice().token == "very-secret-token"
        assert "very-secret-token" not in repr(addon.preferences.server_choice())
    finally:
        addon.preferences.sign_in("")
        bpy.context.preferences.addons[addon.package].preferences.server_url = ""


def _user_files():
    from pathlib import Path

    return Path(bpy.utils.resource_path("USER")).rglob("*")
