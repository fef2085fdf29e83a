"""What can go wrong in the store, as one tree.

StoreError
├── SettingsError          a setting is wrong; the message names the key and the value
├── EmbeddedUnavailable    the embedded Valkey cannot run here
├── RedisUnavailable       Redis did not answer within the time given
├── DiskFull               the disk that keeps the chunks is full
├── ChunkMissing           a chunk that a file needs is not there
├── ChunkDamaged           a stored chunk or file is not what its name says
└── NoRuntime              no worker has a Blender that can open the file
"""

from __future__ import annotations


class StoreError(Exception):
    """Base of everything the store raises on purpose; `str()` of it is a sentence for a person."""


class SettingsError(StoreError):
    """A setting is wrong; the message names the key and the value."""


class EmbeddedUnavailable(StoreError):
    """The embedded Valkey cannot run here."""


class RedisUnavailable(StoreError):
    """Redis did not answer within the time given."""


class DiskFull(StoreError):
    """The disk that keeps the chunks is full."""


class ChunkMissing(StoreError):
    """A chunk that a file needs is not there; `sha256` is its name."""

    def __init__(self, sha256: str) -> None:
        super().__init__(f"The chunk {sha256} is not in the store.")
        self.sha256 = sha256


class ChunkDamaged(StoreError):
    """A stored chunk or file is not what its name says."""


class NoRuntime(StoreError):
    """No worker has a Blender that can open the file."""
