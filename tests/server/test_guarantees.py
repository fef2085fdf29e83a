"""The guarantees of the wire contract, G1 to G7, each on the real server and a real Valkey."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path

import pytest
from tests.server.conftest import Server, announced, events, serving
from tests.stack import wait_for
from websockets.exceptions import ConnectionClosed

from sendoff.states import JobState
from sendoff_store import jobs
from sendoff_store.embedded import EmbeddedValkey


def _running(server: Server, reports: int) -> str:
    job = server.submit()
    server.take(job)
    for number in range(reports):
        server.report(job, (number + 1) / 100, state=JobState.RUNNING, message=f"Step {number + 1}")
    return job


def _finish(server: Server, job: str, token: str = "attempt1") -> None:
    server.store.run(
        jobs.finish(job, token=token, state=JobState.SUCCEEDED, message="Done", result={"files": []},
                    retention_seconds=7 * 86400)
    )  # fmt: skip


def test_g1_the_first_message_is_a_full_snapshot_with_the_queue_position(server: Server) -> None:
    first, second = server.submit(), server.submit()
    with server.socket(f"/v1/jobs/{second}/events") as socket:
        (snapshot,) = events(socket, until=lambda event: True)
    assert snapshot["kind"] == "snapshot"
    assert snapshot["state"] == "queued"
    assert snapshot["queue_position"] >= 2
    job = _running(server, 3)
    with server.socket(f"/v1/jobs/{job}/events") as socket:
        (snapshot,) = events(socket, until=lambda event: True)
    assert (snapshot["kind"], snapshot["fraction"], snapshot["message"]) == ("snapshot", 0.03, "Step 3")
    assert first != second


def test_g2_every_missed_event_comes_once_and_in_order(server: Server) -> None:
    job = _running(server, 10)
    with server.socket(f"/v1/jobs/{job}/events?after=4") as socket:
        found = events(socket, until=lambda event: event["seq"] == 12 and event["kind"] != "snapshot")
    snapshot, missed = found[0], found[1:]
    assert (snapshot["kind"], snapshot["recovered"], snapshot["after"]) == ("snapshot", True, 4)
    assert [event["seq"] for event in missed] == list(range(5, 13))
    assert all(event["recovered"] for event in missed)


@pytest.mark.parametrize(("query", "word"), [("after=99999", "newest"), ("after=3&epoch=12345", "anew")])
def test_g3_what_cannot_be_recovered_is_said_with_the_reason(server: Server, query: str, word: str) -> None:
    job = _running(server, 5)
    with server.socket(f"/v1/jobs/{job}/events?{query}") as socket:
        (snapshot,) = events(socket, until=lambda event: True)
    assert snapshot["recovered"] is False
    assert word in snapshot["reason"]
    assert snapshot["fraction"] == 0.05


def test_g3_a_trimmed_stream_is_said(server: Server) -> None:
    job = _running(server, 5)
    server.store.redis.xtrim(f"job:{job}:events", maxlen=2, approximate=False)
    with server.socket(f"/v1/jobs/{job}/events?after=1") as socket:
        (snapshot,) = events(socket, until=lambda event: True)
    assert snapshot["recovered"] is False
    assert "More was missed" in snapshot["reason"]


def test_g4_no_gap_though_redis_drops_the_subscription_again_and_again(server: Server) -> None:
    job = server.submit()
    server.take(job)
    with server.socket(f"/v1/jobs/{job}/events") as socket:
        events(socket, until=lambda event: event["kind"] == "snapshot")

        def work() -> None:
            for number in range(60):
                if number % 10 == 5:
                    server.store.redis.client_kill_filter(_type="pubsub")
                server.report(job, number / 60, state=JobState.RUNNING, message=f"Step {number}")
                time.sleep(0.01)  # a task's own pace
            _finish(server, job)

        worker = threading.Thread(target=work)
        worker.start()
        found = events(socket, until=lambda event: event["state"] == "succeeded", seconds=30)
        worker.join(10)
    last = 2
    for event in found:
        if event["kind"] == "heartbeat":
            continue
        assert event["seq"] == last + 1 + event.get("conflated", 0), "a gap that nothing explains"
        last = event["seq"]


def test_g4_a_last_event_whose_message_was_lost_arrives_within_ten_seconds(server: Server) -> None:
    job = _running(server, 2)
    with server.socket(f"/v1/jobs/{job}/events") as socket:
        events(socket, until=lambda event: event["kind"] == "snapshot")
        # The subscription is made again only after the event was published: nobody hears of it.
        server.store.redis.client_kill_filter(_type="pubsub")
        server.report(job, 0.5, message="unheard")
        begun = time.monotonic()
        found = events(socket, until=lambda event: event.get("message") == "unheard", seconds=12)
    assert time.monotonic() - begun < 10
    assert found[-1]["seq"] == 5


def test_g5_a_final_state_reaches_later_connections_and_never_reverts(server: Server) -> None:
    job = _running(server, 2)
    _finish(server, job)
    late = server.store.run(jobs.report(job, token="attempt1", lease_seconds=25, fraction=0.1, state=JobState.RUNNING))
    assert isinstance(late, jobs.Refused)
    again = server.store.run(
        jobs.take_lease(job, token="attempt2", worker="w", lease_seconds=25, retention_seconds=1000)
    )
    assert again == jobs.Refused("final")
    for _ in range(2):
        with server.socket(f"/v1/jobs/{job}/events") as socket:
            (snapshot,) = events(socket, until=lambda event: True)
        assert snapshot["state"] == "succeeded"
    assert server.store.redis.ttl(f"job:{job}") > 6 * 86400


def test_g6_what_a_client_has_is_not_sent_again_on_the_same_connection(server: Server) -> None:
    job = server.submit()
    server.take(job)
    ended = threading.Event()

    def work() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            server.report(job, 0.5, state=JobState.RUNNING, message=f"Step {number}")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(10):  # connecting in the middle of it is where a duplicate could slip in
            with server.socket(f"/v1/jobs/{job}/events?after=1") as socket:
                found = events(socket, until=lambda event: event["kind"] != "snapshot" and "recovered" not in event)
            numbers = [event["seq"] for event in found if event["kind"] not in ("snapshot", "heartbeat")]
            assert numbers == sorted(set(numbers))
    finally:
        ended.set()
        worker.join(10)


def test_g7_a_heartbeat_comes_within_fifteen_seconds_of_silence(server: Server) -> None:
    job = server.submit()
    with server.socket(f"/v1/jobs/{job}/events") as socket:
        events(socket, until=lambda event: event["kind"] == "snapshot")
        begun = time.monotonic()
        events(socket, until=lambda event: event["kind"] == "heartbeat", seconds=16)
    assert time.monotonic() - begun < 15


def test_events_of_a_restarted_server_go_on_where_the_old_one_ended(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    with serving(valkey.url, tmp_path) as first, announced(first.store.redis):
        port = int(first.url.rpartition(":")[2])
        job = _running(first, 5)
        with first.socket(f"/v1/jobs/{job}/events") as socket:
            seq = events(socket, until=lambda event: event["kind"] == "snapshot")[-1]["seq"]
            first.process.terminate()
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        first.process.wait(10)
        for number in range(5):
            first.report(job, 0.5 + number / 100)
    with serving(valkey.url, tmp_path, port) as second:
        with second.socket(f"/v1/jobs/{job}/events?after={seq}") as socket:
            found = events(socket, until=lambda event: event["seq"] == seq + 5 and event["kind"] != "snapshot")
        assert [event["seq"] for event in found[1:]] == list(range(seq + 1, seq + 6))


def test_one_slow_socket_does_not_hold_up_another(server: Server) -> None:
    job = server.submit()
    server.take(job)
    with server.socket(f"/v1/jobs/{job}/events") as slow, server.socket(f"/v1/jobs/{job}/events") as quick:
        events(quick, until=lambda event: event["kind"] == "snapshot")
        events(slow, until=lambda event: event["kind"] == "snapshot")
        for number in range(3000):
            server.report(job, number / 3000, state=JobState.RUNNING, message="x" * 300)
        begun = time.monotonic()
        _finish(server, job)
        events(quick, until=lambda event: event["state"] == "succeeded", seconds=10)
        assert time.monotonic() - begun < 3


def test_all_events_of_a_session_come_over_one_socket_also_of_jobs_made_later(server: Server) -> None:
    before = server.submit(sid="everything")
    with server.socket("/v1/events", sid="everything") as socket:
        socket.send(json.dumps({"scope": "session"}))
        found = events(socket, until=lambda event: event["kind"] == "heartbeat")
        assert [event["job"] for event in found[:-1]] == [before]
        later = server.submit(sid="everything")
        server.submit(sid="another")
        server.take(later)
        found = events(socket, until=lambda event: event["state"] == "starting")
        assert {event["job"] for event in found} == {later}


def test_a_browser_says_its_token_in_the_first_message(server: Server) -> None:
    from websockets.sync.client import connect

    job = server.submit()
    address = server.url.replace("http", "ws")
    with connect(f"{address}/v1/jobs/{job}/events", proxy=None) as socket:
        socket.send(json.dumps({"token": server.token()}))
        assert events(socket, until=lambda event: True)[0]["kind"] == "snapshot"
    for first, code in ((json.dumps({"token": "wrong"}), 4401), ("no json", 4408), (None, 4408)):
        with connect(f"{address}/v1/events", proxy=None) as socket:
            if first is not None:
                socket.send(first)
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=6)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


def test_sockets_that_leave_are_forgotten(server: Server) -> None:
    job = server.submit()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            socket = stack.enter_context(server.socket(f"/v1/jobs/{job}/events"))
            events(socket, until=lambda event: event["kind"] == "snapshot")

    def open_sockets() -> float:
        with server.http() as http:
            text = http.get("/metrics").text
        return float(next(line.split()[1] for line in text.splitlines() if line.startswith("sendoff_sockets ")))

    wait_for(lambda: open_sockets() == 0, "the sockets to be forgotten", seconds=10)
