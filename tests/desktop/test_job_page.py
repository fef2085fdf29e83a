"""A job's page in a real browser, opened by the add-on's button: it is signed in by itself and goes on live."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desktop import browser
from tests.desktop.conftest import MakeBlender
from tests.desktop.held_jobs import Desk, HeldJob
from tests.desktop.network import Network
from tests.desktop.reading import Rect, percentages
from tests.desktop.screen import Screen
from tests.stack import wait_for

#: Beside the tab.
PAGE = Rect(100, 60, 800, 850)
_OPEN = "bpy.ops.sendoff.open_page('INVOKE_DEFAULT', job=key)"


@pytest.fixture
def folder() -> Iterator[Path]:
    """The browser's home."""
    with browser.browser_folder() as folder:
        yield folder


@pytest.fixture
def desk(make_blender: MakeBlender, network: Network, folder: Path, tmp_path: Path) -> Iterator[Desk]:
    """A Blender whose system has a browser."""
    blender = make_blender({"SENDOFF_URL": network.url, "SENDOFF_TOKEN": network.token})
    blender.environment["BROWSER"] = f"{shlex.join(browser.command(folder, '%s', PAGE))} &"
    blender.start()
    desk = Desk(blender, tmp_path / "desk")
    desk.prepare()
    yield desk
    desk.let_all_end()


def open_page(desk: Desk, held: HeldJob) -> None:
    desk.blender.run(_OPEN, key=held.key)
    desk.screen.wait_for_text("Cancel the job", PAGE)


def test_the_page_shows_the_job_live_and_gives_its_files(desk: Desk, screen: Screen, folder: Path) -> None:
    large = desk.large_file()
    held = desk.run([large])
    open_page(desk, held)
    first = screen.wait_until(lambda: percentages(screen.text(PAGE)), "a percentage", PAGE)[0]
    screen.wait_until(lambda: percentages(screen.text(PAGE))[:1] > [first], f"more than {first} %", PAGE)
    screen.shot("running")
    held.release()
    screen.wait_for_text("Result", PAGE)
    assert screen.find_text("Cancel the job", PAGE) is None
    screen.shot("done")
    screen.click_text("Download", PAGE)
    saved = folder / "Downloads" / large.name
    wait_for(lambda: saved.is_file() and saved.stat().st_size == large.stat().st_size, "the file of the result")
    assert saved.read_bytes() == large.read_bytes()


def test_a_job_cancelled_on_its_page_is_cancelled_in_blender(desk: Desk, screen: Screen) -> None:
    held = desk.run()
    open_page(desk, held)
    screen.click_text("Cancel the job", PAGE)
    held.wait_until("not job.is_active and job.state.value == 'cancelled'")
    screen.wait_until_gone("Cancel the job", PAGE)
    screen.wait_for_text("Cancelled", PAGE)
    screen.shot("cancelled")


def test_the_page_goes_on_when_the_network_has_been_gone(desk: Desk, network: Network, screen: Screen) -> None:
    held = desk.run([])
    open_page(desk, held)
    network.take_down()
    screen.wait_for_text("reconnecting to the server", desk.blender.status_bar)
    screen.shot("reconnecting")
    held.release()
    network.restore()
    screen.wait_for_text("Done", PAGE)
    network.take_down()
    screen.hover(PAGE)
    screen.key("F5")
    screen.wait_until_gone("Done", PAGE)  # it is loaded anew, in vain
    network.restore()
    screen.key("F5")
    screen.wait_for_text("Done", PAGE)
    screen.shot("loaded again")
