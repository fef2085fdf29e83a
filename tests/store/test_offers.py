from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import pytest
import redis
import redis.asyncio

from sendoff_store import offers
from sendoff_store.offers import TaskInfo, WorkerOffer

LODS = TaskInfo(name="mesh.lods", accepts=["blend"], blender=True, scoped=True)


def offer(*tasks: TaskInfo) -> WorkerOffer:
    return WorkerOffer(worker="w1", tasks=tasks, queues=["cpu"], series=["4.5"], slots=2)


def test_an_offer_is_read_as_it_was_written() -> None:
    read = WorkerOffer.from_json(offer(LODS).to_json())
    assert list(read.tasks) == [LODS]
    assert (read.worker, read.slots) == ("w1", 2)


@pytest.mark.parametrize(("lacks", "more"), [("scoped", {}), ("", {"of_a_later_version": [1]})])
def test_a_task_of_a_worker_of_another_version_is_read(lacks: str, more: dict[str, object]) -> None:
    task = {name: value for name, value in asdict(LODS).items() if name != lacks} | more
    (read,) = WorkerOffer.from_json(json.dumps(asdict(offer()) | {"tasks": [task]})).tasks
    assert (read.name, read.blender, read.scoped) == ("mesh.lods", True, lacks != "scoped")


def test_a_worker_of_another_version_is_read() -> None:
    """A server that is not yet updated, or that is before its workers."""
    said = asdict(offer(LODS)) | {"sandbox": "bubblewrap, without the network", "of_a_later_version": 1}
    assert WorkerOffer.from_json(json.dumps(said)).sandbox == "bubblewrap, without the network"
    del said["sandbox"]
    assert WorkerOffer.from_json(json.dumps(said)).sandbox == ""


async def of_known(url: str, name: str) -> TaskInfo | None:
    async with redis.asyncio.from_url(url, decode_responses=True) as client:
        return await offers.known_task(client, name)


def test_a_task_stays_known_when_its_worker_has_gone(client: redis.Redis, valkey_url: str) -> None:
    offers.announce(client, offer(LODS))
    offers.withdraw(client, "w1")
    assert asyncio.run(of_known(valkey_url, "mesh.lods")) == LODS
    assert asyncio.run(of_known(valkey_url, "mesh.nothing")) is None
