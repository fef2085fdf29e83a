"""Test Connection: each hop from Blender to a finished job, tried in a thread, drawn as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from . import pump
from .current import desk
from .sendoff.host.actions import ALL_WELL, verdict

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems, OperatorReturnItems


class SENDOFF_OT_check(bpy.types.Operator):
    """Try every hop from here to a finished job on the server, and name the one that is broken"""

    bl_idname = "sendoff.check"
    bl_label = "Test Connection"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Grey where no server can be used, or while it tries."""
        reason = "The connection is being tested" if desk.jobs.is_checking else desk.why_offline()
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, _context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Begin; the preferences show each hop as it is tried."""
        desk.check()
        pump.start()
        return {"FINISHED"}


CLASSES = (SENDOFF_OT_check,)


def draw(layout: bpy.types.UILayout) -> None:
    """Draw the button and what was found so far."""
    jobs = desk.jobs
    row = layout.row()
    row.operator("sendoff.check", icon="LINKED")
    sentence = verdict(desk)
    if sentence:
        row.label(
            text=sentence, icon="CHECKMARK" if sentence == ALL_WELL else "SORTTIME" if jobs.is_checking else "ERROR"
        )
    if not jobs.hops:
        return
    column = layout.box().column(align=True)
    for hop in jobs.hops:
        split = column.split(factor=0.2)
        icon: IconItems = "DOT" if hop.skipped else "CHECKMARK" if hop.ok else "CANCEL"
        split.label(text=hop.name, icon=icon)
        split.label(text=hop.detail)
