from __future__ import annotations

import threading
import time

import pytest

from sendoff import eventstream
from sendoff.connection import Connection
from sendoff.events import Event
from sendoff.eventstream import Connectivity, EventStream


def told(stream):  # type: ignore[no-untyped-def]
    """What a stream tells until it ends: states of the connection, and (kind, seq) of events."""
    return [item.state if isinstance(item, Connectivity) else (item.kind.value, item.seq) for item in stream]


def snapshot(session, seq, **fields):  # type: ignore[no-untyped-def]
    session.send(kind="snapshot", seq=seq, **({"after": seq} | fields))


def last(session, seq):  # type: ignore[no-untyped-def]
    session.send(kind="state", state="succeeded", seq=seq)
    session.wait_until_gone()


def test_a_job_when_watched_then_its_events_come_until_it_ends(fake, connection) -> None:  # type: ignore[no-untyped-def]
    def script(session):  # type: ignore[no-untyped-def]
        snapshot(session, 4)
        session.heartbeat()
        session.send(seq=5)
        last(session, 6)

    fake.scripts.append(script)
    stream = EventStream(connection, ["j1"], until_final=True)
    assert told(stream) == ["online", ("snapshot", 4), ("progress", 5), ("state", 6)]
    assert stream.after == {"j1": (0, 6)}


def test_a_connection_when_it_breaks_then_nothing_is_told_twice_or_missed(fake, connection) -> None:  # type: ignore[no-untyped-def]
    asked = []

    def first(session):  # type: ignore[no-untyped-def]
        snapshot(session, 4)
        session.send(seq=5)

    def second(session):  # type: ignore[no-untyped-def]
        asked.append((session.path, session.query))
        snapshot(session, 7, after=5, recovered=True)
        session.send(seq=5, recovered=True)
        session.send(seq=6, recovered=True)
        last(session, 7)

    fake.scripts.extend([first, second])
    assert told(EventStream(connection, ["j1"], until_final=True)) == [
        *("online", ("snapshot", 4), ("progress", 5)),
        *("reconnecting", "online", ("snapshot", 7), ("progress", 6), ("state", 7)),
    ]
    assert asked == [("/v1/jobs/j1/events", {"after": ["5"], "epoch": ["0"]})]


def test_a_snapshot_when_not_recovered_then_the_count_starts_there(fake, connection) -> None:  # type: ignore[no-untyped-def]
    def script(session):  # type: ignore[no-untyped-def]
        snapshot(session, 2, epoch=1, recovered=False, reason="Redis lost its tail.")
        session.send(seq=3, epoch=1)
        session.send(kind="state", state="failed", seq=4, epoch=1)
        session.wait_until_gone()

    fake.scripts.append(script)
    stream = EventStream(connection, ["j1"], {"j1": (0, 90)}, until_final=True)
    assert told(stream) == ["online", ("snapshot", 2), ("progress", 3), ("state", 4)]
    assert stream.after == {"j1": (1, 4)}


def test_a_hole_when_nothing_explains_it_then_the_events_are_asked_again(fake, connection) -> None:  # type: ignore[no-untyped-def]
    def holed(session):  # type: ignore[no-untyped-def]
        snapshot(session, 1)
        session.send(seq=2)
        session.send(seq=5, conflated=2)
        session.send(seq=8, conflated=1)
        session.wait_until_gone()

    def whole(session):  # type: ignore[no-untyped-def]
        assert session.query["after"] == ["5"]
        snapshot(session, 8, after=5, recovered=True)
        for seq in (6, 7):
            session.send(seq=seq, recovered=True)
        last(session, 8)

    fake.scripts.extend([holed, whole])
    items = told(EventStream(connection, ["j1"], until_final=True))
    assert [item[1] for item in items if isinstance(item, tuple)] == [1, 2, 5, 8, 6, 7, 8]


def test_a_hole_when_the_server_insists_then_it_is_believed(fake, connection) -> None:  # type: ignore[no-untyped-def]
    def insisting(session):  # type: ignore[no-untyped-def]
        snapshot(session, 1)
        session.send(seq=9)
        last(session, 10)

    fake.scripts.extend([insisting] * 3)
    assert told(EventStream(connection, ["j1"], until_final=True))[-2:] == [("progress", 9), ("state", 10)]
    assert len(fake.scripts) == 1


def test_silence_when_it_lasts_then_reconnecting_and_not_failed(fake, connection) -> None:  # type: ignore[no-untyped-def]
    def silent(session):  # type: ignore[no-untyped-def]
        snapshot(session, 1)
        session.wait_until_gone()

    fake.scripts.extend([silent, lambda session: last(session, 2)])
    stream = EventStream(connection, ["j1"], until_final=True, silence_seconds=0.2)
    assert told(stream) == ["online", ("snapshot", 1), "reconnecting", "online", ("state", 2)]


@pytest.mark.parametrize("code", [4401, 4404])
def test_a_close_code_when_it_is_a_refusal_then_the_stream_ends(fake, connection, code) -> None:  # type: ignore[no-untyped-def]
    def refusing(session):  # type: ignore[no-untyped-def]
        session.close(code)
        session.wait_until_gone()

    fake.scripts.append(refusing)
    assert told(EventStream(connection, ["j1"])) == ["refused"]


def test_a_handshake_when_the_token_is_wrong_then_refused_with_the_servers_words(fake) -> None:  # type: ignore[no-untyped-def]
    connection = Connection(fake.url, "wrong")
    assert list(EventStream(connection)) == [Connectivity("refused", "Your sign-in has expired.")]
    connection.close()


