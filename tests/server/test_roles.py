"""What is somebody else's is not there for an artist, and is for a TD."""

from __future__ import annotations

import json

import pytest
from tests.server.conftest import SECRET, Server, events
from tests.server.test_requests import problem
from tests.server.test_sessions import PASSWORD, http, sign_in, socket, until_closed

from sendoff_server import passwords
from sendoff_server.auth import mint
from sendoff_store import people
from sendoff_store.people import Person

TD = mint(SECRET, person="tom", days=1, scope="jobs studio")


@pytest.fixture
def job(server: Server) -> str:
    """A job of ada's, which has a log."""
    made = server.submit(person="ada")
    server.store.redis.set(f"job:{made}:log", "hello\n")
    return made


def test_a_job_of_somebody_else_is_not_there_on_any_way(server: Server, job: str) -> None:
    with server.http(person="mallory", sid="mallory1") as mallory:
        for method, path in (
            ("GET", ""), ("GET", "/log"), ("GET", "/files/a"), ("POST", "/cancel"), ("POST", "/retry"), ("DELETE", ""),
        ):  # fmt: skip
            problem(mallory.request(method, f"/v1/jobs/{job}{path}"), 404)
        assert mallory.get("/v1/jobs").json()["jobs"] == []
        for query in ({"everyone": "true"}, {"person": "ada"}):
            assert "Only TDs" in problem(mallory.get("/v1/jobs", params=query), 403)["detail"]
    for hello in ({"jobs": [job]}, {"scope": "studio"}, {"scope": "person"}, {"after": {job: [0, 0]}}):
        with server.socket("/v1/events", person="mallory", sid="session1") as watching:
            watching.send(json.dumps(hello))
            told = events(watching, until=lambda event: event["kind"] == "heartbeat")
            assert [event["job"] for event in told] == [""], hello


def test_a_td_sees_and_steers_everybodys(server: Server, job: str) -> None:
    with http(server, TD) as td:
        assert td.get(f"/v1/jobs/{job}").json()["owner"] == "ada"
        assert td.get(f"/v1/jobs/{job}/log").text == "hello\n"
        for query in ({"everyone": "true"}, {"person": "ada"}):
            assert job in [one["id"] for one in td.get("/v1/jobs", params=query).json()["jobs"]]
        assert td.get("/v1/jobs").json()["jobs"] == []
        assert td.post(f"/v1/jobs/{job}/cancel").json()["state"] == "cancelled"


def test_a_td_is_told_of_everybodys_jobs_as_they_come(server: Server, job: str) -> None:
    with socket(server, TD) as watching:
        watching.send(json.dumps({"scope": "studio"}))
        told = events(watching, until=lambda event: event["kind"] == "heartbeat")
        assert job in [event["job"] for event in told]
        new = server.submit(person="bob", sid="bob1")
        events(watching, until=lambda event: event["job"] == new)
        server.take(new)
        server.report(new, 0.5, message="half")
        events(watching, until=lambda event: event["job"] == new and event["message"] == "half")


def test_who_is_no_td_any_more_is_told_nothing_more(server: Server, job: str) -> None:
    server.store.run(people.add(Person(name="former", role="td", password=passwords.hashed(PASSWORD))))
    with socket(server, sign_in(server, "former")["token"]) as watching:
        watching.send(json.dumps({"scope": "studio"}))
        told = events(watching, until=lambda event: event["kind"] == "heartbeat")
        assert job in [event["job"] for event in told]
        server.store.run(people.change("former", role="artist", token_seconds=3600))
        until_closed(watching, "1012")


def test_a_job_that_is_deleted_is_in_no_list(server: Server, job: str) -> None:
    with http(server, TD) as td:
        td.post(f"/v1/jobs/{job}/cancel")
        assert td.delete(f"/v1/jobs/{job}").status_code == 204
        assert job not in [one["id"] for one in td.get("/v1/jobs", params={"everyone": "true"}).json()["jobs"]]
    assert server.store.redis.zscore("all-jobs", job) is None
