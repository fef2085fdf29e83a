"""Everything that a running Maya has in memory, and what outlives it: settings."""

from __future__ import annotations

import tempfile
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .model import Scene
from .usd_signatures import RELEASES


@dataclass
class State:
    """One run of Maya."""

    is_batch: bool = False
    version: str = "2025"
    user_app_dir: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="maya-standin-")))
    plugins_available: tuple[str, ...] = ("mayaUsdPlugin", "fbxmaya")
    usd_release: str = RELEASES[-1]
    scene: Scene = field(default_factory=Scene)
    loaded: dict[str, Any] = field(default_factory=dict)
    autoload: set[str] = field(default_factory=set)
    #: Commands of plug-ins: name, what makes one, what makes its syntax.
    commands: dict[str, tuple[Callable[[], Any], Callable[[], Any] | None]] = field(default_factory=dict)
    callbacks: dict[int, tuple[int, Callable[..., Any]]] = field(default_factory=dict)
    controls: Any = None
    script_editor: list[tuple[str, str]] = field(default_factory=list)
    in_view: list[str] = field(default_factory=list)
    idle: deque[Callable[[], Any]] = field(default_factory=deque)
    idle_came: threading.Condition = field(default_factory=threading.Condition)
    idle_errors: list[BaseException] = field(default_factory=list)
    #: What the real Maya would have crashed on, hung on, or left behind.
    offences: list[str] = field(default_factory=list)
    answers: deque[str] = field(default_factory=deque)
    #: The UI scripts of panels that were open when Maya was closed.
    restored_panels: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    undo: list[tuple[str, Any]] = field(default_factory=list)
    redo: list[tuple[str, Any]] = field(default_factory=list)
    open_chunks: list[tuple[str, Any]] = field(default_factory=list)
    records_undo: bool = True
    is_playing: bool = False
    is_escaped: bool = False
    mel_calls: list[str] = field(default_factory=list)
    next_callback: int = 1


#: Kept over a restart: Maya's preferences.
option_vars: dict[str, Any] = {}
now = State()


def check_thread(what: str) -> None:
    """Refuse a call off the main thread, as Maya does where it does not crash."""
    if threading.current_thread() is not threading.main_thread():
        now.offences.append(f"{what} was called off the main thread")
        raise RuntimeError(f"{what} may be called on the main thread only")
