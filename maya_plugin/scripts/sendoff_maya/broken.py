"""What is broken in this Maya's Python, said in one sentence: on some Linux its `ssl` cannot be imported."""

from __future__ import annotations

import traceback

_why: str | None = None


def why() -> str:
    """Why Sendoff cannot work in this Maya, as a sentence; "" where it can."""
    global _why  # noqa: PLW0603
    if _why is None:
        _why = _try()
    return _why


def _try() -> str:
    try:
        from . import current  # noqa: F401 - whether all that is needed can be imported
    except Exception as error:
        traceback.print_exc()
        return (
            f"Sendoff cannot work in this Maya: {type(error).__name__}: {error}. "
            "Install it again with install_sendoff.py, or tell your TD."
        )
    return ""
