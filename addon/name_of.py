"""Names of datablocks, also of such as Blender itself cannot tell to Python."""

from __future__ import annotations

from typing import Protocol

UNREADABLE = "a name that cannot be read"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def name_of(block: _Named | None) -> str:
    """The name; "" for none, and for one whose bytes are not UTF-8, as files of very old versions have them."""
    try:
        return "" if block is None else block.name
    except UnicodeDecodeError:
        return ""


def shown_name(block: _Named | None) -> str:
    """The name for a sentence."""
    return name_of(block) or UNREADABLE
