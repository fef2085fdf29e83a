"""A job's log: read from where one was, and its growth is pushed to those who watch the job."""

from __future__ import annotations

import json

import pytest
from tests.server.conftest import Server, events
from tests.server.test_requests import problem

from sendoff import Client
from sendoff.events import EventKind
from sendoff.states import JobState
from sendoff_store import jobs


def write(server: Server, job: str, text: str, token: str = "attempt1") -> bool:
    return server.store.run(jobs.append_log(job, token=token, text=text, retention_seconds=100))


@pytest.fixture
def job(server: Server) -> str:
    job = server.submit()
    server.take(job)
    return job


def test_the_log_is_read_from_where_one_was(server: Server, job: str) -> None:
    assert write(server, job, "one ä\n")
    assert write(server, job, "two\n")
    with server.http() as http:
        path = f"/v1/jobs/{job}/log"
        assert http.get(path).content == "one ä\ntwo\n".encode()
        assert http.get(path, params={"after": 7}).content == b"two\n"
        assert http.get(path, params={"after": 5}).content == b"\xa4\ntwo\n", "within a character"
        assert http.get(path, params={"after": 11}).content == b""
        assert http.get(path, params={"after": 10**9}).content == b""
        for wrong in ("-1", "x", str(1 << 80)):
            problem(http.get(path, params={"after": wrong}), 422)


def test_who_watches_a_job_is_told_that_its_log_grows_and_who_watches_all_is_not(server: Server, job: str) -> None:
    with server.socket(f"/v1/jobs/{job}/events") as one, server.socket("/v1/events") as many:
        many.send(json.dumps({"scope": "person"}))
        events(one, until=lambda event: event["kind"] == "snapshot")
        events(many, until=lambda event: event["kind"] == "heartbeat")
        write(server, job, "a line\n")
        told = events(one, until=lambda event: event["kind"] == "log")[-1]
        assert told["job"] == job
        seq = server.report(job, 0.5, state=JobState.RUNNING)
        assert told["seq"] == seq - 1, "it is no event of its own that could be missed"
        assert events(one, until=lambda event: event["kind"] != "heartbeat")[-1]["seq"] == seq
        found = events(many, until=lambda event: event.get("fraction") == 0.5)
        assert "log" not in {event["kind"] for event in found}


def test_an_attempt_that_was_replaced_writes_no_log(server: Server, job: str) -> None:
    assert write(server, job, "mine\n")
    assert not write(server, job, "stale\n", token="attempt0")
    with server.http() as http:
        assert http.get(f"/v1/jobs/{job}/log").text == "mine\n"


def test_a_client_of_before_takes_no_notice(server: Server, job: str) -> None:
    with Client(server.url, server.token()) as client:
        stream = client.watch(job)
        next(stream)
        write(server, job, "a line\n")
        server.report(job, 0.25, state=JobState.RUNNING)
        kinds = []
        for event in stream:
            kinds.append(getattr(event, "kind", None))
            if getattr(event, "fraction", None) == 0.25:
                break
    assert EventKind.LOG not in kinds


def test_a_state_event_names_the_worker(server: Server, job: str) -> None:
    again = server.submit()
    with server.socket(f"/v1/jobs/{again}/events") as socket:
        events(socket, until=lambda event: event["kind"] == "snapshot")
        server.take(again)
        assert events(socket, until=lambda event: event["state"] == "starting")[-1]["worker"] == "w"
