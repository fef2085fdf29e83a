"""Runs inside the Blender under test (`--python driver.py`): answers questions of the test on the main thread.

It is for preparing a scene and for reading what is there; what an artist does is done by mouse and keyboard. One
JSON object per line on a loopback socket: {"code", "evaluate", "names"} in, {"value"} or {"error"} out. The port is
written to the file that DESKTOP_DRIVER names. Names that `run` sets stay for the questions after it.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import threading
import traceback
from pathlib import Path
from typing import Any

import bpy

ANSWER_EVERY_SECONDS = 0.02

_questions: queue.SimpleQueue[tuple[dict[str, Any], queue.SimpleQueue[dict[str, Any]]]] = queue.SimpleQueue()


def rect(part: Any) -> list[int]:
    """Where an area or a region is on the screen: x, y, width and height from the screen's upper left corner."""
    window = next(window for window in bpy.context.window_manager.windows if _holds(window, part))
    return _on_screen(window, part.x, part.y, part.width, part.height)


def window_rect(number: int) -> list[int]:
    """Where a window is."""
    window = bpy.context.window_manager.windows[number]
    return _on_screen(window, 0, 0, window.width, window.height)


def status_bar() -> list[int]:
    """Where the status bar is: below all areas, among which Blender does not list it."""
    window = bpy.context.window_manager.windows[0]
    return _on_screen(window, 0, 0, window.width, min(area.y for area in window.screen.areas))


def area(kind: str) -> Any:
    """The largest area of a kind in any window, such as VIEW_3D."""
    found = [part for window in bpy.context.window_manager.windows for part in window.screen.areas if part.type == kind]
    if not found:
        raise LookupError(f"no window shows an area {kind}")
    return max(found, key=lambda part: part.width * part.height)


def region(kind: str, name: str) -> Any:
    """A region of that area, such as UI, the sidebar; where it is closed it is 1 pixel wide."""
    return next(part for part in area(kind).regions if part.type == name)


def _holds(window: Any, part: Any) -> bool:
    return any(part == found or part in list(found.regions) for found in window.screen.areas)


def _on_screen(window: Any, x: int, y: int, width: int, height: int) -> list[int]:
    screen_height = int(os.environ["DESKTOP_HEIGHT"])
    return [window.x + x, screen_height - window.y - y - height, width, height]


_names: dict[str, Any] = {
    "bpy": bpy, "rect": rect, "window_rect": window_rect, "status_bar": status_bar, "area": area, "region": region,
}  # fmt: skip


def answer() -> float:
    """Called by Blender's timer; one question at a time, so Blender draws between two of them."""
    try:
        question, replies = _questions.get_nowait()
    except queue.Empty:
        return ANSWER_EVERY_SECONDS
    try:
        replies.put({"value": _answer(question)})
    except BaseException:
        replies.put({"error": traceback.format_exc()})
    return 0.0


def _answer(question: dict[str, Any]) -> Any:
    _names.update(question["names"])
    windows = bpy.context.window_manager.windows
    # A timer has no window; what the test asks is meant for the first one.
    lacks_window = bpy.context.window is None and len(windows) > 0
    with bpy.context.temp_override(window=windows[0]) if lacks_window else contextlib.nullcontext():
        if question["evaluate"]:
            return json.loads(json.dumps(eval(question["code"], _names), default=_plain))
        exec(question["code"], _names)
    for window in bpy.context.window_manager.windows:
        for part in window.screen.areas:
            part.tag_redraw()
    return None


def _plain(value: Any) -> Any:
    try:
        return list(value)  # vectors, sets, collections
    except TypeError:
        return repr(value)


def serve() -> None:
    """Listen for the test, for as long as Blender runs."""
    listening = socket.create_server(("127.0.0.1", 0))
    told = Path(os.environ["DESKTOP_DRIVER"])
    part = told.with_suffix(".part")
    part.write_text(str(listening.getsockname()[1]))
    part.replace(told)
    while True:
        line, _ = listening.accept()
        threading.Thread(target=_converse, args=(line,), daemon=True).start()


def _converse(line: socket.socket) -> None:
    replies: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    with line, line.makefile("rw", encoding="utf-8") as stream:
        for question in stream:
            _questions.put((json.loads(question), replies))
            stream.write(json.dumps(replies.get()) + "\n")
            stream.flush()


bpy.context.preferences.view.show_splash = False
bpy.context.preferences.view.ui_scale = float(os.environ["DESKTOP_UI_SCALE"])
bpy.app.timers.register(answer, persistent=True)
threading.Thread(target=serve, daemon=True).start()
