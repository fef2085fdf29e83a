"""A screen with a mouse and a keyboard: Xvfb in the window system, xdotool, and tesseract to read what it shows."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from scripts import desktop
from tests.desktop.reading import ALIKE, Rect, Word, find, moved, text_of, turned_back, words_of

WIDTH, HEIGHT = 1600, 1000
SCREENS = desktop.ROOT / "build" / "screens"
#: Waits end with a failure after so long, unless a test says otherwise.
PATIENCE_SECONDS = 20.0
#: The other program that something is dragged from: a window so large in the upper left corner.
_DRAGGED = Path(__file__).with_name("dragged.py")
_DRAGGED_PIXELS = 40
_DRAG_STEPS = 10
_PYTHON = "/usr/bin/python3"
_LOOK_EVERY_SECONDS = 0.1
_COMMAND_SECONDS = 60
#: Small light letters on grey or blue, and red ones on black: in the red channel all are light on dark, and large dark
#: ones on white are read best.
_ENLARGED = 2.0
_PREPARE = "-channel R -separate -level 34%,58% -resize 200% -negate"

Found = TypeVar("Found")


class Display:
    """Xvfb on a display that is free; ended for certain, by the kernel if not by us."""

    def __init__(self, folder: Path) -> None:
        number = folder / "display"
        with (folder / "xvfb.log").open("wb") as log:
            self._process = subprocess.Popen(
                desktop.command(
                    ["sh", "-c", 'exec 3>"$1"; exec Xvfb -displayfd 3 -screen 0 "$2" -nolisten tcp -noreset', "sh",
                     str(number), f"{WIDTH}x{HEIGHT}x24"]
                ),
                stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (number.is_file() and number.read_text().endswith("\n")):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise AssertionError(f"Xvfb did not start: {(folder / 'xvfb.log').read_text()}")
            time.sleep(0.02)
        self.name = f":{number.read_text().strip()}"

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)


class Screen:
    """What a person has before them. All places are in the screen's pixels, from its upper left corner.

    Every screenshot that is asked for is kept in build/screens/TEST/NUMBER-NAME.png.
    """

    def __init__(self, display: str, title: str, scratch: Path) -> None:
        self.display = display
        self.folder = SCREENS / re.sub(r"[^\w-]+", "_", title)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._scratch = scratch
        self._numbers = itertools.count(1)

    # Looking

    def shot(self, name: str, within: Rect | None = None) -> Path:
        """Keep a screenshot, of the whole screen or a part of it; returns its path."""
        path = self.folder / f"{next(self._numbers):02d}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.png"
        self._run("import", "-window", "root", *_crop(within), str(path))
        return path

    def words(self, within: Rect | None = None, *, downwards: bool = False) -> list[Word]:
        """What is written on the screen, or in a part of it, now; `downwards` for letters that lie on their side."""
        part = within or Rect(0, 0, WIDTH, HEIGHT)
        image = self._scratch / "reading.png"
        prepare = f"{_PREPARE} -rotate -90" if downwards else _PREPARE
        script = f'import -window root "$@" miff:- | convert - {prepare} {image} && tesseract {image} - --psm 11 tsv'
        words = words_of(self._run("sh", "-c", script, "sh", *_crop(part), OMP_THREAD_LIMIT="1"), scale=_ENLARGED)
        if downwards:
            words = [turned_back(word, part.width) for word in words]
        return [moved(word, part.x, part.y) for word in words]

    def text(self, within: Rect | None = None) -> str:
        """The same as text, a line per line."""
        return text_of(self.words(within))

    def find_text(
        self, label: str, within: Rect | None = None, *, alike: float = ALIKE, downwards: bool = False
    ) -> Rect | None:
        """Where a label is now, or None."""
        return find(label, self.words(within, downwards=downwards), alike=alike)

    def wait_for_text(
        self, label: str, within: Rect | None = None, *, seconds: float = PATIENCE_SECONDS, alike: float = ALIKE
    ) -> Rect:
        """Wait until a label is there, and return where."""
        return self.wait_until(
            lambda: self.find_text(label, within, alike=alike), f"{label!r} on the screen", within, seconds=seconds
        )

    def wait_until_gone(
        self, label: str, within: Rect | None = None, *, seconds: float = PATIENCE_SECONDS, alike: float = ALIKE
    ) -> None:
        """Wait until a label is there no more."""
        self.wait_until(
            lambda: self.find_text(label, within, alike=alike) is None, f"the end of {label!r}", within, seconds=seconds
        )

    def wait_until(
        self,
        condition: Callable[[], Found | None],
        what: str,
        within: Rect | None = None,
        *,
        seconds: float = PATIENCE_SECONDS,
    ) -> Found:
        """Wait until a condition gives something, and return that; fails with a picture and what can be read on it."""
        deadline = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > deadline:
                path = self.shot("not-there")
                raise AssertionError(f"{what} did not come within {seconds:g} s. {path} shows:\n{self.text(within)}")
            time.sleep(_LOOK_EVERY_SECONDS)

    # The mouse

    def click_text(
        self, label: str, within: Rect | None = None, *, seconds: float = PATIENCE_SECONDS, button: int = 1
    ) -> Rect:
        """Wait for a label and click on it; returns where it was."""
        rect = self.wait_for_text(label, within, seconds=seconds)
        self.click(rect, button=button)
        return rect

    def choose(self, shown: str, wanted: str, within: Rect, *, tries: int = 3) -> Rect:
        """Open the menu that shows a label and choose another one; returns where the first one was.

        On a busy machine Blender may take press and release for the choice of what is set: a hand tries again.
        """
        for left in reversed(range(tries)):
            rect = self.click_text(shown, within)
            try:
                self.click_text(wanted, rect.and_(within.below(rect)), seconds=PATIENCE_SECONDS / tries)
            except AssertionError:
                if not left:
                    raise
            else:
                break
        return rect

    def click(self, place: Rect | tuple[int, int], *, button: int = 1, times: int = 1) -> None:
        """Click in the middle of a place, as a hand does: there first, then down, then up."""
        self.hover(place)
        for _ in range(times):
            self._run("xdotool", "mousedown", str(button), "sleep", "0.05", "mouseup", str(button), "sleep", "0.05")

    def double_click(self, place: Rect | tuple[int, int]) -> None:
        """Click twice, for example into a number to type another."""
        self.click(place, times=2)

    def hover(self, place: Rect | tuple[int, int]) -> None:
        """Move the mouse to the middle of a place, and have it seen there: two redraws of a busy machine later."""
        x, y = _point(place)
        near = ("mousemove", str(max(0, x - 4)), str(max(0, y - 2)))
        self._run("xdotool", *near, "sleep", "0.05", "mousemove", str(x), str(y), "sleep", "0.25")

    def drag(self, start: Rect | tuple[int, int], end: Rect | tuple[int, int]) -> None:
        """Press at one place, move in steps as a hand does, wait a moment, release at the other."""
        self.hover(start)
        (x, y), (to_x, to_y) = _point(start), _point(end)
        moves: list[str] = []
        for step in range(1, _DRAG_STEPS + 1):
            place = (x + (to_x - x) * step // _DRAG_STEPS, y + (to_y - y) * step // _DRAG_STEPS)
            moves += ["mousemove", *map(str, place), "sleep", "0.03"]
        self._run("xdotool", "mousedown", "1", "sleep", "0.1", *moves, "sleep", "0.3", "mouseup", "1")

    def drag_in(self, offers: dict[str, str], end: Rect | tuple[int, int]) -> None:
        """Drag something from another program, such as a file manager, and drop it; `offers` has texts by MIME type."""
        pairs = itertools.chain.from_iterable(offers.items())
        command = [_PYTHON, str(_DRAGGED), str(_DRAGGED_PIXELS), str(_DRAGGED_PIXELS), *pairs]
        with (
            (self._scratch / "dragged.log").open("w") as log,
            subprocess.Popen(desktop.command(command, DISPLAY=self.display), stdout=log, stderr=log) as source,
        ):
            try:
                told = Path(log.name)
                self.wait_until(lambda: "ready" in told.read_text() or source.poll() is not None, "what is dragged")
                self.drag(Rect(0, 0, _DRAGGED_PIXELS, _DRAGGED_PIXELS), end)
                status = source.wait(PATIENCE_SECONDS)
            finally:
                source.kill()
            assert status == 0, f"the drop was not taken:\n{told.read_text()}"

    def scroll(self, place: Rect | tuple[int, int], notches: int) -> None:
        """Turn the wheel over a place: down, or up where the number is negative."""
        self.hover(place)
        self._run("xdotool", "click", "--repeat", str(abs(notches)), "--delay", "40", "5" if notches > 0 else "4")

    # The keyboard: it goes to the window under the mouse

    def key(self, *keys: str) -> None:
        """Press keys, one after the other, named as xdotool does: "n", "Escape", "ctrl+q"."""
        self._run("xdotool", "key", "--delay", "60", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._run("xdotool", "type", "--delay", "30", "--", text)

    def fill(self, label: str, text: str, within: Rect, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Put a text or a number into the field of a label, which is between it and the right edge of `within`."""
        rect = self.wait_for_text(label, within, seconds=seconds)
        self.double_click(((rect.right + within.right) // 2, rect.middle[1]))
        self.key("ctrl+a")
        self.type(text)
        self.key("Return")

    # There is no window manager, so no title bar to drag a window by

    def place_window(self, before: Rect, after: Rect) -> None:
        """Move the window that is at a place to another, in the size of that."""
        window = self._window_at(before)
        self._run("xdotool", "windowmove", window, str(after.x), str(after.y),
                  "windowsize", window, str(after.width), str(after.height))  # fmt: skip

    def _window_at(self, place: Rect) -> str:
        found = self._run("xdotool", "search", "--onlyvisible", "--class", "blender").split()
        for window in found:
            shell = self._run("xdotool", "getwindowgeometry", "--shell", window)
            values = dict(line.split("=", 1) for line in shell.splitlines() if "=" in line)
            if Rect(*(int(values[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))) == place:
                return window
        raise AssertionError(f"no window is at {place}")

    def _run(self, *arguments: str, **environment: str) -> str:
        command = desktop.command(arguments, DISPLAY=self.display, **environment)
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False)
        assert done.returncode == 0, f"{' '.join(arguments)} failed: {done.stdout}{done.stderr}"
        return done.stdout


def _crop(within: Rect | None) -> list[str]:
    if within is None:
        return []
    return ["-crop", f"{within.width}x{within.height}+{within.x}+{within.y}", "+repage"]


def _point(place: Rect | tuple[int, int]) -> tuple[int, int]:
    return place.middle if isinstance(place, Rect) else place
