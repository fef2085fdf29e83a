"""Lines of Open Job Description in a program's output: `openjd_progress: 42.0`, `openjd_status:`, `openjd_fail:`.

Source: the OpenJD specification, "How Jobs Are Run", section on stdout messages. Progress is a percentage.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_LINE = re.compile(r"^openjd_(progress|status|fail): (.*)$")


@dataclass(frozen=True)
class Said:
    """What one line said; the others are None."""

    fraction: float | None = None
    status: str | None = None
    failure: str | None = None


def parse(line: str) -> Said | None:
    """What a line says, or None where it says nothing to us."""
    match = _LINE.match(line.rstrip())
    if match is None:
        return None
    kind, text = match.groups()
    if kind == "progress":
        try:
            percent = float(text)
        except ValueError:
            return None
        return Said(fraction=min(max(percent / 100, 0.0), 1.0)) if math.isfinite(percent) else None
    return Said(status=text.strip()) if kind == "status" else Said(failure=text.strip())
