"""The buttons beside a job, drawn in the status bar and in the panel alike: what each looks like and calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sendoff.host.problems import Remedy

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems
    from bpy.types import UILayout

#: Name: operator, text, icon, the operator's property that takes the job's key.
_BUTTONS: dict[str, tuple[str, str, IconItems]] = {
    "cancel": ("sendoff.cancel", "", "X"),
    "import": ("sendoff.import_result", "Import Result", "IMPORT"),
    "show": ("sendoff.show_result", "Show", "VIEWZOOM"),
    "seen": ("sendoff.seen", "", "X"),
    Remedy.SIGN_IN.value: ("sendoff.sign_in", "Sign In", "USER"),
    Remedy.RELINK.value: ("sendoff.relink", "Find Missing Files", "FILE_FOLDER"),
    Remedy.OPEN_LOG.value: ("sendoff.open_log", "Open Log", "TEXT"),
    Remedy.RETRY.value: ("sendoff.retry", "Retry", "FILE_REFRESH"),
    Remedy.UPDATE.value: ("sendoff.update", "Update", "IMPORT"),
}


def draw(layout: UILayout, key: str, names: tuple[str, ...], *, greyed: tuple[str, ...] = ()) -> None:
    """Draw buttons for the job of a key, some of them greyed."""
    for name in names:
        operator, text, icon = _BUTTONS[name]
        place = layout
        if name in greyed:
            place = layout.row(align=True)
            place.enabled = False
        place.operator(operator, text=text, icon=icon).job = key
