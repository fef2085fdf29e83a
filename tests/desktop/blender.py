"""A real Blender with its window, in the window system: installed into, started, asked, ended and started again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts import desktop
from tests.desktop.reading import Rect
from tests.desktop.screen import HEIGHT, PATIENCE_SECONDS, WIDTH, Screen

DRIVER = Path(__file__).with_name("driver.py")
#: Software GL compiles its shaders once; kept, the next start takes two seconds instead of nine.
SHADERS = desktop.ROOT / "build" / "desktop" / "shaders"
#: Larger letters are read better, and everything still fits.
UI_SCALE = 1.25
#: The sidebar's tabs at its right edge, with letters that go downwards.
TAB_PIXELS = round(21 * UI_SCALE)
#: The height of the main menu.
MENU_PIXELS = round(28 * UI_SCALE)
#: In the list of add-ons, the arrow that opens one is so far left of its name.
ARROW_PIXELS = round(37 * UI_SCALE)
START_SECONDS = 120.0
ANSWER_SECONDS = 60.0
_INSTALL_SECONDS = 120
_PROBLEM = re.compile(r"Traceback|^\s*[\w.]*(Error|Exception|ERROR)\b|\.crash\.txt")


class Blender:
    """One artist's Blender: its user folder stays over restarts, its window covers the screen.

    `environment` is what it is started with beside the bare necessary; a test may change it before `start`.
    """

    def __init__(self, screen: Screen, folder: Path, environment: dict[str, str]) -> None:
        self.screen = screen
        self.folder = folder
        self.environment = environment
        self.console = folder / "console.log"
        #: Sentences that a test expects on the console though they look like an error.
        self.expected: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._stream: Any = None
        for name in ("home", "user", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        SHADERS.mkdir(parents=True, exist_ok=True)

    # Its life

    def install(self, addon_zip: Path) -> None:
        """Install and enable the add-on with Blender's own command."""
        arguments = ["extension", "install-file", "--repo", "user_default", "--enable", str(addon_zip)]
        done = subprocess.run(
            self._command("blender", "--command", *arguments), capture_output=True, text=True,
            timeout=_INSTALL_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"Blender did not install {addon_zip.name}:\n{done.stdout}{done.stderr}"

    def start(self, file: Path | None = None, *, arguments: Sequence[str] = ()) -> None:
        """Start it, with a file or without, and wait until its window answers."""
        assert not self.is_running, "this Blender runs already"
        told = self.folder / "driver.port"
        told.unlink(missing_ok=True)
        opened = [str(file)] if file else []
        window = ["--window-geometry", "0", "0", str(WIDTH), str(HEIGHT)]
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                self._command("blender", *window, *opened, *arguments, "--python", str(DRIVER)),
                stdout=console, stderr=console,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not told.is_file():
            if not self.is_running or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"Blender did not start:\n{self.last_words}")
            time.sleep(0.05)
        self._line = socket.create_connection(("127.0.0.1", int(told.read_text())), timeout=START_SECONDS)
        self._stream = self._line.makefile("rw", encoding="utf-8")
        for _ in range(2):  # between the two it draws for the first time
            self.ask("bpy.app.version_string")
        self._line.settimeout(ANSWER_SECONDS)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        """All that it has printed, over all its starts."""
        return self.console.read_text(errors="replace") if self.console.is_file() else ""

    @property
    def last_words(self) -> str:
        """The end of what it has printed, and where it crashed what Blender wrote about that."""
        crashes = [path.read_text(errors="replace")[-4000:] for path in (self.folder / "tmp").glob("*.crash.txt")]
        return "\n".join([self.output[-4000:], *crashes])

    def quit(self, *, seconds: float = 30.0) -> float:
        """Quit as File > Quit does, nothing saved; returns how many seconds it took until the process was gone."""
        begun = time.monotonic()
        self.send("bpy.ops.wm.quit_blender()")
        status = self.wait_until_ended(seconds=seconds)
        took = time.monotonic() - begun
        assert status == 0, f"Blender ended with status {status}:\n{self.last_words}"
        return took

    def wait_until_ended(self, *, seconds: float = 30.0) -> int:
        """Wait until it has ended by itself; returns its exit status."""
        assert self._process is not None
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.screen.shot("did-not-end")
            self.kill()
            raise AssertionError(f"Blender did not end within {seconds:g} s:\n{self.last_words}") from None
        self._hang_up()
        return status

    def kill(self) -> None:
        """End it as a power cut does."""
        self._hang_up()
        if self._process is not None:
            self._process.kill()  # its namespace, and so every process in it, ends with it
            self._process.wait(10)

    def freeze(self) -> None:
        """Stop all of it, as a laptop that sleeps; `thaw` lets it go on."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    # Reading and preparing

    def ask(self, expression: str, **names: Any) -> Any:
        """The value of a Python expression on Blender's main thread, as JSON has it.

        It knows `bpy`, what `run` has set, and what driver.py has: `area(kind)`, `region(kind, name)`, `rect(part)`.
        """
        return self._talk(expression, evaluate=True, names=names)

    def run(self, statements: str, **names: Any) -> None:
        """Run Python statements on Blender's main thread."""
        self._talk(statements, evaluate=False, names=names)

    def send(self, statements: str, **names: Any) -> None:
        """The same, without waiting for the end; for what never returns."""
        self._write(statements, evaluate=False, names=names)

    def wait_until(self, expression: str, *, seconds: float = 30.0, **names: Any) -> Any:
        """Wait until an expression is true inside, and return its value."""
        return self.screen.wait_until(lambda: self.ask(expression, **names), f"`{expression}`", seconds=seconds)

    # Where its parts are on the screen

    def area(self, kind: str = "VIEW_3D") -> Rect:
        return Rect(*self.ask("rect(area(kind))", kind=kind))

    def region(self, kind: str = "VIEW_3D", name: str = "WINDOW") -> Rect:
        return Rect(*self.ask("rect(region(kind, name))", kind=kind, name=name))

    def window(self, number: int = 0) -> Rect:
        """A window by its number, moved into the screen where it is not; the preferences open number 1."""
        self.wait_until("len(bpy.context.window_manager.windows) > number", number=number)
        place = Rect(*self.ask("window_rect(number)", number=number))
        x, y = min(max(0, place.x), WIDTH - place.width), min(max(0, place.y), HEIGHT - place.height)
        return self.place_window(number, Rect(x, y, place.width, place.height))

    def place_window(self, number: int, place: Rect) -> Rect:
        """Move a window and change its size; returns where it is now."""
        before = Rect(*self.ask("window_rect(number)", number=number))
        if place != before:
            self.screen.place_window(before, place)
            wanted = [place.x, place.y, place.width, place.height]
            self.wait_until("window_rect(number) == wanted", number=number, wanted=wanted)
        return place

    def close_window(self, number: int) -> None:
        """Close a window, which has no title bar here."""
        self.run(
            "with bpy.context.temp_override(window=bpy.context.window_manager.windows[number]):\n"
            "    bpy.ops.wm.window_close()", number=number,
        )  # fmt: skip
        self.wait_until("len(bpy.context.window_manager.windows) <= number", number=number)

    @property
    def sidebar(self) -> Rect:
        """The 3D view's sidebar."""
        return self.region("VIEW_3D", "UI")

    @property
    def status_bar(self) -> Rect:
        return Rect(*self.ask("status_bar()"))

    def open_sidebar(self, tab: str = "Sendoff") -> Rect:
        """Open the sidebar as an artist does, N over the 3D view, then a click on the tab; returns where it is."""
        if not self.ask("area('VIEW_3D').spaces.active.show_region_ui"):
            self.screen.hover(self.region("VIEW_3D", "WINDOW"))
            self.screen.key("n")
            self.wait_until("area('VIEW_3D').spaces.active.show_region_ui")
        self.screen.click(
            self.screen.wait_until(lambda: self._tab(tab), f"the tab {tab}", self.sidebar, seconds=PATIENCE_SECONDS)
        )
        self.wait_until("region('VIEW_3D', 'UI').active_panel_category == tab", tab=tab)
        return self.sidebar

    def open_preferences(self, addon: str = "Sendoff") -> Rect:
        """Open an add-on's preferences as an artist does, by Edit > Preferences > Add-ons; returns their window."""
        screen, main = self.screen, self.window()
        screen.click_text("Edit", Rect(main.x, main.y, main.width // 4, MENU_PIXELS))
        screen.click_text("Preferences...", Rect(main.x, main.y, main.width // 4, main.height // 2))
        opened = self.window(1)
        window = self.place_window(1, Rect(main.x, main.y + MENU_PIXELS, opened.width, main.height - MENU_PIXELS))
        screen.click_text("Add-ons", Rect(window.x, window.y, window.width // 4, window.height))
        label = screen.wait_for_text(addon, window)
        screen.click((label.x - ARROW_PIXELS, label.middle[1]))
        return window

    def _tab(self, name: str) -> Rect | None:
        sidebar = self.sidebar
        width = min(sidebar.width, TAB_PIXELS)
        tabs = Rect(sidebar.right - width, sidebar.y, width, sidebar.height)
        return self.screen.find_text(name, tabs, downwards=True)

    def problems(self) -> list[str]:
        """Lines on the console that tell of an error nobody expected, each once."""
        lines = dict.fromkeys(line.strip() for line in self.output.splitlines() if _PROBLEM.search(line))
        return [line for line in lines if not any(words in line for words in self.expected)]

    def _command(self, *arguments: str) -> list[str]:
        own = {
            "DISPLAY": self.screen.display,
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "BLENDER_USER_RESOURCES": str(self.folder / "user"),
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "MESA_SHADER_CACHE_DIR": str(SHADERS),
            "PYTHONUNBUFFERED": "1",
            "DESKTOP_DRIVER": str(self.folder / "driver.port"),
            "DESKTOP_HEIGHT": str(HEIGHT),
            "DESKTOP_UI_SCALE": str(UI_SCALE),
        }
        return desktop.command(arguments, **(own | self.environment))

    def _talk(self, code: str, *, evaluate: bool, names: dict[str, Any]) -> Any:
        self._write(code, evaluate=evaluate, names=names)
        try:
            reply = self._stream.readline()
        except TimeoutError:
            reply = ""
        if not reply:
            self.screen.shot("no-answer")
            raise AssertionError(f"Blender did not answer `{code}`:\n{self.last_words}")
        answer = json.loads(reply)
        if "error" in answer:
            raise AssertionError(f"`{code}` failed inside Blender:\n{answer['error']}")
        return answer["value"]

    def _write(self, code: str, *, evaluate: bool, names: dict[str, Any]) -> None:
        assert self._stream is not None, "this Blender does not run"
        self._stream.write(json.dumps({"code": code, "evaluate": evaluate, "names": names}) + "\n")
        self._stream.flush()

    def _hang_up(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._stream.close()
            self._line.close()
        self._line = self._stream = None

    def _signal(self, what: signal.Signals) -> None:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for child in map(int, children):
            os.kill(child, what)
