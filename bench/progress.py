"""`ctx.progress` in a task's innermost loop, against one PUBLISH per step.

A real attempt runs: the keeper's thread sends what is new ten times a second to Valkey, the task's thread reports
as fast as it can.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import redis

from sendoff_store import jobs
from sendoff_store.calls import SyncStore
from sendoff_store.connections import connect
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.records import NewJob
from sendoff_worker.job_log import JobLog
from sendoff_worker.keeper import Keeper
from sendoff_worker.settings import WorkerSettings

from .report import Row, Table, median

PEER = "one PUBLISH per step (redis-py)"
STEPS = 1_000_000
PUBLISHED_STEPS = 20_000
ROUNDS = 5


def measure(folder: Path, *, quick: bool = False) -> Table:
    """Microseconds per step."""
    table = Table(title="Progress in a hot loop", peer=PEER)
    ours, bare = [], []
    with EmbeddedValkey(folder / "valkey") as valkey, contextlib.closing(connect(valkey.url)) as client:
        with _attempt(folder, valkey.url, client) as keeper:
            for _ in range(2 if quick else ROUNDS):
                ours.append(_report(keeper))
                bare.append(_publish(client))
        record = SyncStore(client).run(jobs.snapshot("bench"))
        assert record is not None
        assert record.message.startswith("Step "), "the progress did not arrive"
    empty = median([_empty() for _ in range(3)])
    table.rows.append(Row(what="per step", ours=median(ours) * 1e6, peer=median(bare) * 1e6, unit="µs", most=1.0))
    table.notes.append(
        f"The loop and its text alone take {empty * 1e6:.2f} µs per step; they are in both numbers. "
        f"{record.seq} events were written for {len(ours) * STEPS:,} calls."
    )
    return table


class _NoControl:
    """Nobody cancels here; the real one would outlive its Valkey and look for it during the next benchmark."""

    def listen(self, *_: object) -> None: ...

    def forget(self, *_: object) -> None: ...


@contextlib.contextmanager
def _attempt(folder: Path, redis_url: str, client: redis.Redis):  # type: ignore[no-untyped-def]
    settings = WorkerSettings(data_dir=folder, redis_url=redis_url, worker_name="bench")
    store = SyncStore(client)
    new = NewJob(id="bench", task="bench", title="Bench", owner="ada", sid="bench", queue="cpu", message="Queued")
    store.run(jobs.create(new, {"files": []}, idempotency_key=None, retention_seconds=3600))
    store.run(jobs.take_lease("bench", token="t", worker="bench", lease_seconds=60, retention_seconds=3600))
    keeper = Keeper(store, _NoControl(), settings, "bench", "t", job_log=JobLog(),
                    on_stop=print)  # fmt: skip
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.end()


def _report(keeper: Keeper) -> float:
    progress = keeper.reporter.progress
    begun = time.perf_counter()
    for step in range(STEPS):
        progress(step / STEPS, f"Step {step}")
    return (time.perf_counter() - begun) / STEPS


def _publish(client: redis.Redis) -> float:
    begun = time.perf_counter()
    for step in range(PUBLISHED_STEPS):
        client.publish("progress:seed:bench", f'{{"fraction":{step / PUBLISHED_STEPS},"message":"Step {step}"}}')
    return (time.perf_counter() - begun) / PUBLISHED_STEPS


def _empty() -> float:
    idle = threading.Event().is_set
    begun = time.perf_counter()
    for step in range(STEPS):
        (step / STEPS, f"Step {step}")
    assert not idle()
    return (time.perf_counter() - begun) / STEPS
