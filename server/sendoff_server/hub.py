"""Progress from Redis to sockets: one PubSub for the whole process, routed in memory.

A published message is a wake-up and never trusted alone. Whatever the subscription missed is read from the
job's stream: when the subscription was made again, when a message's number shows a hole, and every few seconds
for all watched jobs, in case nothing follows the hole.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
import time
from functools import partial
from typing import Any

import orjson
import redis.asyncio

from sendoff.errors import InputError
from sendoff.events import Event, EventKind
from sendoff.protocol import (
    CLOSE_NOT_FOUND,
    CLOSE_SERVER_RESTARTS,
    CLOSE_SIGN_IN_REQUIRED,
    CLOSE_TOO_SLOW,
    HEARTBEAT_SECONDS,
)
from sendoff.states import JobState
from sendoff_store import jobs, people
from sendoff_store.calls import AsyncStore
from sendoff_store.connections import connect_listening_async

from .cancelling import end
from .watcher import Overflow, Step, Watcher

log = logging.getLogger("sendoff.hub")

#: All jobs' channels: `progress:<session>:<job>`.
PATTERN = "progress:*"
_CANARY = "canary"
_VERIFY_SECONDS = 5.0
_VERIFY_SESSIONS_SECONDS = 30.0
_BEAT_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0
_REASONS = {
    "epoch": "The server's record of this job began anew.",
    "ahead": "The server lost the newest part of this job's record.",
    "trimmed": "More was missed than the server keeps.",
}


class Hub:
    """Fans events out to watchers; lives in one event loop."""

    def __init__(self, store: AsyncStore, redis_url: str) -> None:
        self._store = store
        self._redis_url = redis_url
        self._by_job: dict[str, set[Watcher]] = {}
        self._by_sid: dict[str, set[Watcher]] = {}
        self._by_person: dict[str, set[Watcher]] = {}
        #: Those of everybody's jobs.
        self._of_all: set[Watcher] = set()
        #: Those that are told heartbeats.
        self._alive: set[Watcher] = set()
        self._seen: dict[str, tuple[int, int]] = {}
        self._owners: dict[str, str] = {}
        self._canaries: dict[str, asyncio.Event] = {}
        self._subscribed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to listen."""
        self._tasks = [
            asyncio.create_task(run()) for run in (self._listen, self._verify, self._verify_sessions, self._beat)
        ]

    async def stop(self) -> None:
        """End, and have every socket closed so that its client comes back to the next server."""
        await end(*self._tasks)
        for watcher in self._all():
            watcher.close(CLOSE_SERVER_RESTARTS)

    @property
    def watchers(self) -> int:
        """How many sockets are open."""
        return len(self._all())

    async def is_live(self, timeout_seconds: float) -> bool:
        """Whether a message that is published now comes back through the subscription."""
        token = secrets.token_hex(8)
        arrived = self._canaries[token] = asyncio.Event()
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._store.redis.publish(f"progress:{_CANARY}:{token}", "{}")
                await arrived.wait()
        except (TimeoutError, redis.exceptions.RedisError):
            return False
        else:
            return True
        finally:
            del self._canaries[token]

    def register(self, watcher: Watcher) -> None:
        """Have a watcher of a session, of a person or of everybody told of jobs that are made from now on."""
        if watcher.is_of_all:
            self._of_all.add(watcher)
        if watcher.sid is not None:
            self._by_sid.setdefault(watcher.sid, set()).add(watcher)
        if watcher.person is not None:
            self._by_person.setdefault(watcher.person, set()).add(watcher)

    async def attach(self, watcher: Watcher, job: str, *, after: int | None = None, epoch: int | None = None) -> bool:
        """Tell a watcher a job's snapshot, what it missed after `after`, and from then on all that happens.

        The order is what makes it safe: live events are held first, then snapshot and stream are read as of one
        moment, then what was held and is newer follows. Returns whether there is such a job.
        """
        watcher.open_feed(job)
        self._by_job.setdefault(job, set()).add(watcher)
        await self._subscribed.wait()
        caught = await self._store.run(jobs.catch_up(job, after=after, epoch=epoch))
        if caught is None:
            self._detach(watcher, job)
            return False
        record = caught.record
        self._owners[job] = record.owner
        self._seen.setdefault(job, (record.epoch, record.seq))
        if caught.reason == "recovered":
            snapshot = record.to_event(after=after, recovered=True)
        elif caught.reason == "snapshot":
            snapshot = record.to_event()
        else:
            snapshot = record.to_event(recovered=False, reason=_REASONS[caught.reason])
        self._guard(watcher, lambda: watcher.snapshot(snapshot, list(caught.events)))
        return True

    def keep_alive(self, watcher: Watcher, *, session: tuple[str, str], expires_at: float) -> None:
        """Tell a watcher heartbeats, and close it when its sign-in ends.

        Args:
            watcher: Of an open socket.
            session: The session that it was opened with, and its person.
            expires_at: Unix time in seconds; infinite for one that goes on until it is ended.
        """
        watcher.session, watcher.expires_at = session, expires_at
        # Spread, so that a thousand sockets that came back at once are not all told at once.
        watcher.heartbeat_at = asyncio.get_running_loop().time() + HEARTBEAT_SECONDS * random.uniform(0.1, 0.9)
        self._alive.add(watcher)

    def leave(self, watcher: Watcher) -> None:
        """Forget a watcher."""
        self._alive.discard(watcher)
        self._of_all.discard(watcher)
        for job in list(watcher.feeds):
            self._detach(watcher, job)
        for index, key in ((self._by_sid, watcher.sid), (self._by_person, watcher.person)):
            if key is not None and key in index:
                index[key].discard(watcher)
                if not index[key]:
                    del index[key]

    def _detach(self, watcher: Watcher, job: str) -> None:
        watcher.feeds.pop(job, None)
        watching = self._by_job.get(job)
        if watching is not None:
            watching.discard(watcher)
            if not watching:
                del self._by_job[job]
                self._seen.pop(job, None)
                self._owners.pop(job, None)

    def _all(self) -> set[Watcher]:
        found = set(self._of_all)
        for index in (self._by_job, self._by_sid, self._by_person):
            found.update(*index.values())
        return found

    def _guard(self, watcher: Watcher, push: Any) -> None:
        try:
            push()
        except Overflow:
            watcher.close(CLOSE_TOO_SLOW)

    async def _listen(self) -> None:
        """Keep one subscription; whatever breaks it, make a new one and catch up."""
        pause = 0.2
        while True:
            client = connect_listening_async(self._redis_url)
            try:
                async with client.pubsub() as subscription:
                    await subscription.subscribe(people.ENDED_CHANNEL)
                    await subscription.psubscribe(PATTERN)
                    while True:
                        message = await subscription.get_message(timeout=30)
                        if message is None:
                            continue
                        if message["type"] == "psubscribe":
                            pause = 0.2
                            self._subscribed.set()
                            await self._catch_up_all()
                        elif message["type"] == "pmessage":
                            await self._take(message["channel"], message["data"])
                        elif message["type"] == "message":
                            self._sign_out(orjson.loads(message["data"]))
            except Exception as error:  # one bad moment must not end the loop
                log.warning("The subscription broke and is made again: %s", error, extra={"action": "hub.resubscribe"})
            finally:
                self._subscribed.clear()
                with contextlib.suppress(Exception):
                    await client.aclose()
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _take(self, channel: str, text: str) -> None:
        _, sid, job = channel.split(":", 2)
        if sid == _CANARY:
            if job in self._canaries:
                self._canaries[job].set()
            return
        if self._by_person or self._of_all or sid in self._by_sid:
            await self._introduce(sid, job)
        if job not in self._by_job:
            return
        try:
            step = Step.from_json(text)
        except InputError:
            log.exception("An event of job %s cannot be read", job, extra={"action": "hub.bad_event", "job": job})
            return
        if step.kind == EventKind.LOG.value:
            for watcher in tuple(self._by_job[job]):
                if not watcher.is_of_many:
                    self._guard(watcher, partial(watcher.hint, step.job, text))
            return
        epoch, seq = self._seen.get(job, (step.epoch, step.seq - 1))
        if step.epoch != epoch or step.seq > seq + 1:
            await self._catch_up(job)
            return
        if step.seq == seq + 1:
            self._deliver(step, text)

    async def _introduce(self, sid: str, job: str) -> None:
        """Attach those who watch a whole session, a person or everybody to a job that is new to them."""
        new = {watcher for watcher in (*self._by_sid.get(sid, ()), *self._of_all) if job not in watcher.feeds}
        if self._by_person:
            owner = await self._owner(job)
            new |= {watcher for watcher in self._by_person.get(owner, ()) if job not in watcher.feeds}
        for watcher in new:
            await self.attach(watcher, job)

    async def _owner(self, job: str) -> str:
        if job not in self._owners:
            record = await self._store.run(jobs.snapshot(job))
            if record is None:
                return ""
            if len(self._owners) > 10_000:
                self._owners.clear()
            self._owners[job] = record.owner
        return self._owners[job]

    def _deliver(self, step: Step, text: str) -> None:
        self._seen[step.job] = (step.epoch, step.seq)
        for watcher in tuple(self._by_job.get(step.job, ())):
            self._guard(watcher, lambda watcher=watcher: watcher.live(step, text))

    async def _catch_up(self, job: str) -> None:
        """Read from the stream what the subscription did not bring."""
        epoch, seq = self._seen.get(job, (0, 0))
        caught = await self._store.run(jobs.catch_up(job, after=seq, epoch=epoch))
        if caught is None:
            for watcher in tuple(self._by_job.get(job, ())):
                watcher.close(CLOSE_SERVER_RESTARTS if watcher.is_of_many else CLOSE_NOT_FOUND)
                self._detach(watcher, job)
            return
        if caught.reason == "recovered":
            for event in caught.events:
                self._deliver(Step(event.job, event.epoch, event.seq, event.kind.value, event.stage), event.to_json())
            return
        # A hole that cannot be filled is said, never hidden: a snapshot that tells why.
        record = caught.record
        self._seen[job] = (record.epoch, record.seq)
        snapshot = record.to_event(recovered=False, reason=_REASONS.get(caught.reason, "Some progress was lost."))
        for watcher in tuple(self._by_job.get(job, ())):
            if watcher.feeds[job].held is None:
                self._guard(watcher, lambda watcher=watcher: watcher.snapshot(snapshot, []))

    async def _catch_up_all(self) -> None:
        for job in list(self._by_job):
            if job in self._seen:
                await self._catch_up(job)

    async def _verify(self) -> None:
        """Every few seconds, see that no watched job is further than what was told (G4)."""
        while True:
            await asyncio.sleep(_VERIFY_SECONDS)
            try:
                watched = [job for job in self._by_job if job in self._seen]
                if not watched:
                    continue
                before = dict(self._seen)
                found = await self._store.run(jobs.seqs(watched))
                for job in watched:
                    if job in self._seen and found.get(job) != before[job] and self._seen[job] == before[job]:
                        await self._catch_up(job)
            except Exception as error:
                log.warning("Watched jobs could not be verified: %s", error, extra={"action": "hub.verify"})

    def _sign_out(self, ended: dict[str, str]) -> None:
        """Close the sockets of a session that was ended, of a person who is disabled, or whose role is another one."""
        for watcher in tuple(self._alive):
            sid, person = watcher.session
            if watcher.is_of_all and person == ended.get("role_of"):
                watcher.close(CLOSE_SERVER_RESTARTS)  # it comes back, and is told what it may know now
            if sid == ended.get("sid") or person == ended.get("person"):
                watcher.close(CLOSE_SIGN_IN_REQUIRED)

    async def _verify_sessions(self) -> None:
        """Now and then, see that every socket's session still is one: its end may have been told to nobody."""
        while True:
            await asyncio.sleep(_VERIFY_SESSIONS_SECONDS)
            try:
                for sid, person in {one.session for one in self._alive if one.expires_at == float("inf")}:
                    checked = await self._store.run(people.check(sid, person=person, is_session=True))
                    if checked.outcome != "good":
                        self._sign_out({"sid": sid})
            except Exception as error:
                log.warning("Sessions could not be verified: %s", error, extra={"action": "hub.verify_sessions"})

    async def _beat(self) -> None:
        """Heartbeats for all sockets from one clock: a timer for each would cost as much as what it watches."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            now, unix_now, text = loop.time(), time.time(), heartbeat_text()
            for watcher in tuple(self._alive):
                if now < watcher.heartbeat_at:
                    continue
                watcher.heartbeat_at = now + HEARTBEAT_SECONDS - 2 * _BEAT_SECONDS
                if unix_now > watcher.expires_at:
                    watcher.close(CLOSE_SIGN_IN_REQUIRED)
                else:
                    self._guard(watcher, partial(watcher.heartbeat, text))


def heartbeat_text() -> str:
    """A heartbeat; the first one on a socket of many jobs marks the end of the snapshots."""
    return Event(job="", kind=EventKind.HEARTBEAT, state=JobState.QUEUED, at=round(time.time(), 3)).to_json()
