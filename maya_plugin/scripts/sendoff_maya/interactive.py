"""Whether there is a window, or Maya runs as a batch (`mayapy`, `maya -batch`)."""

from __future__ import annotations

from maya import cmds


def is_interactive() -> bool:
    """Whether Maya has its window."""
    return not cmds.about(batch=True)
