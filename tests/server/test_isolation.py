"""What one person has sent helps nobody else, and nobody takes the server for themselves."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.server.conftest import Server, announced, entry, pack, serving
from tests.server.test_requests import problem

from sendoff_store.embedded import EmbeddedValkey


@pytest.fixture
def secret(server: Server) -> bytes:
    """A chunk that ada has sent."""
    chunk = b"what only ada knows " + os.urandom(8)
    with server.http(person="ada") as ada:
        assert ada.post("/v1/chunks", content=pack(chunk)).status_code == 200
        assert missing(ada, chunk) == []
    return chunk


def missing(http: httpx.Client, *chunks: bytes) -> list[str]:
    names = [hashlib.sha256(chunk).hexdigest() for chunk in chunks]
    answer = http.post("/v1/chunks/missing", json={"chunks": names})
    assert answer.status_code == 200, answer.text
    found: list[str] = answer.json()["missing"]
    return found


def submit(http: httpx.Client, *chunks: bytes) -> httpx.Response:
    files = [entry("data.bin", *chunks, role="external")] if chunks else []
    return http.post("/v1/jobs", json={"task": "test.plain", "params": {}, "manifest": {"files": files}})


def test_who_knows_a_chunks_name_does_not_get_its_bytes(server: Server, secret: bytes) -> None:
    name = hashlib.sha256(secret).hexdigest()
    with server.http(person="eve") as eve:
        assert missing(eve, secret) == [name]
        assert problem(submit(eve, secret), 409)["missing"] == [name]
        assert eve.post("/v1/chunks", content=pack(secret)).json() == {"chunks": [name], "stored": 0}
        assert missing(eve, secret) == [], "who has the bytes may use them, and they are kept once"
        assert submit(eve, secret).status_code == 202


def test_the_order_and_every_missing_chunk_are_told(server: Server, secret: bytes) -> None:
    others = [os.urandom(10) for _ in range(3)]
    with server.http(person="ada") as ada:
        names = [hashlib.sha256(chunk).hexdigest() for chunk in others]
        assert missing(ada, others[0], secret, others[1], others[2]) == names


def test_what_is_used_is_not_forgotten(server: Server, secret: bytes) -> None:
    (now,) = list(server.store.redis.scan_iter("sent:*:ada"))
    assert 0 < server.store.redis.ttl(now) <= 14 * 86400
    generation = int(now.split(":")[1])
    server.store.redis.rename(now, f"sent:{generation - 1}:ada")
    with server.http(person="ada") as ada:
        assert missing(ada, secret) == []
        server.store.redis.delete(f"sent:{generation - 1}:ada")
        assert missing(ada, secret) == [], "asking has renewed it"
        server.store.redis.delete(now)
        assert missing(ada, secret) == [hashlib.sha256(secret).hexdigest()]


@pytest.fixture(scope="module")
def sharing(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A studio that shares what is sent, and lets nobody send many jobs."""
    folder = tmp_path_factory.mktemp("sharing")
    with (
        serving(valkey.url, folder, SENDOFF_SHARED_CHUNKS="true", SENDOFF_SUBMITS_PER_MINUTE="3") as server,
        announced(server.store.redis),
    ):
        yield server


def test_a_studio_may_share_what_is_sent(sharing: Server) -> None:
    chunk = os.urandom(20)
    with sharing.http(person="bo") as bo, sharing.http(person="cy") as cy:
        assert len(missing(cy, chunk)) == 1
        bo.post("/v1/chunks", content=pack(chunk))
        assert missing(cy, chunk) == []
        assert submit(cy, chunk).status_code == 202


def test_one_person_does_not_fill_the_queue(sharing: Server) -> None:
    with sharing.http(person="busy") as busy, sharing.http(person="other") as other:
        assert [submit(busy).status_code for _ in range(3)] == [202] * 3
        answer = submit(busy)
        assert "SENDOFF_SUBMITS_PER_MINUTE" in problem(answer, 429)["detail"]
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert submit(other).status_code == 202


@pytest.mark.parametrize(
    "path", ["/healthz", "/v1/jobs", "/nothing", "/jobs/a", "/device", "/page/job.js", "/maya/", "/addon/index.json"]
)
def test_every_answer_is_safe_in_a_browser(server: Server, path: str) -> None:
    headers = httpx.get(server.url + path, trust_env=False).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "server" not in headers


def test_no_site_may_call_from_a_browser(server: Server) -> None:
    """No cookie signs anybody in, and no answer allows another origin: a page elsewhere can neither act nor read."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{server.url}/v1/jobs", headers=headers, trust_env=False)
    assert not [name for name in answer.headers if name.startswith("access-control-allow")]
    with server.http() as http:
        assert "set-cookie" not in http.get("/v1/jobs").headers


@pytest.mark.parametrize("value", [1e308, -1, "NaN", [], {}, None, "x" * 10_000, {"$ref": "#"}])
def test_no_value_of_any_kind_is_a_bug_of_the_server(server: Server, value: Any) -> None:
    with server.http() as http:
        plain = {"task": "test.plain"}
        fields = ("params", "manifest", "title", "host", "missing_files")
        for body in ({"task": value}, value, *({**plain, field: value} for field in fields)):
            text = json.dumps(body)
            assert http.post("/v1/jobs", content=text).status_code in (202, 422)
