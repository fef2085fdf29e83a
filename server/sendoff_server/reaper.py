"""What brings jobs on that nobody else would: lost workers, lost messages, jobs that wait for a worker to come.

One server process at a time does it, by a lock in Redis; any of them can take over.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter

from sendoff.states import JobState
from sendoff_store import jobs, offers, routing
from sendoff_store.errors import NoRuntime
from sendoff_store.offers import WorkerOffer
from sendoff_store.records import JobRecord

from .parts import Parts

log = logging.getLogger("sendoff.reaper")

_TICK_SECONDS = 2.0
_LOCK = "reaper:lock"
_LOCK_MS = 10_000
#: A message that no free worker took for so long is sent again; each time it waits twice as long.
_RESEND_SECONDS = 10.0
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"


class Reaper:
    """Looks after all jobs that have not ended; lives in one event loop."""

    def __init__(self, parts: Parts, *, tick_seconds: float = _TICK_SECONDS) -> None:
        self._parts = parts
        self._tick_seconds = tick_seconds
        self._token = secrets.token_hex(8)

    async def run(self) -> None:
        """Go on until cancelled; one bad moment does not end it."""
        while True:
            try:
                if await self._holds_lock():
                    await self.tick()
            except Exception as error:
                log.warning("Jobs could not be looked after: %s", error, extra={"action": "reaper.failed"})
            await asyncio.sleep(self._tick_seconds)

    async def tick(self) -> None:
        """Look after every active job once; those that run well cost next to nothing, however many they are."""
        live = await self._parts.offers()
        free: Counter[str] = Counter()
        for offer in live:
            for queue in offer.queues:
                free[queue] += max(offer.slots - offer.busy, 0)
        call = jobs.untended(stalled_seconds=self._parts.settings.stalled_seconds)
        for record in await self._parts.store.run(call):
            if record.state is JobState.QUEUED:
                await self._bring_on(record, live, free)
            else:
                await self._look_after(record)

    async def _holds_lock(self) -> bool:
        client = self._parts.redis
        if await client.set(_LOCK, self._token, nx=True, px=_LOCK_MS):
            return True
        return bool(await client.eval(_RENEW, 1, _LOCK, self._token, str(_LOCK_MS)))

    async def _look_after(self, record: JobRecord) -> None:
        settings = self._parts.settings
        outcome = await self._parts.store.run(
            jobs.recover_if_lost(record.id, retention_seconds=settings.retention_seconds)
        )
        if outcome in ("requeued", "gave_up"):
            log.warning(
                "Job %s lost its worker %s: %s", record.id, record.worker, outcome,
                extra={"action": f"job.worker_lost.{outcome}", "job": record.id},
            )  # fmt: skip
        if outcome == "requeued":
            await self._parts.send(record.id, record.queue)
        elif outcome == "not_lost":
            await self._parts.store.run(jobs.mark_stalled(record.id, after_seconds=settings.stalled_seconds))

    async def _bring_on(self, record: JobRecord, live: list[WorkerOffer], free: Counter[str]) -> None:
        route = await self._route(record, live)
        if route is None or not route.served:
            return
        if record.dispatched_at is None or record.queue != route.queue:
            await self._parts.send(record.id, route.queue)
            return
        # The message may be lost with the broker's memory. Where a slot is free and it is this job's turn, send it
        # again: a second message finds the lease taken and does nothing.
        waited = time.time() - record.dispatched_at
        patience = _RESEND_SECONDS * 2 ** max(record.dispatches - 1, 0)
        if waited > patience and (record.queue_position or 1) <= free[route.queue]:
            log.info("Job %s is sent again", record.id, extra={"action": "job.resend", "job": record.id})
            await self._parts.send(record.id, route.queue)

    async def _route(self, record: JobRecord, live: list[WorkerOffer]) -> routing.Route | None:
        """Where the job goes as workers come and go; what it waits for is told when that changes."""
        task = next((info for offer in live for info in offer.tasks if info.name == record.task), None)
        task = task or await offers.known_task(self._parts.redis, record.task)
        if task is None:
            return None
        try:
            route = routing.choose(task, needs=record.needs, offers=live)
        except NoRuntime:
            route = routing.waiting_for(record.needs)
        is_waiting = record.message.startswith("Waiting for a worker")
        if route.queue != record.queue or route.served == is_waiting:
            await self._parts.store.run(jobs.route(record.id, queue=route.queue, message=route.message))
        return route
