"""What Maya's commands answer, as what it is: nothing comes as None, one thing as itself, several as a list."""

from __future__ import annotations

from typing import Any


def names(answer: Any) -> list[str]:
    """Names, as a list; none where Maya answers None."""
    if not answer or isinstance(answer, bool):
        return []
    return [answer] if isinstance(answer, str) else [str(one) for one in answer]


def text(answer: Any) -> str:
    """A text; "" where Maya answers None."""
    return "" if answer is None else str(answer)


def numbers(answer: Any) -> list[float]:
    """Numbers, also where Maya nests them: `getAttr` of three numbers answers a list with one tuple."""
    if isinstance(answer, (int, float)):
        return [float(answer)]
    found: list[float] = []
    for one in answer or ():
        found += numbers(one)
    return found
