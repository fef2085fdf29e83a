"""Tells the servers what this worker offers, for as long as it lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import redis

from sendoff_store import offers
from sendoff_store.connections import connect
from sendoff_store.offers import WorkerOffer

log = logging.getLogger("sendoff.worker")

_EVERY_SECONDS = offers.TTL_SECONDS / 6


class Announcer:
    """A thread that announces; `offer` is asked for each time, since what is busy changes."""

    def __init__(self, redis_url: str, offer: Callable[[], WorkerOffer]) -> None:
        self._redis_url = redis_url
        self._offer = offer
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sendoff-announcer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Stop, and say that the worker is gone."""
        self._ended.set()
        self._thread.join(5)

    def _run(self) -> None:
        with connect(self._redis_url) as client:
            while True:
                try:
                    offers.announce(client, self._offer())
                except redis.RedisError as error:
                    log.warning("The worker's offer is not heard: %s", error, extra={"action": "worker.unheard"})
                if self._ended.wait(_EVERY_SECONDS):
                    break
            try:
                offers.withdraw(client, self._offer().worker)
            except redis.RedisError as error:
                log.warning("The worker could not say goodbye: %s", error, extra={"action": "worker.unheard"})
