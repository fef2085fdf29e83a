"""A job that does nothing, from the click to its end as an add-on sees it.

Sendoff: `Client.submit` of an empty job, until the session's open event stream says "succeeded". The peer: a bare
Celery task that does nothing, `apply_async().get()`, on the same Valkey, in turns.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import threading
import time
from pathlib import Path
from typing import Any

from tests.stack import Stack

from sendoff import Client
from sendoff.eventstream import EventStream
from sendoff.submission import Submission

from .processes import BENCH, running
from .report import Row, Table, percentile

PEER = "bare Celery on the same Valkey: apply_async().get() (bench/bare_celery.py)"
ROUNDS = 5
PER_ROUND = 60
_SECONDS = 30.0


def measure(folder: Path, *, quick: bool = False) -> Table:
    """p50 and p99 of both."""
    table = Table(title="A no-op job, submit to succeeded", peer=PEER)
    with Stack(folder / "stack", SENDOFF_WARM_BLENDER="false") as stack:
        os.environ["BENCH_BROKER"] = stack.redis_url
        noop: Any = importlib.import_module("bench.bare_celery").noop
        command = ["-m", "celery", "-A", "bench.bare_celery", "worker", "--concurrency=1", "--loglevel=WARNING",
                   "--without-gossip", "--without-mingle"]  # fmt: skip
        root = str(BENCH.parent)
        with (
            running(command, folder / "celery.log", PYTHONPATH=root, BENCH_BROKER=stack.redis_url),
            Client(stack.url, stack.token) as client,
            contextlib.closing(Watch(client)) as watch,
        ):
            noop.apply_async().get(timeout=_SECONDS)
            ours: list[float] = []
            bare: list[float] = []
            for turn in range(2 if quick else ROUNDS + 1):
                mine = [_submit(client, watch) for _ in range(PER_ROUND)]
                theirs = [_call(noop) for _ in range(PER_ROUND)]
                if turn:
                    ours += mine
                    bare += theirs
    for name, percent, most in (("p50", 50, 10.0), ("p99", 99, None)):
        table.rows.append(
            Row(what=f"latency {name}", ours=percentile(ours, percent) * 1e3, peer=percentile(bare, percent) * 1e3,
                unit="ms", most=most)
        )  # fmt: skip
    return table


class Watch:
    """The session's event stream in a thread of its own; notes when a job's end arrived."""

    def __init__(self, client: Client) -> None:
        self._stream: EventStream = client.events()
        self._ended: queue.Queue[tuple[str, str, float]] = queue.Queue()
        self._online = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._online.wait(_SECONDS), "the event stream did not come online"

    def _run(self) -> None:
        for item in self._stream:
            now = time.perf_counter()
            self._online.set()
            job, state = getattr(item, "job", ""), getattr(item, "state", "")
            if job and state.is_final:
                self._ended.put((job, state.value, now))

    def ended_at(self, job: str) -> float:
        """Wait until the job has succeeded."""
        while True:
            name, state, at = self._ended.get(timeout=_SECONDS)
            if name == job:
                assert state == "succeeded", state
                return at

    def close(self) -> None:
        """End the stream."""
        self._stream.stop()
        self._thread.join(5)


def _submit(client: Client, watch: Watch) -> float:
    begun = time.perf_counter()
    job = client.submit(Submission(task="system.noop", title="No-op"))
    return watch.ended_at(job.id) - begun


def _call(noop: Any) -> float:
    begun = time.perf_counter()
    noop.apply_async().get(timeout=_SECONDS, interval=0.001)
    return time.perf_counter() - begun
