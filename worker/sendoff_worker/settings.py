"""A worker's own settings, besides those it shares with the server."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import Field

from sendoff_store.settings import StoreSettings


def _default_concurrency() -> int:
    return max(1, (os.cpu_count() or 2) // 2)


def _default_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


def _default_work_dir() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"sendoff-work-{user}"


class WorkerSettings(StoreSettings):
    """Every setting is the environment variable SENDOFF_<NAME> or a key of `sendoff.toml` in the data folder."""

    #: Blender runtimes, separated as in PATH: a `blender` executable, a Python that has the module bpy, or the
    #: folder of its virtual environment. Empty: `blender` on the PATH, where there is one.
    blenders: str = ""
    #: Jobs at the same time.
    concurrency: int = Field(default_factory=_default_concurrency, ge=1, le=256)
    pool: Literal["prefork", "eventlet", "threads", "solo"] = "prefork"
    #: How the worker is called in lists and logs; no two may have the same name.
    worker_name: str = Field(default_factory=_default_name, min_length=1)
    #: Folder of the jobs' files while they run.
    work_dir: Path = Field(default_factory=_default_work_dir)
    #: Folders with tasks of the studio's own, separated as in PATH.
    task_path: str = ""
    #: Queues to serve, separated by commas; empty means all that this worker can.
    queues: str = ""
    #: Keep a Blender started in advance, so that a job begins at once.
    warm_blender: bool = True
    #: Most memory a Blender may use; 0 means as much as the machine has.
    blender_memory_bytes: int = Field(default=0, ge=0)
    #: Largest file that a Blender may write; 0 means no limit.
    blender_file_bytes: int = Field(default=64 * 1024**3, ge=0)
    #: Most that a Blender may write, all files of a job together; 0 means no limit.
    blender_disk_bytes: int = Field(default=128 * 1024**3, ge=0)
    #: Most processes and threads that a Blender may have; 0 means no limit.
    blender_processes: int = Field(default=2048, ge=0)
    #: Whether Blender is kept from the worker's files, network and other processes, by bubblewrap.
    blender_sandbox: Literal["auto", "required", "off"] = "auto"
    #: Folders that tasks in Blender may read besides their own, separated as in PATH.
    blender_readable: str = ""
    #: Whether tasks in Blender may use the network.
    blender_network: bool = False
    #: How long a running job may still take when the worker shuts down, before it goes back to its queue.
    shutdown_grace_seconds: float = Field(default=3, ge=0, le=3600)
    #: How long a cancelled job may take to end by itself, before it is killed.
    kill_grace_seconds: float = Field(default=10, ge=0.1, le=600)
