"""What Blender says of what it could not do."""

from __future__ import annotations

from typing import Any

import bpy


def reason(error: Exception) -> str:
    """The first line of an error, without Blender's word for "error" in the language of its interface."""
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    translations: Any = bpy.app.translations
    for word in ("Error", translations.pgettext_rpt("Error"), translations.pgettext_tip("Error")):
        first = first.removeprefix(f"{word}: ")
    return first
