"""Jobs that report as their workers would: a process of its own, for the benchmark in Blender's window.

Run as `reports.py REDIS_URL EVENTS_PER_SECOND`. A line of JSON on standard input names the jobs that report in turn
from now on; an empty list ends that, and is answered with how many events were written.
"""

from __future__ import annotations

import itertools
import json
import queue
import sys
import threading
import time

from sendoff_store import jobs
from sendoff_store.calls import SyncStore
from sendoff_store.connections import connect

STEPS = 10_000


def main() -> None:
    """Report until standard input ends."""
    store, pace_seconds = SyncStore(connect(sys.argv[1])), 1 / float(sys.argv[2])
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    while line := lines.get():
        written = _report(store, json.loads(line), pace_seconds, lines)
        print(json.dumps(written), flush=True)


def _read(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    lines.put("")


def _report(store: SyncStore, running: list[str], pace_seconds: float, lines: queue.SimpleQueue[str]) -> int:
    """Report in turn until another line comes; returns how many events were written."""
    next_at = time.monotonic()
    for step in itertools.count():
        try:
            lines.get(timeout=max(0.0, next_at - time.monotonic()))
        except queue.Empty:
            pass
        else:
            break
        told = store.run(
            jobs.report(
                running[step % len(running)],
                token="bench",
                lease_seconds=3600,
                stage="Working",
                fraction=step % STEPS / STEPS,
                message=f"Step {step}",
                done=step % STEPS,
                total=STEPS,
                eta_seconds=100.0,
            )
        )
        assert isinstance(told, jobs.Reported), told
        next_at += pace_seconds
    return step


if __name__ == "__main__":
    main()
