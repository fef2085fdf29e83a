"""What is said of files that a scene names and that are not there."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 3


def missing_notes(missing: Sequence[str]) -> tuple[str, ...]:
    """The note for the artist; none if nothing is missing."""
    if not missing:
        return ()
    count = len(missing)
    shown = "; ".join(missing[:_SHOWN]) + ("; ..." if count > _SHOWN else "")
    return (f"{count:,} external file{'s are' if count > 1 else ' is'} missing and not sent: {shown}",)
