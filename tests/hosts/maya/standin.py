"""What a test does with the stand-in: start it anew, let it be idle, click, press Esc, and see what was left behind."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import controls, file_commands, state

__all__ = ["assert_clean", "click", "control", "idle", "press_escape", "reset", "restart_maya", "set_value", "tree"]


def reset(**options: Any) -> state.State:
    """Maya as it is after its first start; the options are the first fields of `state.State`."""
    state.option_vars.clear()
    return _start(state.State(**options))


def restart_maya() -> state.State:
    """Maya is closed and started again: settings and files are kept, and panels that were open come back."""
    before = state.now
    file_commands.call_back(file_commands.EXITING)
    scripts = before.controls.ui_scripts() if before.controls is not None else []
    after = _start(
        state.State(
            is_batch=before.is_batch,
            version=before.version,
            user_app_dir=before.user_app_dir,
            plugins_available=before.plugins_available,
            usd_release=before.usd_release,
        )
    )
    after.restored_panels = scripts
    return after


def _start(run: state.State) -> state.State:
    state.now = run
    run.controls = controls.Controls(run)
    if not run.is_batch:
        run.controls.make_main_window()
    return run


def idle(until: Callable[[], bool] | None = None, timeout_seconds: float = 30.0) -> None:
    """Let Maya be idle: run what waits, once; or again and again until something holds."""
    run = state.now
    if until is None:
        _run_waiting(run)
        return
    deadline = time.monotonic() + timeout_seconds
    while not until():
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"Maya was idle for {timeout_seconds} s, and it did not come to be:\n{tree()}")
        with run.idle_came:
            if not run.idle:
                run.idle_came.wait(min(left, 0.1))
        _run_waiting(run)


def _run_waiting(run: state.State) -> None:
    with run.idle_came:
        waiting = list(run.idle)
        run.idle.clear()
    for call in waiting:
        try:
            call()
        except Exception as error:  # as Maya does: told in the Script Editor, and on it goes
            traceback.print_exc()
            run.idle_errors.append(error)


def click(name: str) -> None:
    """Click a control."""
    state.now.controls.click(name)


def set_value(name: str, value: Any) -> None:
    """Set the value of a control as an artist does, which has it told."""
    state.now.controls.set_value(name, value)


def control(name: str) -> controls.Control:
    """A control, to be looked at."""
    return state.now.controls.find(name)


def tree(root: str = "") -> str:
    """The controls as indented text."""
    return state.now.controls.tree(root) if state.now.controls is not None else ""


def press_escape() -> None:
    """Esc, while the main progress bar is shown."""
    state.now.is_escaped = True


def assert_clean() -> None:
    """Nothing that would have crashed or hung Maya, nothing left open, no thread of ours."""
    run = state.now
    assert run.offences == [], run.offences
    assert run.idle_errors == [], run.idle_errors
    assert not run.open_chunks, "an undo chunk was left open"
    assert run.records_undo, "the undo queue was left switched off"
    if run.controls is not None and not run.is_batch:
        assert not run.controls.find("mainProgressBar").values.get("is_shown"), "the main progress bar was left open"


def app_dir() -> Path:
    """Maya's folder of the user."""
    return state.now.user_app_dir
