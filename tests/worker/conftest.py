"""A real Valkey and a runner on it, in this process; Celery has its own tests in tests/acceptance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sendoff.manifest import Manifest
from sendoff_store import jobs
from sendoff_store.calls import SyncStore
from sendoff_store.connections import connect
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.files import store_file
from sendoff_store.memory_blobs import MemoryBlobs
from sendoff_store.records import JobRecord, NewJob
from sendoff_store.scene_needs import ANYTHING, SceneNeeds
from sendoff_worker import registry
from sendoff_worker.runner import Runner
from sendoff_worker.settings import WorkerSettings

_numbers = itertools.count(1)


@dataclass
class Bench:
    """A runner, and what a test needs to give it jobs and to see what became of them."""

    runner: Runner
    store: SyncStore
    blobs: MemoryBlobs
    settings: WorkerSettings

    def job(
        self,
        task: str,
        params: dict[str, Any] | None = None,
        files: dict[str, Path] | None = None,
        *,
        scope: Path | None = None,
        needs: SceneNeeds = ANYTHING,
    ) -> str:
        job = f"job{next(_numbers)}"
        named = [(path, source, "scene") for path, source in (files or {}).items()]
        if scope is not None:
            named.append(("sendoff-scope.json", scope, "scope"))
        entries = [
            store_file(self.blobs, source, path=path, role=role, media_type="application/octet-stream")
            for path, source, role in named
        ]
        new = NewJob(
            id=job,
            task=task,
            title=task,
            owner="ada",
            sid="s",
            queue="cpu",
            message="",
            params=params or {},
            needs=needs,
        )
        self.store.run(
            jobs.create(new, Manifest(tuple(entries)).to_dict(), idempotency_key=None, retention_seconds=1000)
        )
        return job

    def record(self, job: str) -> JobRecord:
        record = self.store.run(jobs.snapshot(job))
        assert record is not None
        return record

    def run(self, task: str, params: dict[str, Any] | None = None, files: dict[str, Path] | None = None) -> JobRecord:
        job = self.job(task, params, files)
        self.runner.run(job)
        return self.record(job)

    def log(self, job: str) -> str:
        return str(self.store.redis.get(jobs.log_key(job)) or "")

    def cancel(self, job: str) -> None:
        self.store.run(jobs.cancel(job, by="ada", retention_seconds=1000))


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey.url


@pytest.fixture
def bench(valkey_url: str, tmp_path: Path) -> Iterator[Bench]:
    settings = WorkerSettings(
        redis_url=valkey_url, data_dir=tmp_path, work_dir=tmp_path / "work", worker_name="w", warm_blender=False,
        kill_grace_seconds=0.5, lease_seconds=5, renew_seconds=0.5,
    )  # fmt: skip
    blobs = MemoryBlobs()
    with connect(valkey_url) as client:
        store = SyncStore(client)
        runner = Runner(settings, store, blobs, [])
        yield Bench(runner, store, blobs, settings)
        runner.close()


@pytest.fixture
def declare() -> Iterator[Callable[..., Any]]:
    """The decorator `task`, with what it declared forgotten after the test."""
    before = dict(registry._tasks)
    yield registry.task
    registry._tasks.clear()
    registry._tasks.update(before)