def test_a_server_when_it_closes_to_restart_and_sends_rubbish_then_we_come_back(fake, connection) -> None:  # type: ignore[no-untyped-def]
    def restarting(session):  # type: ignore[no-untyped-def]
        session.send_text("no json")
        session.send(kind="of the future", seq=1)
        session.close(1012)
        session.wait_until_gone()

    fake.faults.append(("/v1/jobs/j1/events", 503))
    fake.scripts.extend([restarting, lambda session: last(session, 2)])
    assert told(EventStream(connection, ["j1"], until_final=True)) == ["reconnecting", "online", ("state", 2)]


def test_all_jobs_when_watched_then_the_hello_says_where_we_are(fake, connection) -> None:  # type: ignore[no-untyped-def]
    hellos = []

    def script(session):  # type: ignore[no-untyped-def]
        hellos.append(session.receive())
        session.heartbeat()
        session.send(job="new", kind="snapshot", state="queued", seq=1, after=1)
        if len(hellos) == 2:
            session.wait_until_gone()

    fake.scripts.extend([script, script])
    stream = EventStream(connection, after={"j1": (2, 7)})
    for item in stream:
        if isinstance(item, Event) and len(hellos) == 2:
            stream.stop()
    assert hellos == [
        {"scope": "session", "after": {"j1": [2, 7]}},
        {"scope": "session", "after": {"j1": [2, 7], "new": [0, 1]}},
    ]


def test_a_stream_when_stopped_from_another_thread_then_it_ends_at_once(fake, connection, until) -> None:  # type: ignore[no-untyped-def]
    stream = EventStream(connection)
    seen = []

    def script(session):  # type: ignore[no-untyped-def]
        session.receive()
        session.heartbeat()
        session.wait_until_gone()

    fake.scripts.append(script)
    thread = threading.Thread(target=lambda: seen.extend(stream))
    thread.start()
    until(lambda: stream._socket is not None and not fake.scripts)
    begun = time.monotonic()
    stream.stop()
    thread.join(5)
    assert time.monotonic() - begun < 0.5
    assert not thread.is_alive()


def test_a_stream_when_nobody_is_there_then_it_says_so_once_and_can_be_stopped(  # type: ignore[no-untyped-def]
    fake, connection, until, monkeypatch
) -> None:
    fake.close()
    tries = []
    connect = eventstream.connect_socket
    monkeypatch.setattr(eventstream, "connect_socket", lambda *args: (tries.append(args), connect(*args))[1])
    stream = EventStream(connection)
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(stream))
    thread.start()
    until(lambda: len(tries) >= 3)
    stream.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert [item.state for item in seen] == ["reconnecting"]
    assert "Connection refused" in seen[0].message


def test_a_final_snapshot_when_missed_events_follow_it_then_they_are_told_before_the_end(fake, connection) -> None:  # type: ignore[no-untyped-def]
    def script(session):  # type: ignore[no-untyped-def]
        snapshot(session, 7, after=4, state="succeeded", recovered=True)
        for seq in (5, 6):
            session.send(kind="log", seq=seq, recovered=True)
        last(session, 7)

    fake.scripts.append(script)
    stream = EventStream(connection, ["j1"], {"j1": (0, 4)}, until_final=True)
    assert told(stream) == ["online", ("snapshot", 7), ("log", 5), ("log", 6), ("state", 7)]


def test_a_final_snapshot_when_only_a_heartbeat_follows_then_the_stream_ends(fake, connection) -> None:  # type: ignore[no-untyped-def]
    def script(session):  # type: ignore[no-untyped-def]
        snapshot(session, 7, after=4, state="failed", recovered=True)
        session.heartbeat()
        session.wait_until_gone()

    fake.scripts.append(script)
    assert told(EventStream(connection, ["j1"], until_final=True)) == ["online", ("snapshot", 7)]


def test_a_snapshot_when_it_counts_from_before_what_was_told_then_nothing_is_told_twice(fake, connection) -> None:  # type: ignore[no-untyped-def]
    def script(session):  # type: ignore[no-untyped-def]
        snapshot(session, 6, after=2, recovered=True)
        for seq in (3, 4, 5, 6):
            session.send(seq=seq, recovered=True)
        last(session, 7)

    fake.scripts.append(script)
    stream = EventStream(connection, ["j1"], {"j1": (0, 5)}, until_final=True)
    assert told(stream) == ["online", ("snapshot", 6), ("progress", 6), ("state", 7)]


@pytest.mark.parametrize(
    ("chosen", "environment", "wanted"),
    [
        ("studio.pem", {"REQUESTS_CA_BUNDLE": "/env.pem"}, "studio.pem"),
        (None, {"REQUESTS_CA_BUNDLE": "/env.pem", "CURL_CA_BUNDLE": "/curl.pem"}, "/env.pem"),
        (None, {"CURL_CA_BUNDLE": "/curl.pem"}, "/curl.pem"),
        (None, {}, "cacert.pem"),
    ],
)
def test_the_socket_trusts_whom_requests_trusts(monkeypatch, chosen, environment, wanted) -> None:  # type: ignore[no-untyped-def]
    from sendoff import eventstream
    from sendoff.connection import Connection

    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    connection = Connection("https://render01:8780", "token", chosen)
    assert eventstream._certificates(connection).endswith(wanted)
    connection.close()
