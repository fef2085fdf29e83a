"""Hears, at once, that a job is to be cancelled or that the worker shuts down: one subscription per process.

A message here is a wake-up. What is missed while the subscription is broken is asked for when it is made again,
and the answer to every report and renewal tells of a cancel as well.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis

from sendoff_store.connections import connect_listening

log = logging.getLogger("sendoff.worker")

_PREFIX = "control:"
_WORKER = "control:worker:"
_LISTEN_SECONDS = 30.0
_PAUSE_SECONDS = 1.0
_FLAG_SECONDS = 120


def tell_shutdown(client: redis.Redis, worker: str) -> None:
    """Tell a worker's processes that it shuts down; one that is about to listen finds it written down."""
    with client.pipeline(transaction=True) as pipe:
        pipe.set(_flag(worker), "1", ex=_FLAG_SECONDS)
        pipe.publish(_WORKER + worker, "shutdown")
        pipe.execute()


def forget_shutdown(client: redis.Redis, worker: str) -> None:
    """A worker of this name begins anew."""
    client.delete(_flag(worker))


def _flag(worker: str) -> str:
    return f"worker:{worker}:stopping"


@dataclass(frozen=True)
class Listener:
    """What a running job wants to hear of."""

    on_cancel: Callable[[], None]
    on_shutdown: Callable[[], None]
    #: Look for yourself: something may have been missed.
    on_doubt: Callable[[], None]


class Control:
    """Listens for all jobs of this process, from the first one on for as long as the process lives."""

    def __init__(self, redis_url: str, worker: str) -> None:
        self._redis_url = redis_url
        self._worker = worker
        self._lock = threading.Lock()
        self._listeners: dict[str, Listener] = {}
        self._thread: threading.Thread | None = None
        self._subscribed = threading.Event()

    def listen(self, job: str, listener: Listener) -> None:
        """Have a job hear of things until `forget`."""
        with self._lock:
            self._listeners[job] = listener
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sendoff-control", daemon=True)
                self._thread.start()
        if self._subscribed.is_set():
            listener.on_doubt()

    def forget(self, job: str) -> None:
        """Stop telling a job."""
        with self._lock:
            self._listeners.pop(job, None)

    def _run(self) -> None:
        while True:
            try:
                with connect_listening(self._redis_url) as client, client.pubsub() as subscription:
                    subscription.psubscribe(f"{_PREFIX}*")
                    while True:
                        message = subscription.get_message(timeout=_LISTEN_SECONDS)
                        if message is None:
                            continue
                        self._take(message["type"], message["channel"])
                        if message["type"] == "psubscribe" and client.exists(_flag(self._worker)):
                            self._take("pmessage", _WORKER + self._worker)
            except Exception as error:
                log.warning("The control channel broke and is made again: %s", error,
                            extra={"action": "control.broken"})  # fmt: skip
            self._subscribed.clear()
            time.sleep(_PAUSE_SECONDS)

    def _take(self, kind: str, channel: str) -> None:
        with self._lock:
            listeners = dict(self._listeners)
        if kind == "psubscribe":
            self._subscribed.set()
            for listener in listeners.values():
                listener.on_doubt()
        elif channel == _WORKER + self._worker:
            for listener in listeners.values():
                listener.on_shutdown()
        elif (found := listeners.get(channel.removeprefix(_PREFIX))) is not None:
            found.on_cancel()
