"""A job that waits goes to another queue as workers come and go; the reaper of a real server looks after it."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest
from tests.server.conftest import Server
from tests.stack import wait_for

from sendoff_store import jobs, offers
from sendoff_store.offers import TaskInfo, WorkerOffer
from sendoff_store.records import JobRecord, NewJob
from sendoff_store.routing import queues_of
from sendoff_store.scene_needs import SceneNeeds

OLD = SceneNeeds(kind="blend", series="2.60", big_endian=True)


@pytest.fixture
def waiting(server: Server):  # type: ignore[no-untyped-def]
    """Makes a queued job in a queue that nobody serves, and tells how it is."""
    made: list[str] = []

    def make(needs: SceneNeeds) -> str:
        job = NewJob(
            id=secrets.token_hex(8), task="test.blend", title="old", owner="ada", sid="s", queue="nobody", message="",
            needs=needs,
        )  # fmt: skip
        server.store.run(jobs.create(job, {"files": []}, idempotency_key=None, retention_seconds=1000))
        made.append(job.id)
        return job.id

    yield make
    for job in made:
        server.store.run(jobs.cancel(job, by="ada", retention_seconds=10))


def record(server: Server, job: str) -> JobRecord:
    found = server.store.run(jobs.snapshot(job))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("needs", "queue", "message"),
    [
        (SceneNeeds(kind="blend", series="4.5"), "blender-4.5", "Queued"),
        (OLD, "blender-4.5", "Queued"),
        (SceneNeeds(kind="blend", series="9.9"), "blender-9.9", "Waiting for a worker with Blender 9.9 or newer"),
        (
            replace(OLD, unable=("4.5",)),
            "blender-big-endian",
            "Waiting for a worker with another Blender than 4.5",
        ),
    ],
)
def test_a_job_goes_where_a_blender_reads_its_scene_or_says_what_it_waits_for(  # type: ignore[no-untyped-def]
    server: Server, waiting, needs: SceneNeeds, queue: str, message: str
) -> None:
    job = waiting(needs)
    wait_for(lambda: record(server, job).queue == queue, "the way to its queue", seconds=20)
    wait_for(lambda: record(server, job).message == message, "what it waits for", seconds=20)


def test_a_job_is_brought_on_by_a_worker_that_comes_later(server: Server, waiting) -> None:  # type: ignore[no-untyped-def]
    job = waiting(replace(OLD, unable=("4.5",)))
    wait_for(lambda: record(server, job).message.startswith("Waiting for a worker"), "the wait", seconds=20)
    task = TaskInfo(name="test.blend", accepts=["blend"], blender=True)
    late = WorkerOffer(worker="late", tasks=[task], queues=queues_of([("4.2", ())]), series=["4.2"], slots=1)
    offers.announce(server.store.redis, late)
    try:
        wait_for(lambda: record(server, job).dispatched_at is not None, "the message", seconds=20)
        assert (record(server, job).queue, record(server, job).message) == ("blender-4.2", "Queued")
    finally:
        offers.withdraw(server.store.redis, "late")
