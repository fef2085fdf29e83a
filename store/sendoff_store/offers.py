"""What live workers offer: each announces itself with a time to live, so that a dead one is gone by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import redis
import redis.asyncio

_PREFIX = "worker:"
_KNOWN = "tasks:known"
TTL_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """A task as an add-on or a page needs to know it."""

    name: str
    title: str = ""
    description: str = ""
    #: File types it takes: "blend", "usd"; empty where it needs no scene.
    accepts: Sequence[str] = ()
    #: The parameters as JSON Schema (Draft 2020-12).
    params: Mapping[str, Any] = field(default_factory=dict)
    #: Whether it runs in Blender.
    blender: bool = False
    #: Whether it takes a scope: some objects of the scene instead of all.
    scoped: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TaskInfo:
        """Read what a worker announced; one of another version may know fewer things of a task, or more."""
        return cls(**{name: value for name, value in data.items() if name in cls.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class WorkerOffer:
    """What one worker can do right now."""

    worker: str
    tasks: Sequence[TaskInfo]
    queues: Sequence[str]
    #: Blender series it has, "4.5".
    series: Sequence[str]
    #: Jobs it runs at the same time, and how many it runs now.
    slots: int
    busy: int = 0
    version: str = ""
    #: What a Blender of it cannot read, by its series: {"4.2": ["usd"]}.
    lacks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: What its Blenders are kept in: "bubblewrap, without the network"; "" for nothing.
    sandbox: str = ""

    def to_json(self) -> str:
        """As Redis keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> WorkerOffer:
        """Read what Redis keeps; a worker of another version may say fewer things, or more."""
        data = {name: value for name, value in json.loads(text).items() if name in cls.__dataclass_fields__}
        data["tasks"] = [TaskInfo.from_dict(task) for task in data["tasks"]]
        return cls(**data)


def announce(client: redis.Redis, offer: WorkerOffer) -> None:
    """Say what a worker offers; it has to be said again before TTL_SECONDS are over."""
    with client.pipeline(transaction=True) as pipe:
        pipe.set(_PREFIX + offer.worker, offer.to_json(), ex=TTL_SECONDS)
        pipe.sadd("workers", offer.worker)
        for task in offer.tasks:
            pipe.hset(_KNOWN, task.name, json.dumps(asdict(task)))
        pipe.execute()


def withdraw(client: redis.Redis, worker: str) -> None:
    """Say that a worker is gone."""
    with client.pipeline(transaction=True) as pipe:
        pipe.delete(_PREFIX + worker)
        pipe.srem("workers", worker)
        pipe.execute()


def offers_now(client: redis.Redis) -> list[WorkerOffer]:
    """What all live workers offer, for a worker."""
    names = sorted(str(name) for name in client.smembers("workers"))
    texts = client.mget([_PREFIX + name for name in names]) if names else []
    return [WorkerOffer.from_json(text) for text in texts if text is not None]


async def live_offers(client: redis.asyncio.Redis) -> list[WorkerOffer]:
    """What all live workers offer."""
    names = sorted(str(name) for name in await client.smembers("workers"))
    if not names:
        return []
    texts = await client.mget([_PREFIX + name for name in names])
    gone = [name for name, text in zip(names, texts, strict=True) if text is None]
    if gone:
        await client.srem("workers", *gone)
    return [WorkerOffer.from_json(text) for text in texts if text is not None]


async def known_task(client: redis.asyncio.Redis, name: str) -> TaskInfo | None:
    """A task as it was announced last, by whichever worker; None where nobody ever offered it."""
    text = await client.hget(_KNOWN, name)
    return TaskInfo.from_dict(json.loads(text)) if text else None


async def known_names(client: redis.asyncio.Redis) -> list[str]:
    """The names of all tasks that were ever offered here."""
    return sorted(str(name) for name in await client.hkeys(_KNOWN))


def offers_of(offers: Iterable[WorkerOffer], task: str) -> list[WorkerOffer]:
    """The workers that offer a task."""
    return [offer for offer in offers if any(info.name == task for info in offer.tasks)]
