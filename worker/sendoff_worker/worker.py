"""A worker, put together: its tasks, its Blenders, what it offers, and how it ends."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path

import redis

from sendoff_store import routing
from sendoff_store.blobs import open_blobs
from sendoff_store.calls import SyncStore
from sendoff_store.connections import connect, wait_until_ready
from sendoff_store.offers import WorkerOffer

from . import __version__, registry
from .blender import sandbox
from .blender.runtimes import Runtime, find_runtimes
from .control import forget_shutdown, tell_shutdown
from .runner import Runner
from .settings import WorkerSettings
from .workspace import remove_stale

log = logging.getLogger("sendoff.worker")

_REDIS_SECONDS = 30.0


class Worker:
    """Made in the parent process; the runners in its children are made after they were forked."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.blenders: list[Runtime] = []
        self.sandbox = sandbox.NONE
        self._local = threading.local()

    def prepare(self) -> None:
        """Load tasks and probe Blenders; raises RedisUnavailable where there is no Redis."""
        wait_until_ready(self.settings.redis_url, timeout_seconds=_REDIS_SECONDS)
        with connect(self.settings.redis_url) as client:
            forget_shutdown(client, self.settings.worker_name)
        remove_stale(self.settings.work_dir)
        folders = [Path(part).expanduser() for part in self.settings.task_path.split(os.pathsep) if part]
        for problem in registry.load(folders):
            log.error("%s", problem, extra={"action": "tasks.failed"})
        self.blenders = find_runtimes(self.settings.blenders)
        if self.blenders:
            self.sandbox = self._find_sandbox(folders)
            log.info("%s", self.sandbox.description, extra={"action": "worker.sandbox"})
        found = ", ".join(runtime.version for runtime in self.blenders) or "none"
        log.info("The worker %s has the tasks %s; Blender: %s", self.settings.worker_name,
                 ", ".join(task.name for task in self.tasks()), found, extra={"action": "worker.start"})  # fmt: skip

    def _find_sandbox(self, task_folders: Iterable[Path]) -> sandbox.Sandbox:
        settings = self.settings
        named = (Path(part).expanduser() for part in settings.blender_readable.split(os.pathsep) if part)
        return sandbox.find(
            settings.blender_sandbox,
            has_network=settings.blender_network,
            hidden=(settings.data_dir, settings.work_dir),
            readable=(*task_folders, *named, *registry.folders()),
            settings=os.pathsep.join(os.environ.get(name, "") for name in ("OCIO", "LD_LIBRARY_PATH")),
        )

    def tasks(self) -> list[registry.Task]:
        """What it can do: tasks that need Blender only where it has one."""
        return [task for task in registry.all_tasks() if self.blenders or not task.blender]

    def queues(self) -> list[str]:
        """The queues it serves."""
        if self.settings.queues:
            return [name.strip() for name in self.settings.queues.split(",") if name.strip()]
        return routing.queues_of((runtime.series, runtime.lacks) for runtime in self.blenders)

    def offer(self, busy: int) -> WorkerOffer:
        """What it tells the servers."""
        return WorkerOffer(
            worker=self.settings.worker_name,
            tasks=[task.info() for task in self.tasks()],
            queues=self.queues(),
            series=[runtime.series for runtime in self.blenders],
            lacks={runtime.series: list(runtime.lacks) for runtime in self.blenders if runtime.lacks},
            slots=self.settings.concurrency,
            busy=busy,
            version=__version__,
            sandbox=self.sandbox.name,
        )

    def runner(self) -> Runner:
        """This process's runner, or this thread's where one process runs several jobs."""
        runner: Runner | None = getattr(self._local, "runner", None)
        if runner is None:
            client = connect(self.settings.redis_url)
            runner = Runner(
                self.settings, SyncStore(client), open_blobs(self.settings), self.blenders, sandbox=self.sandbox
            )
            self._local.runner = runner
        return runner

    def tell_children_to_release(self) -> None:
        """Have running jobs go back to their queues, because the worker shuts down."""
        try:
            with connect(self.settings.redis_url) as client:
                tell_shutdown(client, self.settings.worker_name)
        except redis.RedisError as error:
            log.warning("Running jobs could not be told of the shutdown: %s", error,
                        extra={"action": "worker.release_failed"})  # fmt: skip
