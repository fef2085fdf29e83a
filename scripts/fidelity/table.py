"""Verdicts, and how they are printed."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RIGHT = "right"
DEVIATES = "deviates"
REFUSED = "refused rightly"
FAILED = "failed"
SKIPPED = "skipped"
BAD = {DEVIATES, FAILED}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one file in one Blender, one way, with one task."""

    file: str
    series: str
    way: str
    """`add-on` or `command`."""
    task: str
    verdict: str
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0


def print_verdict(one: Verdict) -> None:
    """One row, and a line below it for each reason."""
    name = printable(one.file)
    name = name if len(name) <= 46 else f"...{name[-43:]}"
    print(f"{name:<46} {one.series or '-':<5} {one.way:<8} {one.task:<12} {one.verdict}", flush=True)
    for reason in one.reasons if one.verdict != RIGHT else ():
        print(f"      {printable(reason)}", flush=True)


def print_summary(verdicts: Iterable[Verdict], seconds: float) -> None:
    """How many of each verdict, and the files that deviate."""
    listed = list(verdicts)
    counts = Counter(one.verdict for one in listed)
    files = {one.file for one in listed}
    bad = {one.file for one in listed if one.verdict in BAD}
    order = (RIGHT, DEVIATES, FAILED, REFUSED, SKIPPED)
    print(
        f"\n{len(files)} files, {seconds:.0f} s: "
        + ", ".join(f"{counts[name]} {name}" for name in order if counts[name])
    )
    if bad:
        print(f"{len(bad)} files deviate or failed: {', '.join(printable(name) for name in sorted(bad))}")


def write_json(path: Path, verdicts: Iterable[Verdict]) -> None:
    """All verdicts as JSON."""
    listed = [asdict(one) for one in verdicts]
    path.write_text(json.dumps({"version": 1, "verdicts": listed}, indent=1), encoding="utf-8")


def printable(text: str) -> str:
    """Text that this terminal can show; bytes that are no text become question marks."""
    encoding = sys.stdout.encoding or "utf-8"
    plain = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return plain.encode(encoding, "replace").decode(encoding)
