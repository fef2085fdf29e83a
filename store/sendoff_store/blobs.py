"""Where chunks lie: a small interface, and the choice among the stores that have it.

A chunk is named by the sha256 of its bytes in hex, is written once and never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from .errors import SettingsError
from .settings import StoreSettings


class BlobStore(Protocol):
    """What every store of chunks can do; all methods may be called from several threads."""

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of the names that are not here; the life of the others is renewed."""
        ...

    def put(self, name: str, data: bytes) -> bool:
        """Keep a chunk if it is not here yet; returns whether it was new. Raises DiskFull."""
        ...

    def get(self, name: str) -> bytes:
        """A chunk's bytes. Raises ChunkMissing."""
        ...

    def delete(self, name: str) -> None:
        """Forget a chunk; one that is not here is no error."""
        ...

    def ages(self) -> Iterator[tuple[str, int, float]]:
        """Every chunk: its name, its size in bytes, and when it was last written or asked for (Unix seconds)."""
        ...

    def check_writable(self) -> None:
        """Raises DiskFull or OSError where nothing could be written."""
        ...


def open_blobs(settings: StoreSettings) -> BlobStore:
    """The store that the settings name."""
    if not settings.blob_url:
        from .local_blobs import LocalBlobs

        return LocalBlobs(settings.data_dir / "chunks", reserve_bytes=settings.reserve_bytes)
    if settings.blob_url.startswith("s3://"):
        from .s3_blobs import S3Blobs

        return S3Blobs(settings.blob_url)
    raise SettingsError(
        f"SENDOFF_BLOB_URL is {settings.blob_url!r}: it has to be empty (a folder in the data folder) or s3://bucket/prefix."
    )
