"""The preferences in the hands of a TD: which server, who is signed in, and whether everything works."""

from __future__ import annotations

import shlex
import subprocess
from functools import partial

from tests.desktop import browser
from tests.desktop.conftest import MakeBlender
from tests.desktop.reading import Rect
from tests.desktop.screen import Screen
from tests.stack import BIN, Stack, wait_for

from sendoff.tokens import read_claims

OWN = "bpy.context.preferences.addons['bl_ext.user_default.sendoff'].preferences"
CHECK_SECONDS = 60.0
PASSWORD = "correct horse battery"
#: Where the browser's window is.
PAGE = Rect(900, 250, 620, 600)


def test_a_url_and_a_token_are_put_in_and_every_hop_is_tried(
    make_blender: MakeBlender, stack: Stack, screen: Screen
) -> None:
    blender = make_blender({})
    blender.start()
    sidebar = blender.open_sidebar("Sendoff")
    screen.wait_for_text("No server is set", sidebar)
    screen.shot("no server")
    screen.click_text("Open Preferences", sidebar)
    blender.wait_until("len(bpy.context.window_manager.windows) == 2")
    window = blender.open_preferences("Sendoff")
    screen.fill("Server", stack.url, window)
    blender.wait_until(f"{OWN}.server_url == url", url=stack.url)
    screen.scroll(window.middle, 20)
    screen.wait_for_text("Not signed in", window)
    screen.shot("not signed in")
    blender.run("bpy.context.window_manager.clipboard = token", token=stack.token)
    screen.click_text("Paste", window)
    person = read_claims(stack.token).person
    screen.wait_for_text(f"Signed in as {person}", window)
    screen.click_text("Test Connection", window)
    screen.wait_for_text("Everything works", window, seconds=CHECK_SECONDS)
    screen.shot("everything works")
    blender.close_window(1)
    screen.wait_for_text("Levels of detail", sidebar)
    blender.run("bpy.ops.wm.save_userpref()")
    assert blender.quit() < 10
    blender.start()
    blender.open_sidebar("Sendoff")
    assert blender.ask(f"{OWN}.server_url") == stack.url
    assert blender.ask(f"{OWN}.shown_token") == "", "a token is not kept"


def test_what_the_environment_decides_is_shown_greyed_with_the_reason(
    make_blender: MakeBlender, stack: Stack, screen: Screen
) -> None:
    blender = make_blender({"SENDOFF_URL": stack.url, "SENDOFF_TOKEN": stack.token})
    blender.start()
    window = blender.open_preferences("Sendoff")
    screen.scroll(window.middle, 20)
    screen.wait_for_text("Set by SENDOFF_URL", window)
    screen.wait_for_text("Set by SENDOFF_TOKEN", window)
    screen.shot("decided by the environment")
    assert blender.ask(f"{OWN}.shown_url") == stack.url
    screen.fill("Server", "http://typed:1", window)
    assert blender.ask(f"{OWN}.server_url") == ""


def test_the_broken_hop_is_named(make_blender: MakeBlender, stack: Stack, screen: Screen) -> None:
    blender = make_blender({"SENDOFF_URL": "http://127.0.0.1:9", "SENDOFF_TOKEN": stack.token})
    blender.start()
    window = blender.open_preferences("Sendoff")
    screen.scroll(window.middle, 20)
    screen.click_text("Test Connection", window)
    screen.wait_for_text("Broken: network", window, seconds=CHECK_SECONDS)
    screen.shot("broken")


def test_a_server_elsewhere_leads_to_where_online_access_is_allowed(make_blender: MakeBlender, screen: Screen) -> None:
    blender = make_blender({"SENDOFF_URL": "http://render01:8780", "SENDOFF_TOKEN": "t"})
    blender.start()
    sidebar = blender.open_sidebar("Sendoff")
    screen.wait_for_text("Online Access is off", sidebar)
    screen.shot("online access is off")
    screen.click_text("Show Where", sidebar)
    blender.wait_until("bpy.context.preferences.active_section == 'SYSTEM'")
    screen.wait_for_text("Allow Online Access", blender.window(1))
    screen.shot("where it is allowed")


def test_somebody_signs_in_by_the_browser_and_out_again(
    make_blender: MakeBlender, stack: Stack, screen: Screen
) -> None:
    command = [BIN / "sendoff-server", "user", "add", "ada", "--password-stdin", "--data-dir", stack.data_dir]
    subprocess.run(command, input=PASSWORD, env=stack.environment, text=True, timeout=60, check=True)
    with browser.browser_folder() as folder:
        blender = make_blender({"SENDOFF_URL": stack.url})
        blender.environment["BROWSER"] = f"{shlex.join(browser.command(folder, '%s', PAGE))} &"
        blender.start()
        window = blender.open_preferences("Sendoff")
        screen.scroll(window.middle, 20)
        screen.click_text("Sign In", window)
        screen.wait_for_text("The code is", window)
        screen.wait_for_text("By a token", PAGE, seconds=30)
        screen.shot("the code and the page")
        screen.click_text("Name", PAGE)
        screen.type("ada")
        screen.key("Tab")
        screen.type(PASSWORD)
        screen.key("Return")
        screen.wait_for_text("asks to be signed in as ada", PAGE)
        screen.shot("let it in")
        screen.key("Return")
        screen.wait_for_text("Signed in as ada", window)
        screen.shot("signed in")
        blender.run("bpy.ops.sendoff.sign_out()")
        screen.wait_for_text("Not signed in", window)
        screen.shot("signed out")
        listing = [BIN / "sendoff-server", "session", "list", "ada", "--data-dir", stack.data_dir]
        told = partial(subprocess.check_output, listing, env=stack.environment, text=True, timeout=60)
        wait_for(lambda: "Blender 4.3" not in told(), "the end of the session on the server")
        assert "Browser" in told(), "the browser's own goes on"
