"""What a benchmark says: rows of a number, its peer's number from the same run, and the goal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table as RichTable


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number. The goal is met where any of the bounds that are given is kept."""

    what: str
    ours: float
    unit: str
    #: The peer's number of the same run, in the same unit.
    peer: float | None = None
    #: Ours is to be at most this, in the unit.
    most: float | None = None
    #: Ours is to be at most so many times the peer's.
    most_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours as a multiple of the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        checks = [self.ours <= self.most] if self.most is not None else []
        if self.most_ratio is not None and self.ratio is not None:
            checks.append(round(self.ratio, 2) <= self.most_ratio)
        return any(checks) if checks else None

    @property
    def goal(self) -> str:
        """The bounds in words."""
        parts = [] if self.most is None else [f"≤ {number(self.most)} {self.unit}"]
        parts += [] if self.most_ratio is None else [f"≤ {self.most_ratio:.1f}x"]
        return " or ".join(parts) or "-"


@dataclass(kw_only=True)
class Table:
    """The rows of one benchmark; `peer` says what it is compared with."""

    title: str
    peer: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def print(self, console: Console) -> None:
        """Print it, as Markdown would have it: what is printed can be pasted into the documentation."""
        table = RichTable(box=box.MARKDOWN, show_edge=True, pad_edge=True)
        for name in ("what", "Sendoff", "peer", "ratio", "goal", "met"):
            table.add_column(name, justify="left" if name in ("what", "goal", "met") else "right", no_wrap=True)
        for row in self.rows:
            table.add_row(
                row.what,
                f"{number(row.ours)} {row.unit}",
                "-" if row.peer is None else f"{number(row.peer)} {row.unit}",
                "-" if row.ratio is None else _ratio(row.ratio),
                row.goal,
                {None: "-", True: "yes", False: "NO"}[row.is_met],
            )
        console.print(f"\n### {self.title}\nPeer: {self.peer}\n", highlight=False)
        console.print(table)
        for note in self.notes:
            console.print(f"\n{note}", highlight=False, soft_wrap=True)


def number(value: float) -> str:
    """Three digits that count, without an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def _ratio(value: float) -> str:
    return f"{value:.4f}x" if value < 0.1 else f"{value:.2f}x"


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
