"""Connections that hold something and give nothing are ended; those that are merely slow are not."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import Server, announced, entry, pack, serving

from sendoff.protocol import PACK_BYTES
from sendoff.states import JobState
from sendoff_store import jobs
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.jobs import Refused

STALL_SECONDS = 1.0
MOST = 20


@pytest.fixture(scope="module")
def impatient(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("impatient")
    settings = {"SENDOFF_CONNECTION_STALL_SECONDS": str(STALL_SECONDS)}
    with serving(valkey.url, folder, **settings) as server, announced(server.store.redis):
        yield server


@pytest.fixture
def small(valkey: EmbeddedValkey, tmp_path: Path) -> Iterator[Server]:
    """One that has patience, and few connections."""
    with serving(valkey.url, tmp_path, SENDOFF_CONNECTIONS=str(MOST)) as server:
        yield server


@contextlib.contextmanager
def line(server: Server, *, buffer_bytes: int = 0) -> Iterator[socket.socket]:
    """A connection without a word."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.socket() as made:
        made.settimeout(20)
        if buffer_bytes:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        made.connect((host, int(port)))
        yield made


def head(server: Server, call: str, **headers: object) -> bytes:
    lines = [f"{call} HTTP/1.1", "Host: x", f"Authorization: Bearer {server.token()}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def rest(made: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while piece := made.recv(65536):
            found += piece
    return bytes(found)


def dribble(made: socket.socket, data: bytes, *, pause_seconds: float = 0.1) -> bytes:
    """Send a byte at a time until an answer comes, which is returned."""
    made.setblocking(False)
    found = b""
    for at in range(len(data)):
        with contextlib.suppress(BlockingIOError):
            found = made.recv(65536)
            break
        with contextlib.suppress(OSError):
            made.send(data[at : at + 1])
        time.sleep(pause_seconds)
    made.settimeout(20)
    return found + rest(made)


def problem_in(answer: bytes, status: int) -> dict[str, Any]:
    top, _, body = answer.partition(b"\r\n\r\n")
    assert top.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert b"content-type: application/problem+json" in top.lower()
    document: dict[str, Any] = json.loads(body)
    assert document["status"] == status
    return document


def test_a_head_when_it_comes_byte_by_byte_then_408(impatient: Server) -> None:
    with line(impatient) as made:
        started = time.monotonic()
        answer = dribble(made, b"GET /v1/jobs HTTP/1.1\r\nX-Slow: " + b"x" * 500)
        assert "in time" in problem_in(answer, 408)["detail"]
        assert STALL_SECONDS * 0.9 < time.monotonic() - started < 10


@pytest.mark.parametrize("said", [b"", b"\r\n"])
def test_a_connection_when_nothing_is_said_then_it_is_closed(impatient: Server, said: bytes) -> None:
    with line(impatient) as made:
        made.sendall(said)
        assert rest(made) == b""


def test_a_connection_when_nothing_but_empty_lines_come_after_an_answer_then_it_is_closed(impatient: Server) -> None:
    with line(impatient) as made:
        made.sendall(head(impatient, "GET /healthz"))
        assert made.recv(65536).startswith(b"HTTP/1.1 200")
        assert b"200" not in dribble(made, b"\r\n" * 200)


def test_a_body_when_it_comes_byte_by_byte_then_408(impatient: Server) -> None:
    with line(impatient) as made:
        made.sendall(head(impatient, "POST /v1/chunks/missing", Content_Length=1000))
        assert "in time" in problem_in(dribble(made, b"x" * 500), 408)["detail"]


def test_a_body_that_nobody_waits_for_when_it_dribbles_then_the_connection_is_closed(impatient: Server) -> None:
    with line(impatient) as made:
        made.sendall(head(impatient, "POST /v1/jobs", Content_Length=10**9))
        assert made.recv(65536).startswith(b"HTTP/1.1 413")
        started = time.monotonic()
        dribble(made, b"x" * 500)
        assert time.monotonic() - started < 10


def test_an_upload_when_it_is_slow_but_goes_on_then_it_arrives(impatient: Server) -> None:
    body = pack(*(bytes([number]) * 1000 for number in range(40)))
    with line(impatient) as made:
        made.sendall(head(impatient, "POST /v1/chunks", Content_Length=len(body), Connection="close"))
        for at in range(0, len(body), 1000):
            made.sendall(body[at : at + 1000])
            time.sleep(3 * STALL_SECONDS / 40)
        answer = rest(made)
        assert answer.startswith(b"HTTP/1.1 200"), answer


def big_file(server: Server) -> tuple[str, int]:
    """The path of a result of many megabytes, and its size."""
    chunks = [bytes([number]) * 1_000_000 for number in range(24)]
    with server.http() as http:
        for at in range(0, len(chunks), 8):
            assert len(pack(*chunks[at : at + 8])) < PACK_BYTES
            assert http.post("/v1/chunks", content=pack(*chunks[at : at + 8])).status_code == 200
    job = server.submit()
    server.take(job)
    result = {"files": [entry("big.bin", *chunks, role="result")]}
    call = jobs.finish(job, token="attempt1", state=JobState.SUCCEEDED, message="", result=result, retention_seconds=99)
    assert not isinstance(server.store.run(call), Refused)
    return f"/v1/jobs/{job}/files/big.bin", 24_000_000


def test_an_answer_when_nobody_takes_it_then_the_connection_is_ended(impatient: Server) -> None:
    path, size = big_file(impatient)
    with line(impatient, buffer_bytes=4096) as made:
        made.sendall(head(impatient, f"GET {path}"))
        time.sleep(4 * STALL_SECONDS)
        taken = len(rest(made))
        assert taken < size


def test_an_answer_when_it_is_taken_slowly_then_it_is_whole(impatient: Server) -> None:
    path, size = big_file(impatient)
    with line(impatient, buffer_bytes=4096) as made:
        made.sendall(head(impatient, f"GET {path}", Connection="close"))
        slowly = 0
        until = time.monotonic() + 4 * STALL_SECONDS
        while time.monotonic() < until:
            slowly += len(made.recv(2000))
            time.sleep(0.05)
        whole = slowly + len(rest(made))
        assert whole > size


def is_served(server: Server, made: socket.socket) -> bool:
    """Whether a call over this connection gets its answer, which may come in pieces."""
    made.sendall(head(server, "GET /healthz"))
    found = b""
    while not found.endswith(b'{"status":"ok"}'):
        piece = made.recv(65536)
        if not piece:
            return False
        found += piece
    return found.startswith(b"HTTP/1.1 200")


def test_a_server_when_it_is_full_then_it_says_so_and_serves_who_is_there(small: Server) -> None:
    with contextlib.ExitStack() as held, line(small) as served:
        assert is_served(small, served)
        lines = [held.enter_context(line(small)) for _ in range(MOST)]
        answer = rest(lines[-1])
        assert problem_in(answer, 503)["retry_after_seconds"] > 0
        assert b"retry-after: 5" in answer.lower()
        assert is_served(small, served)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with line(small) as made:
            made.sendall(head(small, "GET /healthz", Connection="close"))
            if rest(made).startswith(b"HTTP/1.1 200"):
                return
    pytest.fail("the server stays full")
