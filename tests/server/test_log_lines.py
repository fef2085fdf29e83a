"""What the server writes into its log: what happened, never what somebody proves himself with."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.server.conftest import SECRET, Server, announced, serving
from tests.stack import wait_for
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from sendoff_server import passwords
from sendoff_store import people
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.people import Person

PASSWORD, WRONG = "correct horse battery staple", "wrong-horse-battery-staple"
#: The server with every logger at DEBUG but those that it silences itself.
AT_DEBUG = (
    "import logging, sendoff_store.processes as processes\n"
    "set_up = processes.set_up_logging\n"
    "processes.set_up_logging = lambda **_: set_up(level=logging.DEBUG)\n"
    "from sendoff_server.cli import main\n"
    "main()\n"
)
PROGRAMS = {"info": ("-m", "sendoff_server"), "debug": ("-c", AT_DEBUG)}


@pytest.fixture(params=PROGRAMS)
def logged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with (
        EmbeddedValkey(tmp_path / "valkey") as valkey,
        serving(valkey.url, tmp_path / "server", program=PROGRAMS[request.param]) as server,
        announced(server.store.redis),
    ):
        yield server


def log_of(server: Server) -> str:
    return (server.data_dir / "server.log").read_text()


def tell(server: Server, path: str, **first: str) -> None:
    """Open a socket and say this."""
    with (
        contextlib.suppress(WebSocketException),
        connect(server.url.replace("http", "ws") + path, proxy=None) as opened,
    ):
        opened.send(json.dumps(first))
        opened.recv(timeout=5)


def secrets_of_a_day(server: Server) -> dict[str, str]:
    """Sign in in every way there is, well and badly; what was said in confidence."""
    server.store.run(people.add(Person(name="ada", role="admin", password=passwords.hashed(PASSWORD))))
    found = {"the secret": SECRET, "password": PASSWORD, "wrong password": WRONG, "service token": server.token("ada")}
    found["Redis's password"] = urlsplit(server.redis_url).password or ""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=20) as http:
        http.post("/v1/sessions", json={"person": "ada", "password": WRONG})
        http.post("/v1/sessions", json={"person": PASSWORD, "password": PASSWORD})
        made = http.post("/v1/sessions", json={"person": "ada", "password": PASSWORD, "client": "Blender"}).json()
        found |= {"token": made["token"], "refresh token": made["refresh_token"]}
        asked = http.post("/v1/device", json={"name": "Maya"}).json()
        found |= {"device code": asked["device_code"], "user code": asked["user_code"]}
        http.headers["Authorization"] = f"Bearer {made['token']}"
        code = http.post("/v1/page-codes").json()["code"]
        assert http.post(f"/v1/device/{asked['user_code']}/approve", json={}).status_code == 200
        by_device = http.post("/v1/device/token", json={"device_code": asked["device_code"]}).json()
        by_page = http.post("/v1/page-codes/redeem", json={"code": code}).json()
        found |= {"page code": code, "device's token": by_device["token"], "page's token": by_page["token"]}
        tell(server, "/v1/events", token=by_page["token"])
        tell(server, "/v1/events", token=WRONG)
        waiting = http.post("/v1/device", json={"name": "Maya"}).json()
        http.post(f"/v1/device/{waiting['user_code']}/approve", json={})
        tell(server, "/v1/device/events", device_code=waiting["device_code"])
        found |= {"second device code": waiting["device_code"]}
        latest = by_device["refresh_token"]
        for number in range(2):
            found[f"refresh token {number}"] = latest
            latest = http.post("/v1/sessions/refresh", json={"refresh_token": latest}).json()["refresh_token"]
        assert http.post("/v1/sessions/refresh", json={"refresh_token": by_device["refresh_token"]}).status_code == 401
    return found


def misplace(server: Server, secret: str) -> None:
    """Send a secret where none belongs, in requests that fail in every way."""
    job = server.submit()
    server.store.redis.hset(f"job:{job}", "params", "{")  # a bug, as far as the server can tell
    with server.http() as http:
        for _ in range(3):  # over one connection, as far as the answers allow it
            assert http.get(f"/v1/jobs/{job}").status_code == 500
        for path in (f"/v1/jobs/{job}/files/{secret}", f"/v1/jobs/{job}/log", f"/v1/jobs/{secret}", f"/{secret}",
                     "/v1/jobs", "/oidc/callback", "/addon/", f"/page/{secret}"):  # fmt: skip
            http.get(path, params={"token": secret, "access_token": secret, "state": secret, "cursor": secret})
            http.post(path, params={"token": secret}, content=f'{{"token": "{secret}"')
            http.post(path, data={"access_token": secret})
    wrong = [{"Authorization": f"{scheme}{secret}"} for scheme in ("", "Basic ", "Bearer x")]
    for headers in [*wrong, {"Cookie": f"token={secret}"}, {"Host": secret[:60]}, {"Content-Encoding": secret}]:
        httpx.post(f"{server.url}/v1/sessions", headers=headers, content=secret, trust_env=False)
        httpx.get(f"{server.url}/v1/jobs", headers=headers, trust_env=False)
    tell(server, f"/v1/events?token={secret}", tocken=secret)
    tell(server, f"/v1/jobs/{job}/events?token={secret}", token=secret)
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(f"GET /v1/jobs?token={secret} HTTP/1.1\r\n{secret} no header\r\n\r\n".encode())
        line.recv(4096)


def test_nothing_that_somebody_proves_himself_with_is_in_the_log(logged: Server) -> None:
    secrets = secrets_of_a_day(logged)
    for secret in ("token", "refresh token", "device code", "service token"):
        misplace(logged, secrets[secret])
    wait_for(lambda: "sign_in.reused" in log_of(logged), "the log of a copied refresh token")
    text = log_of(logged)
    assert "in GET /v1/jobs/{job} [action=server.bug]" in text
    assert {name for name, secret in secrets.items() if secret and secret in text} == set()
    parts = {part for secret in secrets.values() for part in secret.split(".") if len(part) > 20}
    assert [part for part in parts if part in text] == []


def test_a_name_writes_no_line_of_its_own(logged: Server) -> None:
    logged.store.run(people.add(Person(name="ada", role="artist", password=passwords.hashed(PASSWORD))))
    forged = "Blender\n2026-11-27 12:00:00,000 INFO sendoff.server: root signed in\r\x1b[2J"
    body = {"person": "ada", "password": PASSWORD, "client": forged}
    assert httpx.post(f"{logged.url}/v1/sessions", json=body, trust_env=False).status_code == 200
    wait_for(lambda: "sign_in.done" in log_of(logged), "the log of the sign-in")
    text = log_of(logged)
    assert not any(line.startswith("2026-11-27 12:00:00,000") for line in text.splitlines())
    assert "\x1b" not in text
