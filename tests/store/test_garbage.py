from __future__ import annotations

import hashlib

import redis

from sendoff_store import jobs
from sendoff_store.calls import SyncStore
from sendoff_store.garbage import collect
from sendoff_store.memory_blobs import MemoryBlobs
from sendoff_store.records import NewJob


def test_only_chunks_that_no_job_names_and_nobody_asked_for_go(store: SyncStore, client: redis.Redis) -> None:
    blobs = MemoryBlobs()
    names = []
    for data in (b"needed", b"unneeded"):
        names.append(hashlib.sha256(data).hexdigest())
        blobs.put(names[-1], data)
    job = NewJob(id="j", task="t", title="", owner="o", sid="s", queue="cpu", message="")
    manifest = {"files": [{"path": "a", "chunks": [[names[0], 6]]}]}
    store.run(jobs.create(job, manifest, idempotency_key=None, retention_seconds=100))
    assert collect(client, blobs, keep_seconds=3600, dry_run=False).removed == 0
    planned = collect(client, blobs, keep_seconds=-1, dry_run=True)
    assert (planned.chunks, planned.removed, planned.removed_bytes) == (2, 1, 8)
    assert blobs.missing(names) == []
    assert collect(client, blobs, keep_seconds=-1, dry_run=False).removed == 1
    assert blobs.missing(names) == [names[1]]
