"""A job's own folder: its input files, room for its output, and nothing else."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from sendoff.manifest import Manifest
from sendoff_store.blobs import BlobStore
from sendoff_store.files import build_file

from .folders import remove_folder

log = logging.getLogger("sendoff.worker")


class Workspace:
    """Folders `in`, `out` and `tmp` of one attempt; gone when the `with` block ends."""

    def __init__(self, root: Path, job: str) -> None:
        self.folder = root / f"{os.getpid()}-{job}-{secrets.token_hex(4)}"
        self.input = self.folder / "in"
        self.output = self.folder / "out"
        self.temporary = self.folder / "tmp"

    def __enter__(self) -> Workspace:
        self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.folder, self.input, self.output, self.temporary):
            folder.mkdir(mode=0o700)
        return self

    def __exit__(self, *_: object) -> None:
        remove_folder(self.folder)

    def fill(self, blobs: BlobStore, manifest: Manifest, told: Callable[[int, int, str], None]) -> None:
        """Build the input files; `told(done_bytes, total_bytes, path)` hears of each chunk and may raise to give up.

        Raises ChunkMissing, ChunkDamaged, OSError.
        """
        total = manifest.size
        done = 0
        for entry in manifest.files:

            def on_chunk(size: int, path: str = entry.path) -> None:
                nonlocal done
                done += size
                told(done, total, path)

            told(done, total, entry.path)
            build_file(blobs, entry, self.input / entry.path, on_chunk=on_chunk)
        told(total, total, "")


def remove_stale(root: Path) -> None:
    """Remove the folders of workers that were killed."""
    if not root.is_dir():
        return
    for folder in root.iterdir():
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            log.info("Removing %s, left by a worker that was killed", folder, extra={"action": "workspace.stale"})
            remove_folder(folder)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
