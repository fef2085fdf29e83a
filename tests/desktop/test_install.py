"""Installing by drag and drop: the file from a file manager, the link of the server's page from a browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.desktop import browser
from tests.desktop.blender import Blender
from tests.desktop.conftest import ROOT, MakeBlender
from tests.desktop.reading import Rect
from tests.desktop.screen import HEIGHT, WIDTH, Screen
from tests.stack import Stack

BROWSER = Rect(0, 60, 560, 800)
#: The part of Blender's window that the browser leaves free, and a place in it: a dialog comes around that.
BESIDE = Rect(BROWSER.right, BROWSER.y, WIDTH - BROWSER.right, HEIGHT - BROWSER.y)
DROP = (1200, 500)


def wait_until_installed(blender: Blender, repository: str) -> None:
    blender.wait_until("name in bpy.context.preferences.addons", name=f"bl_ext.{repository}.sendoff")


def test_the_file_dragged_in_is_installed_without_a_network(
    make_blender: MakeBlender, screen: Screen, addon_zip: Path
) -> None:
    blender = make_blender({}, installed=False)
    blender.start()
    assert not blender.ask("bpy.app.online_access")
    screen.drag_in({"text/uri-list": f"{addon_zip.as_uri()}\r\n"}, DROP)
    screen.wait_for_text("Install from Disk", BESIDE)
    screen.shot("dropped")
    screen.click_text("OK", BESIDE)
    wait_until_installed(blender, "user_default")
    blender.open_sidebar("Sendoff")


def test_the_servers_link_dragged_in_adds_the_repository_and_installs(
    make_blender: MakeBlender, screen: Screen, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    subprocess.run([sys.executable, ROOT / "scripts" / "build_repository.py", "--out", repository], check=True)
    with Stack(tmp_path / "stack", SENDOFF_ADDON_DIR=str(repository)) as stack:
        address = f"{stack.url}/addon/"
        blender = make_blender({}, installed=False)
        blender.start()
        blender.run("bpy.context.preferences.system.use_online_access = True")
        with browser.opened(screen.display, address, BROWSER, tmp_path / "chromium.log"):
            above, below = (screen.wait_for_text(words, BROWSER) for words in ("Heavy scene", "Linux, macOS and"))
            button = (above.x + above.width // 2, (above.bottom + below.y) // 2)  # white on blue, which is not read
            screen.shot("the page")
            screen.drag(button, DROP)
            screen.click_text("Add Repository", BESIDE)
            screen.wait_for_text("Check for Updates on Startup", BESIDE)
            screen.shot("the repository")
            screen.click_text("Create", BESIDE)
            name = blender.wait_until(
                "next((repo.module for repo in bpy.context.preferences.extensions.repos"
                " if repo.remote_url == url), '')", url=f"{address}index.json",
            )  # fmt: skip
            screen.drag(button, DROP)
            screen.wait_for_text("Do you want to install", BESIDE)
            screen.shot("the add-on")
            screen.click_text("OK", BESIDE)
            wait_until_installed(blender, name)
        blender.open_sidebar("Sendoff")
        screen.shot("the tab")
