"""The bar at the bottom of Maya's main window: a job's words (those of `sendoff.host.status`), bar and buttons.

It stands at the right end of the help line, where an artist looks for what goes on. A Maya whose main window has no
help line (a studio's own layout) shows the same in Sendoff's window alone.
"""

from __future__ import annotations

import time

from maya import cmds, mel

from . import answers, job_operators, panel
from .interactive import is_interactive
from .sendoff.host.status import Entry, StatusBar, shortened

ROW, TEXT, BAR, MORE = "sendoffStatusRow", "sendoffStatusText", "sendoffStatusBar", "sendoffStatusMore"
#: It is drawn so often at most.
REDRAW_SECONDS = 0.25
#: The bar is so fine.
STEPS = 1000
_FORMS = ("gHelpLineForm", "gStatusLineForm")
_LETTERS = 80
_WIDTH, _BAR_WIDTH = 760, 160

#: What was drawn last, or is about to be.
shown = StatusBar()
_asked_at = 0.0
_is_asked_for = False
_buttons: tuple[str, ...] = ()
_key = ""


def show(bar: StatusBar) -> bool:
    """Have it drawn anew where it changed; returns whether it did, False also where it is too early."""
    global shown, _asked_at, _is_asked_for
    now = time.monotonic()
    if not is_due(bar) or now - _asked_at < REDRAW_SECONDS:
        return False
    shown, _asked_at, _is_asked_for = bar, now, False
    if is_interactive():
        draw()
        panel.refresh()
    return True


def is_due(bar: StatusBar) -> bool:
    """Whether something has to be drawn anew: what is shown is not this, or somebody asked for it."""
    return bar != shown or _is_asked_for


def show_at_once() -> None:
    """Have it drawn now: a click is answered before anything else is done."""
    global _asked_at  # noqa: PLW0603
    _asked_at = 0.0


def ask_for_redraw() -> None:
    """Have all that we draw drawn anew soon, also where the bar itself says the same."""
    global _is_asked_for  # noqa: PLW0603
    _is_asked_for = True


def draw() -> None:
    """Draw it; in place, so that nothing moves while a number changes."""
    global _buttons, _key
    entry = shown.front
    if entry is None:
        remove()
        return
    if not cmds.rowLayout(ROW, exists=True) or (entry.buttons, entry.key) != (_buttons, _key):
        remove()
        form = _form()
        if not form:
            return
        _make(form, entry)
        _buttons, _key = entry.buttons, entry.key
    cmds.text(TEXT, edit=True, label=shortened(entry.text, _LETTERS), annotation=entry.text)
    cmds.progressBar(
        BAR,
        edit=True,
        manage=entry.fraction is not None,
        progress=int((entry.fraction or 0.0) * STEPS),
        annotation=entry.bar_text,
    )
    cmds.text(MORE, edit=True, label=_more(shown))


def remove() -> None:
    """Take it out of the main window."""
    global _key  # noqa: PLW0603
    _key = ""
    if is_interactive() and cmds.rowLayout(ROW, exists=True):
        cmds.deleteUI(ROW)


def _make(form: str, entry: Entry) -> None:
    row = answers.text(
        cmds.rowLayout(ROW, parent=form, numberOfColumns=3 + len(entry.buttons), adjustableColumn=1, width=_WIDTH)
    )
    cmds.text(TEXT, parent=row, align="right", label="")
    cmds.progressBar(BAR, parent=row, width=_BAR_WIDTH, minValue=0, maxValue=STEPS)
    cmds.text(MORE, parent=row, label="")
    job_operators.make_buttons(row, entry.key, entry.buttons, prefix="sendoffStatus")
    cmds.formLayout(form, edit=True, attachForm=[(row, "right", 0), (row, "top", 0), (row, "bottom", 0)])


def _more(bar: StatusBar) -> str:
    """The other jobs, in a few words."""
    said = [small.bar_text or small.text for small in bar.small]
    if bar.more:
        said.append(f"and {bar.more} more")
    return "  ".join(said)


def _form() -> str:
    """The layout in the main window that it stands in; "" where there is none."""
    for name in _FORMS:
        form = str(mel.eval(f"global string ${name}; $sendoffTemporary = ${name};") or "")
        if form and cmds.formLayout(form, exists=True):
            return form
    return ""
