"""The stream against a WebSocket server by other hands, which follows G1 to G7 and breaks off as networks do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from socket import SHUT_RDWR
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from sendoff.connection import Connection
from sendoff.events import Event, EventKind
from sendoff.eventstream import Connectivity, EventStream

LENGTH = 12
#: What a connection does after so many events: cut the line, leave the next out, say the last again, restart.
#: A gap comes after something new: at the same place twice the client would believe that the server has no more.
faults = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["cut", "again", "restart", "rubbish"]))
    | st.tuples(st.integers(1, 6), st.just("gap")),
    max_size=3,
)


class Job:
    """A job of 12 events, told as the contract has it, with a list of faults to make, one per connection."""

    def __init__(self) -> None:
        self.faults: list[tuple[int, str]] = []
        self.asked: list[int] = []

    def tell(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed, OSError):
            self._tell(socket)

    def _tell(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.headers["Authorization"] == "Bearer t"
        query = parse_qs(urlsplit(socket.request.path).query)
        after = int(query["after"][0]) if "after" in query else 0
        self.asked.append(after)
        until, fault = self.faults.pop(0) if self.faults else (LENGTH, "")
        current = LENGTH if not fault else min(LENGTH, after + until)
        send(socket, "snapshot", current, after=after, recovered=True)
        for told, seq in enumerate(range(after + 1, LENGTH + 1)):
            if told == until and fault:
                if fault == "cut":
                    socket.socket.shutdown(SHUT_RDWR)
                    return
                if fault == "restart":
                    socket.close(1012)
                    return
                if fault == "gap" and seq < LENGTH:
                    send(socket, kind_of(seq + 1), seq + 1)
                    break  # the client has to notice and come again
                if fault == "rubbish":
                    socket.send("{")
                    socket.send(json.dumps({"job": "j", "kind": "hologram", "state": "running"}))
                if fault == "again":
                    send(socket, "progress", max(1, seq - 1))
                fault = ""
            send(socket, kind_of(seq), seq)
        for _ in socket:
            pass


def kind_of(seq: int) -> str:
    return "state" if seq == LENGTH else "progress"


def send(socket: ServerConnection, kind: str, seq: int, **fields: object) -> None:
    state = "succeeded" if seq == LENGTH else "running"
    socket.send(json.dumps({"job": "j", "kind": kind, "state": state, "seq": seq, "epoch": 1} | fields))


@pytest.fixture(scope="module")
def job() -> Job:
    return Job()


@pytest.fixture(scope="module")
def url(job: Job) -> Iterator[str]:
    server: Server = serve(job.tell, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    server.shutdown()
    thread.join(5)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(planned=faults)
def test_a_network_when_it_drops_skips_and_repeats_then_every_event_is_told_once_in_order(url, job, planned) -> None:  # type: ignore[no-untyped-def]
    job.faults, job.asked = list(planned), []
    connection = Connection(url, "t")
    stream = EventStream(connection, ["j"], until_final=True)
    limit = threading.Timer(20, stream.stop)
    limit.start()
    items = list(stream)
    limit.cancel()
    connection.close()
    events = [item for item in items if isinstance(item, Event)]
    assert [event.seq for event in events if event.kind is not EventKind.SNAPSHOT] == list(range(1, LENGTH + 1))
    assert stream.after == {"j": (1, LENGTH)}
    assert job.asked == sorted(job.asked)
    told = [item.state for item in items if isinstance(item, Connectivity)]
    assert all(told[at] != told[at + 1] for at in range(len(told) - 1))
    assert "refused" not in told
