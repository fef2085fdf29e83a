from __future__ import annotations

import socket
import threading
import time

import pytest

from sendoff.connection import Connection, check_url, make_problem, parse_retry_after
from sendoff.errors import (
    ChunksMissing,
    ConnectionFailed,
    InputError,
    NotFound,
    Rejected,
    ServerError,
    SignInRequired,
    Stopped,
    StorageFull,
)


@pytest.mark.parametrize(
    "url",
    [
        "", "render01:8780", "ftp://x", "http://", "http://h:port", "http://u:p@h", "http://h?token=1", "http://[x",
        "http://h a",
    ],
)  # fmt: skip
def test_a_url_when_it_is_none_then_a_sentence_with_an_example(url: str) -> None:
    with pytest.raises(InputError, match="Write it like"):
        check_url(url)


def test_a_url_when_it_ends_in_a_slash_then_it_is_taken_without() -> None:
    assert check_url(" https://h.example/sendoff/ ") == "https://h.example/sendoff"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, SignInRequired), (403, Rejected), (404, NotFound), (422, Rejected), (507, StorageFull), (500, ServerError)],
)
def test_a_problem_when_answered_then_it_is_our_error_with_its_detail(fake, connection, status, kind) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/v1/server", {"status": status, "detail": "Do this.", "field": "params.levels"}))
    with pytest.raises(kind, match=r"Do this\.") as caught:
        connection.json("GET", "/v1/server", repeatable=False)
    assert (caught.value.status, caught.value.field) == (status, "params.levels")


def test_chunks_missing_when_answered_then_the_error_names_them() -> None:
    error = make_problem(409, {"type": "urn:sendoff:problem:chunks-missing", "missing": ["ab"]}, "http://h")
    assert isinstance(error, ChunksMissing)
    assert error.missing == ("ab",)


@pytest.mark.parametrize("status", [302, 401, 404, 413, 502])
def test_an_answer_when_it_explains_nothing_then_we_do(status: int) -> None:
    assert "http://h" in str(make_problem(status, {}, "http://h"))


def test_a_page_when_it_is_not_ours_then_check_the_url(fake, connection) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/v1/server", b"<html>router</html>"))
    with pytest.raises(ServerError, match="does not answer as a Sendoff server"):
        connection.json("GET", "/v1/server")


def test_a_get_when_the_connection_breaks_and_the_server_is_busy_then_it_is_tried_again(fake, connection) -> None:  # type: ignore[no-untyped-def]
    fake.faults.extend([("/v1/tasks", "cut"), ("/v1/tasks", 503), ("/v1/tasks", 408)])
    assert connection.json("GET", "/v1/tasks")["tasks"]
    assert fake.calls.count("GET /v1/tasks") == 4


def test_a_post_when_the_connection_breaks_then_it_is_not_repeated(fake, connection) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/v1/jobs", "cut"))
    with pytest.raises(ConnectionFailed, match="cannot be reached"):
        connection.json("POST", "/v1/jobs", json={})
    assert fake.calls == ["POST /v1/jobs"]


def test_silence_when_it_lasts_then_the_wait_ends(fake, token) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/healthz", "silence"))
    connection = Connection(fake.url, token, read_seconds=0.2)
    with pytest.raises(ConnectionFailed, match=r"did not answer within 0\.2 s"):
        connection.send("GET", "/healthz", repeatable=False)
    connection.close()


def test_a_call_when_stopped_while_it_waits_to_repeat_then_it_ends_at_once(fake, connection) -> None:  # type: ignore[no-untyped-def]
    fake.faults.extend([("/v1/tasks", 503)] * 9)
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        connection.json("GET", "/v1/tasks", stop=stop)
    assert time.monotonic() - begun < 1


def test_nobody_there_when_called_then_the_reason_is_plain_words(fake) -> None:  # type: ignore[no-untyped-def]
    fake.close()
    connection = Connection(fake.url)
    with pytest.raises(ConnectionFailed, match=r"cannot be reached: Connection refused\. Check"):
        connection.send("GET", "/healthz", repeatable=False)
    connection.close()


def test_the_token_when_the_connection_is_printed_then_it_is_not_shown(connection, token) -> None:  # type: ignore[no-untyped-def]
    assert token not in repr(connection)


def test_a_netrc_and_a_proxy_when_set_then_loopback_does_not_care(fake, token, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    netrc = tmp_path / "netrc"
    netrc.write_text("default login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    connection = Connection(fake.url, token)
    assert connection.json("GET", "/v1/tasks")["tasks"]
    connection.close()


def test_a_server_when_it_restarts_then_a_patient_call_waits_for_it(fake, connection) -> None:  # type: ignore[no-untyped-def]
    fake.faults.extend([("/v1/tasks", "cut"), ("/v1/tasks", 502), ("/v1/tasks", 503), ("/v1/tasks", 503)])
    told: list[str] = []
    assert connection.json("GET", "/v1/tasks", patience_seconds=30, on_wait=told.append)["tasks"]
    assert [bool(one) for one in told] == [True, False]


def test_retry_after_when_given_with_429_or_503_then_it_is_heeded(fake, connection) -> None:  # type: ignore[no-untyped-def]
    for status in (429, 503):
        fake.faults.append(("/v1/tasks", {"status": status, "detail": "Later.", "retry_after": 1}))
        begun = time.monotonic()
        connection.json("GET", "/v1/tasks", patience_seconds=30)
        assert time.monotonic() - begun >= 1


@pytest.mark.parametrize(("text", "seconds"), [("3", 3.0), (" 0 ", 0.0), ("soon", None), ("-1", None), (None, None),
                                               ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("9" * 400, None)])  # fmt: skip
def test_retry_after_when_read_then_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text) == seconds


def test_a_name_when_nobody_knows_it_then_nobody_waits(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    connection = Connection("http://render99.studio.example", patience_seconds=30)
    begun = time.monotonic()
    with pytest.raises(ConnectionFailed, match="cannot be reached") as caught:
        connection.json("GET", "/v1/tasks")
    assert caught.value.is_lasting
    assert time.monotonic() - begun < 5
    connection.is_known = True  # a VPN that is away takes the name with it
    with pytest.raises(ConnectionFailed) as caught:
        connection.json("GET", "/v1/tasks", patience_seconds=0)
    assert not caught.value.is_lasting
    connection.close()


def test_idle_connections_when_one_broke_then_they_are_not_tried_one_by_one(fake, connection, token) -> None:  # type: ignore[no-untyped-def]
    """As after a sleep: the other side is gone without a word, on each connection that is kept."""
    connection.read_seconds = 0.5
    barrier = threading.Barrier(4)

    def call() -> None:
        barrier.wait()
        connection.json("GET", "/v1/tasks")

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fake.faults.append(("/v1/tasks", "silence"))
    fake.calls.clear()
    assert connection.json("GET", "/v1/tasks", patience_seconds=30)["tasks"]
    assert len(fake.calls) == 2
    fake.released.set()
