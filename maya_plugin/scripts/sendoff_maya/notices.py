"""What is told or shown apart from the bars: a sentence in the view and the Script Editor, and a job's log."""

from __future__ import annotations

import html
from pathlib import Path

import maya.api.OpenMaya as om
from maya import cmds

from . import answers
from .interactive import is_interactive
from .sendoff.host.jobs import Job

LOG_WINDOW = "sendoffLogWindow"
_FADE_STAY_MILLISECONDS = 4000
_LOG_LINES = 400


def tell(text: str) -> None:
    """Tell the artist a sentence; on the console where there is no window."""
    if is_interactive():
        om.MGlobal.displayWarning(f"Sendoff: {text}")
        in_view(text)
    else:
        print(f"Sendoff: {text}", flush=True)


def in_view(text: str) -> None:
    """A sentence in the view, which fades."""
    if is_interactive():
        cmds.inViewMessage(
            assistMessage=f"<hl>Sendoff</hl> {html.escape(text)}",
            position="topCenter",
            fade=True,
            fadeStayTime=_FADE_STAY_MILLISECONDS,
        )


def show_log(job: Job, path: Path) -> None:
    """Show the end of a job's log that lies in a file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if not is_interactive():
        print(text, flush=True)
        return
    close()
    lines = text.splitlines()
    left_out = len(lines) - _LOG_LINES
    shown = ([f"... {left_out} lines before; all of it is in {path}"] if left_out > 0 else []) + lines[-_LOG_LINES:]
    cmds.window(LOG_WINDOW, title=f"Worker's Log: {job.name}", widthHeight=(760, 480))
    form = answers.text(cmds.formLayout())
    field = answers.text(cmds.scrollField(editable=False, wordWrap=False, text="\n".join(shown), parent=form))
    cmds.formLayout(
        form,
        edit=True,
        attachForm=[(field, side, 4) for side in ("top", "left", "right", "bottom")],
    )
    cmds.showWindow(LOG_WINDOW)


def close() -> None:
    """Close the log's window."""
    if is_interactive() and cmds.window(LOG_WINDOW, exists=True):
        cmds.deleteUI(LOG_WINDOW)
