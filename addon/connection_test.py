"""Test Connection: each hop from Blender to a finished job, tried in a thread, drawn as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from . import current, pump

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
        reason = "The connection is being tested" if current.jobs.is_checking else current.why_offline()
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, _context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Begin; the preferences show each hop as it is tried."""
        current.jobs.hops.clear()
        current.jobs.is_checking = True
        session = current.session()
        session.check()
        session.look()
        pump.start()
        return {"FINISHED"}


CLASSES = (SENDOFF_OT_check,)


def draw(layout: bpy.types.UILayout) -> None:
    """Draw the button and what was found so far."""
    jobs = current.jobs
    row = layout.row()
    row.operator("sendoff.check", icon="LINKED")
    sentence = verdict()
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


ALL_WELL = "Everything works"


def verdict() -> str:
    """What the test has found, in a few words; "" before it was asked for."""
    jobs = current.jobs
    broken = next((hop for hop in jobs.hops if not hop.ok and not hop.skipped), None)
    if broken is not None:
        return f"Broken: {broken.name}"
    if jobs.is_checking:
        return "Testing ..."
    return ALL_WELL if jobs.hops else ""
