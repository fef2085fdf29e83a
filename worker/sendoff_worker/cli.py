"""`sendoff-server worker`, or `python -m sendoff_worker`: run a worker."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from sendoff_store.errors import SettingsError, StoreError
from sendoff_store.processes import end_with_parent, set_up_logging
from sendoff_store.settings import load

from .settings import WorkerSettings


def main(arguments: list[str] | None = None) -> int:
    """Run a worker until it is told to stop; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="sendoff-server worker",
        description="Run a worker. Every setting is also an environment variable SENDOFF_<NAME>.",
    )
    parser.add_argument("--name", help="how the worker is called in lists (its host's name and process id)")
    parser.add_argument("--concurrency", type=int, metavar="N", help="jobs at the same time")
    parser.add_argument("--pool", choices=["prefork", "eventlet", "threads", "solo"], help="Celery's pool (prefork)")
    parser.add_argument("--queues", help="queues to serve, with commas between; else all it can")
    parser.add_argument("--data-dir", type=Path, help="where chunks are kept, the same as the server's")
    given = parser.parse_args(arguments)
    try:
        settings = load(
            WorkerSettings,
            worker_name=given.name,
            concurrency=given.concurrency,
            pool=given.pool,
            queues=given.queues,
            data_dir=given.data_dir,
        )
        if not settings.redis_url:
            raise SettingsError(
                "SENDOFF_REDIS_URL is not set. Set it to the Redis of the server, or run `sendoff-server up`, which "
                "brings its own."
            )
        return _run(settings)
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1


def _run(settings: WorkerSettings) -> int:
    if settings.pool == "eventlet" and "eventlet" not in sys.modules:  # the settings' file says so: begin anew with it
        os.execv(sys.executable, [sys.executable, "-m", "sendoff_worker", *sys.argv[1:], "--pool", "eventlet"])  # noqa: S606
    set_up_logging()
    end_with_parent()
    for name in ("celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(name).setLevel(logging.WARNING)  # the runner says the same in sentences
    from .celery_app import run_worker
    from .worker import Worker

    worker = Worker(settings)
    worker.prepare()
    return run_worker(worker)
