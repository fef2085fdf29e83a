"""Whether a package that is pinned here has a known hole: pip-audit on every constraints file, within a minute.

A hole that is found fails the check; take a newer release, or tell in IGNORED why it cannot be used. Where nobody can
be asked (no network, an index of one's own without advisories), that is said in one line and fails nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILES = ("constraints.txt", "constraints-bpy.txt", "constraints-maya.txt", "constraints-types.txt")
#: By file: holes that nobody can use here, and why. Whatever is not found any more is to be taken out.
IGNORED = {
    "constraints-maya.txt": {
        "CVE-2026-25645": "requests' zipped certificates are not used",
        "CVE-2026-44431": "urllib3's redirects: the SDK follows none",
        "CVE-2026-44432": "urllib3's Brotli is cut off by scripts/vendoring.py",
    },
}
#: Who is asked, the next where the one before knows nothing.
SERVICES = ("pypi", "osv")
MOST_SECONDS = 60.0


def main() -> int:
    """Ask about all files; returns the exit status."""
    deadline = time.monotonic() + MOST_SECONDS
    service, reports = next(
        ((service, found) for service in SERVICES if (found := reports_of(service, deadline))), ("", {})
    )
    if not reports:
        print("Known holes of packages were not looked for: no service that knows them can be reached.")
        return 0
    holes = [hole for name, report in reports.items() for hole in holes_in(name, report)]
    print("\n".join(holes) if holes else f"No known holes in {', '.join(reports)} (asked {service}).")
    return 1 if holes else 0


def reports_of(service: str, deadline: float) -> dict[str, Any]:
    """What pip-audit says of each file; nothing where the service does not answer in time, or knows no package."""
    reports = {}
    for name in FILES:
        report = audit(service, name, max(deadline - time.monotonic(), 1))
        if not any("vulns" in package for package in (report or {}).get("dependencies", [])):
            return {}
        reports[name] = report
    return reports


def audit(service: str, name: str, seconds: float) -> Any:
    """pip-audit's report of a file; None where it has none."""
    command = [
        sys.executable, "-m", "pip_audit", "--requirement", name, "--no-deps", "--disable-pip", "--format", "json",
        "--vulnerability-service", service, "--timeout", "5", "--progress-spinner", "off",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None


def holes_in(name: str, report: Any) -> list[str]:
    """A sentence for each hole in a report that is not ignored."""
    ignored = set(IGNORED.get(name, {}))
    return [
        f"{name}: {package['name']} {package['version']} has {hole['id']}; mended in "
        f"{', '.join(hole['fix_versions']) or 'no release yet'}."
        for package in report["dependencies"]
        for hole in package.get("vulns", [])
        if not ignored & {hole["id"], *hole["aliases"]}
    ]


if __name__ == "__main__":
    sys.exit(main())
