"""Who works and what waits, for the page of all jobs; an artist learns of no job of others."""

from __future__ import annotations

from typing import Any

from tests.server.conftest import SECRET, Server

from sendoff_server.auth import mint
from sendoff_store import jobs
from sendoff_store.records import NewJob


def ask(server: Server, person: str) -> dict[str, Any]:
    with server.http(person=person) as http:
        answer = http.get("/v1/workers")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_workers_say_what_they_have(server: Server) -> None:
    (worker,) = ask(server, "wanda")["workers"]
    assert (worker["name"], worker["slots"], worker["busy"], worker["series"]) == ("w", 1, 1, ["4.5"])
    assert {"name": "test.blend", "title": ""} in worker["tasks"]
    assert worker["queues"] == ["cpu", "blender-4.5"]


def test_an_artist_sees_which_jobs_are_the_own_and_a_td_sees_all(server: Server) -> None:
    own, others = server.submit(person="wanda"), server.submit(person="walter")
    for job in (own, others):
        server.take(job)
    (worker,) = ask(server, "wanda")["workers"]
    assert own in worker["jobs"]
    assert others not in worker["jobs"]
    token = mint(SECRET, person="tina", days=1, scope="studio")
    with server.http() as http:
        told = http.get("/v1/workers", headers={"Authorization": f"Bearer {token}"}).json()
    assert {own, others} <= set(told["workers"][0]["jobs"])


def test_a_queue_that_nobody_serves_is_listed(server: Server) -> None:
    job = NewJob(id="wandasjob1", task="test.plain", title="", owner="wanda", sid="s", queue="blender-9.9", message="")
    server.store.run(jobs.create(job, {"files": []}, idempotency_key=None, retention_seconds=100))
    queues = {queue["name"]: queue for queue in ask(server, "wanda")["queues"]}
    assert queues["blender-9.9"] == {"name": "blender-9.9", "waiting": 1, "workers": 0}
    assert queues["blender-4.5"]["workers"] == 1
    server.store.run(jobs.cancel(job.id, by="wanda", retention_seconds=100))
    assert "blender-9.9" not in {queue["name"] for queue in ask(server, "wanda")["queues"]}


def test_signed_out_nobody_is_told(server: Server) -> None:
    with server.http() as http:
        assert http.get("/v1/workers", headers={"Authorization": ""}).status_code == 401
