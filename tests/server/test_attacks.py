"""What somebody tries who means harm, and what that gets; docs/security.md lists it."""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mutated import mutated
from tests.server.conftest import SECRET, Server, entry, pack
from tests.server.test_requests import problem
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

GIGABYTE = 1024**3


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "iss": "sendoff", "aud": "sendoff", "sub": "ada", "sid": "s", "iat": now, "exp": now + 3600, "jti": "j",
        "scope": "jobs admin",
    }  # fmt: skip
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(**changes: Any) -> str:
    return jwt.encode(claims(**changes), SECRET, algorithm="HS256")


def swapped() -> str:
    """A good token whose claims were replaced after it was signed."""
    head, _, mark = signed().split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims(sub="root")).encode()).rstrip(b"=").decode()
    return f"{head}.{other}.{mark}"


TOKENS: dict[str, Callable[[], str]] = {
    "alg none": lambda: jwt.encode(claims(), None, algorithm="none"),
    "an empty signature": lambda: signed().rpartition(".")[0] + ".",
    "other claims": swapped,
    "another secret": lambda: jwt.encode(claims(), "x" * 40, algorithm="HS256"),
    "an RSA key": lambda: jwt.encode(claims(), rsa.generate_private_key(65537, 2048), algorithm="RS256"),
    "HS384": lambda: jwt.encode(claims(), SECRET, algorithm="HS384"),
    "expired": lambda: signed(exp=int(time.time()) - 60),
    "without an end": lambda: signed(exp=None),
    "not yet": lambda: signed(nbf=int(time.time()) + 3600),
    "wrong audience": lambda: signed(aud="another"),
    "wrong issuer": lambda: signed(iss="another"),
    "no person": lambda: signed(sub=None),
    "no session": lambda: signed(sid=None),
    "a session that never was": lambda: signed(use="session", sid="never"),
    "a kid that leads elsewhere": lambda: jwt.encode(claims(), "x" * 40, headers={"kid": "../../dev/null"}),
}


@pytest.mark.parametrize("what", TOKENS)
def test_a_token_that_is_not_ours_is_none(server: Server, what: str) -> None:
    headers = {"Authorization": f"Bearer {TOKENS[what]()}"}
    problem(httpx.get(f"{server.url}/v1/jobs", headers=headers, trust_env=False), 401)
    with pytest.raises(InvalidStatus) as refused:
        connect(server.url.replace("http", "ws") + "/v1/events", additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == 401


def test_the_same_token_unchanged_is_good(server: Server) -> None:
    headers = {"Authorization": f"Bearer {signed()}"}
    assert httpx.get(f"{server.url}/v1/jobs", headers=headers, trust_env=False).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "../secret", "/etc/passwd", "a/../../b", "C:\\Windows\\a", "a\\..\\b", "a//b", "", ".", "a/.", "a\0b", "~/../a",
        "con/../..",
    ],
)  # fmt: skip
def test_a_files_name_leads_nowhere(server: Server, path: str) -> None:
    with server.http() as http:
        assert http.post("/v1/chunks", content=pack(b"x")).status_code == 200
        body = {"task": "test.plain", "params": {}, "manifest": {"files": [entry(path, b"x", role="external")]}}
        assert problem(http.post("/v1/jobs", json=body), 422)["field"] == "manifest"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_not_unpacked(server: Server, encoding: str) -> None:
    zeros = bytes(64 * 1024 * 1024)
    body = gzip.compress(zeros, 9) if encoding == "gzip" else zstandard.ZstdCompressor(19).compress(zeros)
    assert len(body) < 100_000
    with server.http() as http:
        started = time.monotonic()
        for path in ("/v1/chunks", "/v1/chunks/missing"):
            answer = http.post(path, content=body, headers={"Content-Encoding": encoding})
            assert answer.status_code in (413, 422), answer.text
        assert time.monotonic() - started < 5


def test_a_gigabyte_that_is_announced_is_refused_before_it_is_read(server: Server) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(
            f"POST /v1/jobs HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {server.token()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode()
        )
        assert b" 413 " in line.recv(4096)


def test_a_gigabyte_that_is_not_announced_is_cut_off(server: Server) -> None:
    def pieces() -> Any:
        for _ in range(GIGABYTE // 1_000_000):
            yield b'"' + b"x" * 999_999

    with server.http() as http:
        with contextlib.suppress(httpx.TransportError):  # the server has closed the connection while we were talking
            assert http.post("/v1/chunks/missing", content=pieces()).status_code == 413
        assert http.get("/v1/jobs").status_code == 200


@pytest.mark.parametrize("depth", [1_000, 200_000])
def test_json_as_deep_as_it_likes_is_a_sentence(server: Server, depth: int) -> None:
    with server.http() as http:
        problem(http.post("/v1/jobs", content=b"[" * depth + b"]" * depth), 422)


def answered(server: Server, path: str, *messages: str | bytes) -> int | None:
    """The status or code that a socket is refused or closed with once it has said these; None where it is served."""
    try:
        with server.socket(path) as events:
            for message in messages:
                events.send(message)
            events.recv(timeout=10)
    except InvalidStatus as refused:
        return refused.response.status_code
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006
    return None


@settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(data=st.data())
def test_a_hello_whatever_it_says_is_served_or_refused(server: Server, data: st.DataObject) -> None:
    job = known_job(server)
    good = json.dumps({"token": "x", "jobs": [job], "after": {job: [0, 1]}, "scope": "person"}).encode()
    said = data.draw(mutated(st.just(good)))
    message = said if data.draw(st.booleans()) else said.decode("utf-8", "replace")
    assert answered(server, "/v1/events", message) in (None, 4401, 4408)


@functools.cache
def known_job(server: Server) -> str:
    return server.submit()


@pytest.mark.parametrize("place", [[0, -5], [-1, 0], [2**70, 2**70], [1e300, 1e300], [0, 0.5], ["1", "1"], [[], {}]])
def test_a_place_that_never_was_is_no_fault_of_the_database(server: Server, place: list[Any]) -> None:
    job = server.submit()
    assert answered(server, "/v1/events", json.dumps({"jobs": [job], "after": {job: place}})) in (None, 4408)


@pytest.mark.parametrize(
    "query", ["after=-1", "after=9e9", f"after={2**70}&epoch={2**70}", f"after={'9' * 400}", "after="]
)
def test_a_socket_of_a_place_that_never_was_is_served_or_refused(server: Server, query: str) -> None:
    assert answered(server, f"/v1/jobs/{server.submit()}/events?{query}") in (None, 403, 422)


def test_one_person_who_sends_many_packs_slowly_holds_up_nobody(server: Server) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    with contextlib.ExitStack() as held:
        for _ in range(40):
            line = held.enter_context(socket.create_connection((host, int(port)), timeout=10))
            line.sendall(
                f"POST /v1/chunks HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {server.token('mallory')}\r\n"
                "Content-Length: 1000000\r\n\r\n".encode()
            )
        with server.http(person="bob") as http:
            assert http.post("/v1/chunks", content=pack(b"bob's"), timeout=5).status_code == 200


def test_half_a_request_holds_up_nobody(server: Server) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    lines = [socket.create_connection((host, int(port)), timeout=10) for _ in range(200)]
    try:
        for line in lines:
            line.sendall(b"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        with server.http() as http:
            started = time.monotonic()
            assert http.get("/v1/jobs").status_code == 200
            assert time.monotonic() - started < 2
    finally:
        for line in lines:
            line.close()
