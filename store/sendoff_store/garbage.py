"""Which chunks nobody needs any more: no kept job names them, and nobody asked for them for a while.

A chunk that a client was just told is present is young, since asking renews it; one that is lost all the same
makes the submit answer with what is missing, never a broken job.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import redis

from .blobs import BlobStore


@dataclass(frozen=True)
class GarbageReport:
    """What was looked at, and what was (or would be) removed."""

    chunks: int
    chunk_bytes: int
    removed: int
    removed_bytes: int


def collect(client: redis.Redis, blobs: BlobStore, *, keep_seconds: float, dry_run: bool) -> GarbageReport:
    """Remove the chunks that nobody needs; with `dry_run` only count them."""
    oldest = time.time() - keep_seconds
    needed = set(_needed(client))
    chunks = chunk_bytes = removed = removed_bytes = 0
    for name, size, used_at in blobs.ages():
        chunks += 1
        chunk_bytes += size
        if name in needed or used_at > oldest:
            continue
        removed += 1
        removed_bytes += size
        if not dry_run:
            blobs.delete(name)
    return GarbageReport(chunks, chunk_bytes, removed, removed_bytes)


def _needed(client: redis.Redis) -> Iterator[str]:
    for key in client.scan_iter(match="job:*:manifest", count=500):
        yield from _chunks(client.get(key))
        yield from _chunks(client.hget(str(key).removesuffix(":manifest"), "result"))


def _chunks(text: str | bytes | None) -> Iterator[str]:
    for entry in (json.loads(text) if text else {}).get("files", []):
        for chunk in entry.get("chunks", []):
            yield chunk[0]
