"""What is told or shown apart from the status bar: a sentence after a click, and a job's log."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from .sendoff.host.jobs import Job
from .windows import some_window

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_WIDTH = 90
_LOG_LINES, _LOG_WIDTH_PIXELS, _LOG_LINE_CHARACTERS = 40, 760, 130


def tell(text: str) -> None:
    """Tell the artist a sentence at the mouse; on the console where there is no window."""
    if bpy.app.background:
        print(f"Sendoff: {text}", flush=True)
        return

    def draw(menu: bpy.types.UIPopupMenu, _context: bpy.types.Context) -> None:
        for line in textwrap.wrap(text, _WIDTH):
            menu.layout.label(text=line)

    with some_window():
        bpy.context.window_manager.popup_menu(draw, title="Sendoff", icon="INFO")


def show_log(job: Job, path: Path) -> None:
    """Show the end of a job's log that lies in a file."""
    if bpy.app.background:
        print(path.read_text(encoding="utf-8", errors="replace"), flush=True)
        return
    with some_window():
        bpy.ops.sendoff.show_log(  # type: ignore[attr-defined] # it is there once the add-on is registered
            "INVOKE_DEFAULT", job=job.key, path=str(path)
        )


class SENDOFF_OT_show_log(bpy.types.Operator):
    """The end of the worker's log of this job"""

    bl_idname = "sendoff.show_log"
    bl_label = "Worker's Log"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it

    job: bpy.props.StringProperty(name="Job")
    path: bpy.props.StringProperty(name="Path")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[OperatorReturnItems]:
        """Open the window with the log in it."""
        text = Path(self.path).read_text(encoding="utf-8", errors="replace")
        self._lines = text.splitlines()
        return context.window_manager.invoke_popup(self, width=_LOG_WIDTH_PIXELS)

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw its last lines, and the way to all of it."""
        self.layout.label(text=self.bl_label, icon="TEXT")
        column = self.layout.column(align=True)
        left_out = len(self._lines) - _LOG_LINES
        if left_out > 0:
            column.label(text=f"... {left_out} lines before")
        for line in self._lines[-_LOG_LINES:]:
            column.label(text=line[:_LOG_LINE_CHARACTERS].expandtabs(4))
        self.layout.operator("wm.path_open", text="Open the Whole Log", icon="TEXT").filepath = self.path

    def execute(self, _context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Nothing is left to do."""
        return {"FINISHED"}


CLASSES = (SENDOFF_OT_show_log,)
