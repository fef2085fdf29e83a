"""The status bar: the function that draws what `sendoff.host.status` has it say, and when that is drawn anew."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import bpy

from . import buttons
from .sendoff.host.status import Entry, StatusBar, shortened

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems

#: The bar is drawn so often at most: each redraw costs the artist more than the upload does.
REDRAW_SECONDS = 0.25
#: Width of a bar in Blender's units of a button's height; the text beside it takes what it needs.
BAR_UNITS, SMALL_BAR_UNITS = 8, 6
#: The sentence has the room that the bars, the buttons and Blender's own hints leave, within these letters.
_LEAST_LETTERS, _MOST_LETTERS = 24, 110
_LETTER_UNITS, _BUTTON_UNITS, _BLENDERS_UNITS = 0.34, 1.4, 18.0


#: Blender's icon for how a job is.
ICONS: dict[str, IconItems] = {
    "working": "SORTTIME", "arrived": "IMPORT", "done": "CHECKMARK", "stopped": "CANCEL", "error": "ERROR",
}  # fmt: skip

#: What was drawn last, or is about to be.
shown = StatusBar()
_asked_at = 0.0
_is_asked_for = False
_regions: dict[int, bpy.types.Region] = {}
#: The keys of the jobs in it when it was drawn last.
_drawn: set[str] = set()


def show(bar: StatusBar) -> bool:
    """Have the status bar drawn anew where it changed; returns whether it did, False also where it is too early."""
    global shown, _asked_at, _is_asked_for
    now = time.monotonic()
    if not is_due(bar) or now - _asked_at < REDRAW_SECONDS:
        return False
    shown, _asked_at, _is_asked_for = bar, now, False
    redraw()
    return True


def is_due(bar: StatusBar) -> bool:
    """Whether something has to be drawn anew: what is shown is not this, or somebody asked for it."""
    return bar != shown or _is_asked_for


def show_at_once() -> None:
    """Have it drawn now: a click is answered before anything else is done."""
    global _asked_at  # noqa: PLW0603
    _asked_at = 0.0


def ask_for_redraw() -> None:
    """Have all that we draw drawn anew soon, also where the status bar itself says the same."""
    global _is_asked_for  # noqa: PLW0603
    _is_asked_for = True


def draw(header: bpy.types.Header, context: bpy.types.Context) -> None:
    """Draw it, at the end of Blender's own status bar."""
    if context.window is not None and context.region is not None:
        _regions[context.window.as_pointer()] = context.region
    _drawn.clear()
    if shown.front is None:
        return
    _drawn.update(entry.key for entry in (shown.front, *shown.small))
    row = header.layout.row(align=True)
    row.separator()
    _draw_entry(row, shown.front, letters=_letters(shown, _units_of(context)))
    for entry in shown.small:
        row.separator()
        _draw_entry(row, entry, letters=_MOST_LETTERS)
    if shown.more:
        row.label(text=f"and {shown.more} more")


def _draw_entry(row: bpy.types.UILayout, entry: Entry, *, letters: int) -> None:
    if entry.text:
        row.label(text=shortened(entry.text, letters), icon=ICONS[entry.mood])
    if entry.fraction is not None:
        bar = row.row()
        bar.ui_units_x = _bar_units(entry)
        bar.progress(factor=entry.fraction, text=entry.bar_text, type="BAR")
    buttons.draw(row, entry.key, entry.buttons, greyed=entry.greyed)


def _units_of(context: bpy.types.Context) -> float:
    """The width of the status bar in Blender's units of a button's height."""
    region = context.region
    return float("inf") if region is None else region.width / (20.0 * context.preferences.system.ui_scale)


def _letters(bar: StatusBar, units: float) -> int:
    """How many letters the sentence in front may have, so that no button is pushed out of the window."""
    entries = [entry for entry in (bar.front, *bar.small) if entry is not None]
    taken = _BLENDERS_UNITS + sum(_bar_units(entry) + _BUTTON_UNITS * _width(entry.buttons) for entry in entries)
    taken += sum(len(entry.text) * _LETTER_UNITS for entry in bar.small)
    return int(min(_MOST_LETTERS, max(_LEAST_LETTERS, (units - taken) / _LETTER_UNITS)))


def _width(names: tuple[str, ...]) -> float:
    """Buttons by their width: one with a word takes as much as three with an icon only."""
    return sum(1.0 if name in ("seen", "cancel") else 3.0 for name in names)


def _bar_units(entry: Entry) -> float:
    if entry.fraction is None:
        return 0.0
    return BAR_UNITS if entry.text else SMALL_BAR_UNITS + len(entry.bar_text) * _LETTER_UNITS / 2


def was_drawn(key: str) -> bool:
    """Whether the job of a key was in it when it was drawn last."""
    return key in _drawn


def append() -> None:
    """Be part of the status bar; again where another add-on's text has thrown us out."""
    header = bpy.types.STATUSBAR_HT_header
    if draw not in getattr(header.draw, "_draw_funcs", ()):
        header.append(draw)


def remove() -> None:
    """Be part of it no more."""
    global shown  # noqa: PLW0603
    shown = StatusBar()
    header = bpy.types.STATUSBAR_HT_header
    header.remove(draw)
    # Another add-on's text stands there now; what comes back after it would bring us along.
    kept = getattr(getattr(header, "_draw_orig", None), "_draw_funcs", [])
    if draw in kept:
        kept.remove(draw)
    redraw()
    forget_regions()


def forget_regions() -> None:
    """Forget the regions seen: the windows of the file that was open are about to go."""
    _regions.clear()


def redraw() -> None:
    """Have the status bar, the panel and the preferences drawn anew."""
    windows = {window.as_pointer(): window for window in bpy.context.window_manager.windows}
    for closed in _regions.keys() - windows.keys():
        del _regions[closed]  # another window may get the same address
    for window in windows.values():
        region = _regions.get(window.as_pointer())  # the status bar is not among the screen's areas
        if region is not None:
            region.tag_redraw()
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            elif area.type == "VIEW_3D":
                for part in area.regions:
                    if part.type == "UI":
                        part.tag_redraw()
