"""The peer of the latency benchmark: bare Celery on the same broker, as its documentation starts with."""

from __future__ import annotations

import os

from celery import Celery

app = Celery("bare", broker=os.environ["BENCH_BROKER"], backend=os.environ["BENCH_BROKER"])


@app.task
def noop() -> None:
    """Nothing at all."""
