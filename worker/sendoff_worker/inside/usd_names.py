"""Names that USD and Maya take: letters, digits and underscores of ASCII, but for those that a USD scene came with."""

from __future__ import annotations

import re

from .pxr_library import pxr


def plain_name(name: str, fallback: str = "object") -> str:
    """A name of such characters alone; "Pawns[3]" becomes "Pawns_3"."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", re.sub(r"\](?![^_])", "", name)) or fallback
    return f"_{plain}" if plain[0].isdigit() else plain


def sent_name(name: str, taken: set[str], fallback: str = "object") -> str:
    """A name that no other object has, of any script if USD takes it: for what a USD scene named itself."""
    return numbered(name, taken) if pxr().Sdf.Path.IsValidIdentifier(name) else free_name(name, taken, fallback)


def free_name(name: str, taken: set[str], fallback: str = "object") -> str:
    """A plain name that no other object has; the suffix `_LOD1` stays at its end."""
    return numbered(plain_name(name, fallback), taken)


def numbered(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken; the suffix `_LOD1` stays at its end."""
    stem, mark, level = name.rpartition("_LOD")
    free, number = name, 1
    while free in taken:
        free = f"{stem}_{number}{mark}{level}" if mark else f"{name}_{number}"
        number += 1
    taken.add(free)
    return free
