"""Tests in a real Blender window: `make desktop` once (as root), then `make test-desktop`, or one test by
`.venv/bin/python -m pytest tests/desktop -k NAME`.

What a test gets:

- `blender`: a real Blender 4.3 in its window, started, with the add-on installed by Blender's own command into a fresh
  user folder, and `SENDOFF_URL` and `SENDOFF_TOKEN` of `stack` in its environment.
  `blender.ask("len(bpy.data.objects)")` reads and `blender.run("bpy.ops.mesh.primitive_cube_add()")` prepares, both on
  the main thread (driver.py); what the artist does is done by `screen`.
  `blender.open_sidebar("Sendoff")` presses N and clicks the tab, `.open_preferences("Sendoff")` goes by the menu Edit;
  both return the place. `blender.sidebar`, `.status_bar`, `.region("VIEW_3D", "UI")`, `.area("PROPERTIES")` and
  `.window(1)` (the preferences; `.close_window(1)`) are places on the screen, in its pixels from the upper left.
  `.quit()`, `.kill()` (kill -9), `.freeze()`, `.thaw()`, and `.start(FILE)` again with the same user folder.
  `blender.wait_until("'LOD' in bpy.data.collections", seconds=60)` waits for something inside.
- `make_blender(environment, installed=True)`: the same, not yet started, with another environment (`{}`: no server
  is set; `stack.environment` has the kept sign-in), or without the add-on.
- `screen`: the mouse, the keyboard and the eyes. `screen.click_text("Process on Server", blender.sidebar)`,
  `screen.wait_for_text("Signed in", blender.window(1), seconds=10)`, `screen.text(blender.status_bar)`,
  `screen.fill("Server:", "http://farm:8780", blender.window(1))`, `screen.hover(place)` (a tooltip follows),
  `.key("ctrl+z")`, `.type("hello")`, `.scroll(place, 3)`, `.drag(a, b)`, `.double_click(place)`, `.wait_until_gone`,
  `screen.drag_in({"text/uri-list": "file:///tmp/a.zip"}, place)` drops something from another program,
  `screen.wait_until(lambda: ..., "what is waited for")`. Every wait has an end and then shows what the screen said.
- `stack`: server and worker for the whole session; `fresh_stack` is a test's own, to be killed and started again;
  `held_stack` is a module's own, with the task studio.held (held_jobs.py), and `network` the way to it.

`browser.py` has a real Chromium beside Blender's window.

How to have it read well: give the place (`within`) wherever one is known, a whole screen has much that is no text.
Labels are compared without case and punctuation and may have a letter or two wrong; of two alike it is the upper one
(`sidebar.below(screen.wait_for_text("Jobs", sidebar))` is the part below the first). A sentence over several lines is
found in the sidebar as one label. Greyed buttons, red reasons in tooltips and white on blue are read; greyed entries of
menus and placeholders in empty fields are not, and single letters and icons are not to be relied on. Numbers are:
`reading.percentages(screen.text(blender.status_bar))`. Letters are 1.25 times as large as Blender's own (`UI_SCALE`).

`screen.shot("the panel")` keeps build/screens/TEST/01-the-panel.png; a failure keeps one by itself. Look at them.
After each test the console of its Blenders must hold no error; `blender.expected += ["Connection refused"]` allows one.
The keyboard goes to the window under the mouse: `screen.hover(place)` before `screen.key(...)`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripts import desktop
from tests.desktop.blender import Blender
from tests.desktop.network import Network
from tests.desktop.screen import Display, Screen
from tests.requirements import require
from tests.stack import Stack

ROOT = desktop.ROOT
HERE = Path(__file__).resolve().parent
#: The worker's Blender is of the window's series.
WORKERS_BLENDER = ROOT / "build" / "bpy-4.3"
TASKS = ROOT / "tests" / "tasks_for_tests"

MakeBlender = Callable[..., Blender]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.desktop)


@pytest.fixture(scope="session")
def window_system() -> None:
    reason = desktop.why_not()
    require(not reason, reason)
    require((WORKERS_BLENDER / "sendoff-stamp").is_file(), "there is no build/bpy-4.3: make bpy SERIES=4.3")


@pytest.fixture(scope="session")
def display(window_system: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a display of the tests' own."""
    shown = Display(tmp_path_factory.mktemp("display"))
    yield shown.name
    shown.end()


@pytest.fixture
def screen(display: str, request: pytest.FixtureRequest, tmp_path: Path) -> Screen:
    return Screen(display, request.node.name.removeprefix("test_"), tmp_path)


@pytest.fixture(scope="session")
def stack(window_system: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack"), SENDOFF_BLENDERS=str(WORKERS_BLENDER)) as stack:
        yield stack


@pytest.fixture
def fresh_stack(window_system: None, tmp_path: Path) -> Iterator[Stack]:
    """For a test that breaks it."""
    with Stack(tmp_path / "stack", SENDOFF_BLENDERS=str(WORKERS_BLENDER)) as stack:
        yield stack


def stack_in(folder: Path) -> Stack:
    """A server and a worker that has the task, for several at a time; not started."""
    return Stack(folder, SENDOFF_BLENDERS=str(WORKERS_BLENDER), SENDOFF_TASK_PATH=str(TASKS), SENDOFF_CONCURRENCY="4")


@pytest.fixture(scope="module")
def held_stack(window_system: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """For a module's own jobs, whose worker has the task studio.held."""
    with stack_in(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def network(held_stack: Stack) -> Iterator[Network]:
    """The way to it, which a test can break."""
    network = Network(held_stack.url, held_stack.token)
    yield network
    network.close()


@pytest.fixture(scope="session")
def addon_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this checkout, or the one that DESKTOP_ADDON names."""
    if os.environ.get("DESKTOP_ADDON"):
        return Path(os.environ["DESKTOP_ADDON"]).resolve()
    built = subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_addon.py", "--out", tmp_path_factory.mktemp("dist")],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return Path(built.stdout.strip().splitlines()[-1])


@pytest.fixture
def make_blender(screen: Screen, addon_zip: Path, tmp_path: Path) -> Iterator[MakeBlender]:
    made: list[Blender] = []
    # Whoever wants a browser names it: a real one would come up over what is looked at.
    no_browser = {"BROWSER": "true %s"}

    def make(environment: dict[str, str], *, installed: bool = True) -> Blender:
        folder = tmp_path / f"blender-{len(made) + 1}"
        own = {name: value for name, value in environment.items() if name.startswith("SENDOFF_")}
        made.append(Blender(screen, folder, no_browser | {"SENDOFF_HOME": str(folder / "sendoff-home")} | own))
        if installed:
            made[-1].install(addon_zip)
        return made[-1]

    yield make
    for blender in made:
        if blender.is_running:
            screen.shot("at the end")
        blender.kill()
    problems = [line for blender in made for line in blender.problems()]
    assert not problems, f"Blender's console has errors: {problems}\n{made[-1].last_words}"


@pytest.fixture
def blender(make_blender: MakeBlender, stack: Stack) -> Blender:
    blender = make_blender({"SENDOFF_URL": stack.url, "SENDOFF_TOKEN": stack.token})
    blender.start()
    return blender
