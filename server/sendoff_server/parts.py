"""What the routes work with, made once per process."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import cast

import redis.asyncio
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from sendoff_store import jobs, offers
from sendoff_store.blobs import BlobStore
from sendoff_store.calls import AsyncStore
from sendoff_store.offers import WorkerOffer

from .dispatch import Dispatcher, DispatchFailed
from .hub import Hub
from .oidc import Provider
from .settings import ServerSettings

log = logging.getLogger("sendoff.server")

_OFFERS_SECONDS = 1.0


@dataclass
class Parts:
    """The server's parts; in `app.state.parts`."""

    settings: ServerSettings
    secret: str
    redis: redis.asyncio.Redis
    store: AsyncStore
    blobs: BlobStore
    hub: Hub
    dispatcher: Dispatcher
    #: Single sign-on, where there is one.
    oidc: Provider | None = None
    _offers: list[WorkerOffer] = field(default_factory=list)
    _offers_at: float = 0.0

    async def offers(self) -> list[WorkerOffer]:
        """What live workers offer, at most a second old."""
        if time.monotonic() - self._offers_at > _OFFERS_SECONDS or not self._offers:
            self._offers = await offers.live_offers(self.redis)
            self._offers_at = time.monotonic()
        return self._offers

    async def send(self, job: str, queue: str) -> bool:
        """Send a job's message to the broker; where that fails, the reaper does it later."""
        try:
            await run_in_threadpool(self.dispatcher.send, job, queue)
        except DispatchFailed as error:
            log.warning("Job %s is sent later. %s", job, error, extra={"action": "job.dispatch_failed", "job": job})
            return False
        await self.store.run(jobs.mark_dispatched(job))
        return True


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts of the app that a request or socket came to."""
    return cast(Parts, connection.app.state.parts)
