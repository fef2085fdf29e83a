"""What one socket still has to be told: a bounded queue in which old progress makes way for new.

Pure: no socket, no Redis. State, file and log events wait in order, at most 256 of them; of a job's progress
events in a row only the newest of each stage waits, and says for how many it stands. To a socket that is far behind,
the stages that are over are no news either.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from sendoff.errors import InputError
from sendoff.events import Event, EventKind

MOST_WAITING = 256
#: Where more waits, progress makes way for progress of the next stage as well.
_FAR_BEHIND = MOST_WAITING // 4
_PROGRESS = EventKind.PROGRESS.value


class Step(NamedTuple):
    """What has to be known of a live event to pass its text on."""

    job: str
    epoch: int
    seq: int
    kind: str
    stage: str = ""

    @classmethod
    def from_json(cls, text: str) -> Step:
        """Read an event as published; raises InputError where it is none."""
        try:
            event = orjson.loads(text)
            stage = str(event.get("stage", ""))
            return cls(str(event["job"]), int(event["epoch"]), int(event["seq"]), str(event["kind"]), stage)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"What was published is no event: {error!r}") from error


@dataclass(slots=True)
class _Waiting:
    text: str
    seq: int
    stage: str = ""
    conflated: int = 0


@dataclass(slots=True)
class _Feed:
    """How far a socket has been told of one job; while `held` is a list, live events wait for the snapshot."""

    epoch: int = 0
    seq: int = 0
    held: list[tuple[Step, str]] | None = field(default_factory=list)
    progress: _Waiting | None = None


class Overflow(Exception):
    """More waits than a socket may fall behind."""


class Watcher:
    """The events that wait for one socket; used from one event loop."""

    __slots__ = (
        "_caught_up", "_hints", "_waiting", "closed", "expires_at", "feeds", "heartbeat_at", "is_of_all", "person",
        "session", "sid", "wake",
    )  # fmt: skip

    def __init__(self, *, sid: str | None = None, person: str | None = None) -> None:
        #: A watcher of a whole session or of a person, else None and None.
        self.sid = sid
        self.person = person
        #: One of everybody's jobs.
        self.is_of_all = False
        self.feeds: dict[str, _Feed] = {}
        #: Set when something waits, or the watcher is closed.
        self.wake = asyncio.Event()
        #: The close code, once the socket has to go.
        self.closed: int | None = None
        #: When the sign-in ends, as Unix time in seconds; that of a session goes on until it is ended.
        self.expires_at = float("inf")
        #: Session and person that the socket was opened with.
        self.session = ("", "")
        #: When the next heartbeat is due, by the event loop's clock.
        self.heartbeat_at = 0.0
        self._waiting: deque[_Waiting] = deque()
        self._caught_up = 0
        self._hints: dict[str, _Waiting] = {}

    @property
    def is_of_many(self) -> bool:
        """Whether it is of more than jobs that were named."""
        return self.is_of_all or self.sid is not None or self.person is not None

    def open_feed(self, job: str) -> None:
        """Begin to take a job's live events; they wait until `snapshot` says from where on they are news."""
        self.feeds.setdefault(job, _Feed())

    def snapshot(self, snapshot: Event, missed: list[Event]) -> None:
        """Tell a job's snapshot and what was missed, then let live events through."""
        feed = self.feeds[snapshot.job]
        is_known = feed.held is None and snapshot.epoch == feed.epoch and snapshot.seq <= feed.seq
        if is_known and snapshot.recovered is not False:
            return  # two ways led to this job at the same time, and the other one was further
        # What is caught up is bounded by the stream's length and is no sign of falling behind.
        self._waiting.append(_Waiting(snapshot.to_json(), snapshot.seq))
        self._waiting.extend(_Waiting(_recovered(event), event.seq) for event in missed)
        self._caught_up += 1 + len(missed)
        self.wake.set()
        feed.epoch = snapshot.epoch
        feed.seq = missed[-1].seq if missed else snapshot.seq
        held, feed.held = feed.held or [], None
        for step, text in held:
            self.live(step, text)

    def live(self, step: Step, text: str) -> None:
        """Tell a live event; what the socket was told before is dropped. Raises Overflow."""
        feed = self.feeds[step.job]
        if feed.held is not None:
            feed.held.append((step, text))
            return
        if step.epoch == feed.epoch and step.seq <= feed.seq:
            return
        feed.epoch, feed.seq = step.epoch, step.seq
        if step.kind == _PROGRESS:
            waiting = feed.progress
            if waiting is not None and (waiting.stage == step.stage or len(self._waiting) > _FAR_BEHIND):
                waiting.text, waiting.seq, waiting.stage = text, step.seq, step.stage
                waiting.conflated += 1
                return
            feed.progress = _Waiting(text, step.seq, step.stage)
            self._push(feed.progress)
            return
        feed.progress = None
        self._push(_Waiting(text, step.seq))

    def hint(self, job: str, text: str) -> None:
        """Tell that a job's log has grown; one word of it waits at a time."""
        if job not in self._hints and self.feeds[job].held is None:
            self._hints[job] = _Waiting(text, 0)
            self._push(self._hints[job])

    def heartbeat(self, text: str) -> None:
        """Tell that the server is there."""
        self._push(_Waiting(text, 0))

    def next_text(self) -> str | None:
        """What is to be sent next, or None."""
        if not self._waiting:
            self.wake.clear()
            if self.closed is not None:
                self.wake.set()
            return None
        waiting = self._waiting.popleft()
        self._caught_up = max(self._caught_up - 1, 0)
        for job, hint in self._hints.items():
            if hint is waiting:
                del self._hints[job]
                return waiting.text
        for feed in self.feeds.values():
            if feed.progress is waiting:
                feed.progress = None
                break
        if waiting.conflated:
            return f'{waiting.text[:-1]},"conflated":{waiting.conflated}}}'
        return waiting.text

    def close(self, code: int) -> None:
        """Have the socket closed once what waits is sent."""
        self.closed = code
        self.wake.set()

    def _push(self, waiting: _Waiting) -> None:
        if len(self._waiting) - self._caught_up >= MOST_WAITING:
            raise Overflow
        self._waiting.append(waiting)
        self.wake.set()


def _recovered(event: Event) -> str:
    return f'{event.to_json()[:-1]},"recovered":true}}'
