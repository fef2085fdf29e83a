"""Python's threads take turns; while ours work, the main thread is to wait less for its own. Nothing here knows bpy."""

from __future__ import annotations

import sys

#: Python's own 5 ms add up: a redraw asks for several turns, and each may come after those of several threads.
#: Shorter ones would interrupt a tick of the pump, which takes less than one.
_INTERVAL_SECONDS = 0.001

_before: float | None = None


def shorten() -> None:
    """From now on a thread that computes is asked for the interpreter sooner, where that is not so already."""
    global _before  # noqa: PLW0603
    if _before is None and sys.getswitchinterval() > _INTERVAL_SECONDS:
        _before = sys.getswitchinterval()
        sys.setswitchinterval(_INTERVAL_SECONDS)


def restore() -> None:
    """As it was before, unless somebody else has changed it meanwhile."""
    global _before  # noqa: PLW0603
    if _before is not None and round(sys.getswitchinterval(), 6) == _INTERVAL_SECONDS:
        sys.setswitchinterval(_before)
    _before = None
