"""From publish to WebSocket client, with many watchers: latency, connections to Redis, memory.

Each watcher has a job of its own. A separate process publishes at a steady pace (for Sendoff: the worker's report,
which writes snapshot and stream as well), another one holds all the sockets. The two servers stand side by side
on the same Valkey and are measured in turns.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from tests.stack import wait_for

from sendoff_server.auth import mint
from sendoff_store import jobs
from sendoff_store.calls import SyncStore
from sendoff_store.connections import connect
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.records import NewJob

from .processes import BENCH, free_port, rss_bytes, running
from .report import Row, Table, median, percentile

PEER = "one Redis SUBSCRIBE per WebSocket and a bare PUBLISH per step (bench/seed_design.py)"
SECRET = secrets.token_hex(32)
WATCHERS = 1000
MANY_WATCHERS = 5000
PACE_SECONDS = 0.005
ROUNDS = 6
PER_ROUND = 300
_WARM_UP = 100


class Crowd:
    """The process that holds the sockets (bench/crowd.py)."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self._headers = headers or {}
        self._process = subprocess.Popen(
            [sys.executable, BENCH / "crowd.py", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def join(self, paths: Sequence[str], *, first: bool = False) -> None:
        """Open a socket per path."""
        assert self._ask({"join": list(paths), "headers": self._headers, "first": first}) == len(paths)

    def take(self) -> list[float]:
        """Seconds from publish to arrival of what has come since the last time."""
        return list(self._ask({"take": True}))

    def _ask(self, command: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Close all sockets."""
        self._process.kill()
        self._process.wait(10)


@dataclass
class Design:
    """A server under test: how watchers join it and how a step is published."""

    server: subprocess.Popen[bytes]
    crowd: Crowd
    #: Make jobs with these numbers and have as many watchers.
    join: Callable[[range], None]
    #: Publish one step of the job with this number.
    publish: Callable[[int], None]


def measure(folder: Path, *, quick: bool = False) -> Table:
    """Latency with 1,000 watchers, then connections and memory with 5,000 (quick: with 1,000)."""
    most = WATCHERS if quick else MANY_WATCHERS
    table = Table(title=f"Fan-out: publish to WebSocket client, {WATCHERS:,} watchers", peer=PEER)
    with EmbeddedValkey(folder / "valkey") as valkey, contextlib.closing(connect(valkey.url)) as client:
        with _ours(folder, valkey.url, client) as ours, _seed(folder, valkey.url, client) as seed:
            for design in (seed, ours):
                design.join(range(WATCHERS))
            latencies = _latencies({"ours": ours, "seed": seed})
            for name, percent in (("p50", 50), ("p99", 99)):
                mine, theirs = (
                    median([percentile(turn, percent) * 1e3 for turn in latencies[who]]) for who in ("ours", "seed")
                )
                table.rows.append(Row(what=f"latency {name}", ours=mine, peer=theirs, unit="ms", most_ratio=1.0))
            streams = {name: _cpu_of_stream(design) for name, design in (("ours", ours), ("seed", seed))}
            table.rows.append(
                Row(what="server CPU per step", ours=streams["ours"] * 1e6, peer=streams["seed"] * 1e6, unit="µs")
            )
        with _ours(folder, valkey.url, client) as ours:
            connections, memory = _cost_of_many(ours, client, range(WATCHERS, WATCHERS + most))
        with _seed(folder, valkey.url, client) as seed:
            seed_connections, seed_memory = _cost_of_many(seed, client, range(WATCHERS, WATCHERS + most))
            idle = _cost_of_idle(seed, most)
        table.rows += [
            Row(what=f"Redis connections, {most:,} watchers", ours=connections, peer=seed_connections, unit="", most=9),
            Row(what="server memory per watcher", ours=memory, peer=seed_memory, unit="KiB", most=38),
        ]
        table.notes.append(f"A socket that does nothing costs {idle:.1f} KiB in uvicorn in this run.")
    return table


def _latencies(designs: dict[str, Design]) -> dict[str, list[list[float]]]:
    """Seconds of every message of every turn; the first turn of each warms up and does not count."""
    turns: dict[str, list[list[float]]] = {name: [] for name in designs}
    for turn in range(ROUNDS + 1):
        for name, design in designs.items():
            _publish(design, PER_ROUND if turn else _WARM_UP)
            seconds = design.crowd.take()
            assert len(seconds) >= (PER_ROUND if turn else _WARM_UP), f"{name}: {len(seconds)} messages arrived"
            if turn:
                turns[name].append(seconds)
    return turns


def _publish(design: Design, count: int) -> None:
    next_at = time.monotonic()
    for step in range(count):
        design.publish(step * 7919 % WATCHERS)
        next_at += PACE_SECONDS
        time.sleep(max(next_at - time.monotonic(), 0))
    time.sleep(0.3)


def _cpu_of_stream(design: Design) -> float:
    """Seconds of the server's CPU time per published step."""
    import psutil

    process = psutil.Process(design.server.pid)
    before = process.cpu_times()
    _publish(design, PER_ROUND)
    after = process.cpu_times()
    design.crowd.take()
    return (after.user + after.system - before.user - before.system) / PER_ROUND


def _cost_of_many(design: Design, client: redis.Redis, numbers: range) -> tuple[int, float]:
    """Redis connections of the server, and KiB of its memory per watcher."""
    design.join(numbers[:_WARM_UP])
    before, before_bytes = len(client.client_list()), rss_bytes(design.server.pid)
    design.join(numbers[_WARM_UP:])
    after, after_bytes = len(client.client_list()), rss_bytes(design.server.pid)
    per_watcher = (after_bytes - before_bytes) / len(numbers[_WARM_UP:]) / 1024
    others = 1  # this process's own
    return after - others - max(before - after, 0), per_watcher


def _cost_of_idle(design: Design, count: int) -> float:
    before = rss_bytes(design.server.pid)
    design.crowd.join(["/idle"] * count)
    return (rss_bytes(design.server.pid) - before) / count / 1024


@contextlib.contextmanager
def _ours(folder: Path, redis_url: str, client: redis.Redis) -> Iterator[Design]:
    store, port = SyncStore(client), free_port()
    token = mint(SECRET, person="ada", days=1, sid="bench")

    def join(numbers: range) -> None:
        for number in numbers:
            new = NewJob(id=_job(number), task="bench", title=f"Job {number}", owner="ada", sid="bench",
                         queue="cpu", message="Queued")  # fmt: skip
            store.run(jobs.create(new, {"files": []}, idempotency_key=None, retention_seconds=3600))
            lease = jobs.take_lease(new.id, token="bench", worker="bench", lease_seconds=3600, retention_seconds=3600)
            store.run(lease)
        crowd.join([f"/v1/jobs/{_job(number)}/events" for number in numbers], first=True)

    def publish(number: int) -> None:
        call = jobs.report(
            _job(number), token="bench", lease_seconds=3600, fraction=0.5, message=str(time.monotonic_ns())
        )
        assert isinstance(store.run(call), jobs.Reported)

    settings = {
        "SENDOFF_REDIS_URL": redis_url, "SENDOFF_DATA_DIR": str(folder / "ours"), "SENDOFF_PORT": str(port),
        "SENDOFF_SECRET": SECRET,
    }  # fmt: skip
    ready = f"http://127.0.0.1:{port}/readyz"
    with running(["-m", "sendoff_server", "serve"], folder / "ours.log", ready_url=ready, **settings) as server:
        crowd = Crowd(port, {"Authorization": f"Bearer {token}"})
        with contextlib.closing(crowd):
            yield Design(server, crowd, join, publish)


@contextlib.contextmanager
def _seed(folder: Path, redis_url: str, client: redis.Redis) -> Iterator[Design]:
    port = free_port()

    def join(numbers: range) -> None:
        channels = [f"progress:seed:{_job(number)}" for number in numbers]
        crowd.join([f"/ws/seed/{_job(number)}" for number in numbers])
        wait_for(lambda: all(count for _, count in client.pubsub_numsub(*channels)), "the subscriptions")

    def publish(number: int) -> None:
        step = {"task": _job(number), "state": "running", "message": str(time.monotonic_ns()), "fraction": 0.5}
        client.publish(f"progress:seed:{_job(number)}", json.dumps(step, separators=(",", ":")))

    settings = {"BENCH_REDIS": redis_url, "BENCH_PORT": str(port)}
    ready = f"http://127.0.0.1:{port}/ready"
    with running([BENCH / "seed_design.py"], folder / "seed.log", ready_url=ready, **settings) as server:
        crowd = Crowd(port)
        with contextlib.closing(crowd):
            yield Design(server, crowd, join, publish)


def _job(number: int) -> str:
    return f"bench{number:06d}"
