"""A sentence over several lines, since a label of Blender has one."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems

#: A letter takes about so many pixels at Blender's usual size; the sidebar's own edges take the rest.
_LETTER_PIXELS, _EDGE_PIXELS, _ICON_PIXELS = 6.6, 44, 20
_LEAST_LETTERS, _MOST_LETTERS = 20, 110


def wrapped(layout: bpy.types.UILayout, text: str, context: bpy.types.Context, *, icon: IconItems = "NONE") -> None:
    """Draw a sentence as wide as the region is."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for line in textwrap.wrap(text, letters(context, has_icon=icon != "NONE")) or [""]:
        column.label(text=line, icon=icon)
        icon = "BLANK1" if icon != "NONE" else "NONE"


def letters(context: bpy.types.Context, *, has_icon: bool) -> int:
    """How many letters go into a line of the region that is drawn."""
    region = getattr(context, "region", None)
    if region is None:
        return 42
    scale = context.preferences.system.ui_scale
    pixels = region.width / scale - _EDGE_PIXELS - (_ICON_PIXELS if has_icon else 0)
    return int(min(_MOST_LETTERS, max(_LEAST_LETTERS, pixels / _LETTER_PIXELS)))
