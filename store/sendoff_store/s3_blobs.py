"""Chunks in an S3 bucket (or anything that speaks S3), by `obstore`; credentials come from the usual AWS variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import obstore
from obstore.store import S3Store

from .errors import ChunkMissing

_PARALLEL = 16
#: A chunk that is asked for is written again once it is older than this: S3 has no other way to renew its date.
_RENEW_AFTER = timedelta(days=1)


class S3Blobs:
    """A bucket, with the chunks below `prefix/ab/cd/`."""

    def __init__(self, url: str) -> None:
        self._store = S3Store.from_url(url)
        self._threads = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="sendoff-s3")

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of the names that are not here; the life of the others is renewed."""
        found = list(self._threads.map(self._exists, names))
        return [name for name, here in zip(names, found, strict=True) if not here]

    def put(self, name: str, data: bytes) -> bool:
        """Keep a chunk if it is not here yet; an object appears whole or not at all."""
        if self._exists(name):
            return False
        obstore.put(self._store, _key(name), bytes(data))
        return True

    def get(self, name: str) -> bytes:
        """A chunk's bytes."""
        try:
            return bytes(obstore.get(self._store, _key(name)).bytes())
        except FileNotFoundError:
            raise ChunkMissing(name) from None

    def delete(self, name: str) -> None:
        """Forget a chunk."""
        try:
            obstore.delete(self._store, _key(name))
        except FileNotFoundError:
            return

    def ages(self) -> Iterator[tuple[str, int, float]]:
        """Every chunk with its size and the time it was written, which a question renews once a day."""
        for batch in obstore.list(self._store):
            for item in batch:
                yield item["path"].rpartition("/")[2], item["size"], item["last_modified"].timestamp()

    def check_writable(self) -> None:
        """See that the bucket answers."""
        obstore.put(self._store, "probe", b"1")
        obstore.delete(self._store, "probe")

    def _exists(self, name: str) -> bool:
        try:
            about = obstore.head(self._store, _key(name))
            if datetime.now(UTC) - about["last_modified"] > _RENEW_AFTER:
                obstore.put(self._store, _key(name), bytes(obstore.get(self._store, _key(name)).bytes()))
        except FileNotFoundError:
            return False
        return True


def _key(name: str) -> str:
    return f"{name[:2]}/{name[2:4]}/{name}"
