"""What a check of a scene finds, and the two reports of it: one for programs, one to read."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that one check found on one object."""

    check: str
    """The check's name, for example ``ngons``."""
    severity: str
    """``error``: will break in most engines; ``warning``: probably not meant; ``info``: good to know."""
    object: str
    """The object's name, or the image's where no object is concerned."""
    message: str
    """One sentence for the artist."""
    indices: list[int] = field(default_factory=list)
    """Which faces, edges or vertices, up to the asked limit."""
    count: int = 1
    """How many there are, all counted."""


@dataclass
class Findings:
    """All findings of one scene."""

    max_listed: int
    """How many indices one finding lists."""
    found: list[Finding] = field(default_factory=list)

    def add(self, check: str, severity: str, name: str, message: str) -> None:
        """Note something about an object as a whole."""
        self.found.append(Finding(check=check, severity=severity, object=name, message=message))

    def add_elements(self, check: str, severity: str, name: str, message: str, mask: np.ndarray) -> None:
        """Note the elements that a mask marks; nothing where it marks none. ``{}`` in the message is their count."""
        count = int(np.count_nonzero(mask))
        if count:
            indices = np.flatnonzero(mask)[: self.max_listed].tolist()
            text = message.format(f"{count:,}")
            self.found.append(
                Finding(check=check, severity=severity, object=name, message=text, indices=indices, count=count)
            )

    def summary(self, objects: int) -> dict[str, Any]:
        """The counts: findings, objects, findings by check."""
        by_check = Counter(finding.check for finding in self.found)
        return {"findings": len(self.found), "objects": objects, "by_check": dict(sorted(by_check.items()))}

    def ordered(self) -> list[Finding]:
        """The worst first, then by object."""
        return sorted(self.found, key=lambda one: (SEVERITIES.index(one.severity), one.object, one.check))

    def as_json(self, objects: int) -> str:
        """The report for programs."""
        document = {"findings": [asdict(finding) for finding in self.ordered()], "summary": self.summary(objects)}
        return json.dumps(document, indent=1)

    def as_text(self, title: str, objects: int) -> str:
        """The report to read."""
        lines = [title, "=" * len(title), ""]
        if not objects:
            lines.append("The scene has no mesh objects to check.")
        elif not self.found:
            lines.append(f"Nothing to mend on {objects:,} mesh objects.")
        else:
            lines.append(f"{len(self.found):,} findings on {objects:,} mesh objects")
        for severity in SEVERITIES:
            of_it = [finding for finding in self.ordered() if finding.severity == severity]
            if of_it:
                lines += ["", f"{severity.capitalize()} ({len(of_it):,})"]
                lines += [f"  {one.object}: {one.message} [{one.check}]{_places(one)}" for one in of_it]
        return "\n".join(lines) + "\n"


def _places(finding: Finding, shown: int = 10) -> str:
    if not finding.indices:
        return ""
    rest = ", ..." if finding.count > shown or len(finding.indices) > shown else ""
    return " at " + ", ".join(map(str, finding.indices[:shown])) + rest
