"""Signing an application in by a code: asked for, approved, redeemed once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from tests.server.conftest import SECRET, Server
from tests.server.test_requests import problem
from tests.stack import wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from sendoff import device, signins
from sendoff.connection import Connection
from sendoff.errors import Stopped
from sendoff_server import device_codes


@pytest.fixture
def asked(server: Server) -> Iterator[dict[str, Any]]:
    yield begin(server)
    for key in server.store.redis.scan_iter("limit:device*"):
        server.store.redis.delete(key)


def begin(server: Server, name: str = "Maya 2025 on ws01") -> dict[str, Any]:
    answer = httpx.post(f"{server.url}/v1/device", json={"name": name}, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


def redeem(server: Server, code: str) -> httpx.Response:
    time.sleep(device_codes.INTERVAL_SECONDS / 2 + 0.05)  # what the server asks of an application
    return httpx.post(f"{server.url}/v1/device/token", json={"device_code": code}, trust_env=False)


def kind(answer: httpx.Response) -> str:
    return str(problem(answer, 400)["type"]).rpartition(":")[2]


def test_once_approved_it_gives_a_token_of_that_person_in_a_session_of_its_own(
    server: Server, asked: dict[str, Any]
) -> None:
    assert kind(redeem(server, asked["device_code"])) == "authorization-pending"
    with server.http(person="ada") as http:
        who = http.get(f"/v1/device/{asked['user_code']}").json()
        assert (who["name"], who["address"]) == ("Maya 2025 on ws01", "127.0.0.1")
        assert http.post(f"/v1/device/{asked['user_code'].lower()}/approve", json={}).status_code == 200
    answer = redeem(server, asked["device_code"])
    assert answer.json()["person"] == "ada"
    claims = jwt.decode(answer.json()["token"], SECRET, algorithms=["HS256"], audience="sendoff")
    assert claims["sub"] == "ada"
    assert claims["sid"] != "session1"
    assert claims["exp"] <= time.time() + 3600 + 5
    assert answer.json()["refresh_token"].startswith(claims["sid"] + ".")
    assert kind(redeem(server, asked["device_code"])) == "expired-token"


def test_who_asks_too_often_is_told_to_slow_down(server: Server, asked: dict[str, Any]) -> None:
    first = httpx.post(f"{server.url}/v1/device/token", json={"device_code": asked["device_code"]}, trust_env=False)
    again = httpx.post(f"{server.url}/v1/device/token", json={"device_code": asked["device_code"]}, trust_env=False)
    assert (kind(first), kind(again)) == ("authorization-pending", "slow-down")


def test_a_code_is_approved_once_and_only_by_somebody_who_is_signed_in(server: Server, asked: dict[str, Any]) -> None:
    path = f"/v1/device/{asked['user_code']}/approve"
    assert problem(httpx.post(f"{server.url}{path}", json={}, trust_env=False), 401)
    with server.http(person="ada") as http:
        assert http.post(path, json={}).status_code == 200
    with server.http(person="eve") as http:
        assert problem(http.post(path, json={}), 404)


@pytest.mark.parametrize("code", ["BCDF-GHJK", "x", "%2e%2e", "A" * 300])
def test_a_code_that_nobody_has_is_not_found(server: Server, code: str) -> None:
    with server.http() as http:
        assert "Begin the sign-in again" in problem(http.get(f"/v1/device/{code}"), 404)["detail"]


@pytest.mark.parametrize("body", [None, [], {}, {"name": ""}, {"name": 3}])
def test_a_request_that_makes_no_sense_is_one_sentence(server: Server, body: Any) -> None:
    problem(httpx.post(f"{server.url}/v1/device", json=body, trust_env=False), 422)


def test_an_address_cannot_fill_the_store(server: Server, asked: dict[str, Any]) -> None:
    for _ in range(device_codes.WAITING.most - 1):
        begin(server)
    answer = httpx.post(f"{server.url}/v1/device", json={"name": "x"}, trust_env=False)
    assert "Wait ten minutes" in problem(answer, 429)["detail"]


def test_the_codes_themselves_are_not_in_the_store(server: Server, asked: dict[str, Any]) -> None:
    kept = [str(key) for key in server.store.redis.scan_iter("device:*")]
    assert kept
    assert not any(asked["device_code"] in key for key in kept)
    assert all(server.store.redis.ttl(key) != -1 for key in kept)  # -1: kept for ever


def wait_in_thread(
    server: Server, code: device.SignInCode, stop: threading.Event
) -> tuple[threading.Thread, list[Any]]:
    """Have an application wait; what comes of it is put into the list."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(device.wait(Connection(server.url), code, stop))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_an_application_is_told_at_once_and_keeps_its_session(
    server: Server, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path))
    code = device.begin(Connection(server.url), "Blender 5.2 on ws01")
    thread, found = wait_in_thread(server, code, threading.Event())
    channels = server.store.redis.pubsub_channels
    wait_for(lambda: any("approved" in name for name in channels("device:*")), "the application to wait")
    started = time.monotonic()
    with server.http(person="ada") as http:
        assert http.post(f"/v1/device/{code.user_code}/approve", json={}).status_code == 200
    thread.join(10)
    assert time.monotonic() - started < device_codes.INTERVAL_SECONDS / 2, "it was told, it did not ask"
    (kept,) = found
    assert (kept.person, bool(kept.refresh_token)) == ("ada", True)
    assert signins.find(server.url) == kept
    assert Connection(server.url, kept.token).json("GET", "/v1/server")["person"] == "ada"
    wait_for(lambda: not channels("device:*"), "the subscription's end")


def test_an_application_that_stops_waiting_leaves_nothing_behind(server: Server, asked: dict[str, Any]) -> None:
    stop = threading.Event()
    code = device.begin(Connection(server.url), "Blender")
    thread, found = wait_in_thread(server, code, stop)
    channels = server.store.redis.pubsub_channels
    wait_for(lambda: bool(channels("device:*")), "the application to wait")
    stop.set()
    thread.join(10)
    assert isinstance(found[0], Stopped)
    wait_for(lambda: not channels("device:*"), "the subscription's end")


@pytest.mark.parametrize(
    ("first", "code"),
    [("no json", 4408), ("[]", 4408), ("{}", 4408), ('{"device_code": 3}', 4408), ('{"device_code": "none"}', 4404)],
)
def test_a_socket_with_no_good_code_is_closed_with_the_reason(server: Server, first: str, code: int) -> None:
    with connect(server.url.replace("http", "ws") + "/v1/device/events", proxy=None) as socket:
        socket.send(first)
        with pytest.raises(ConnectionClosed, match=str(code)):
            socket.recv(timeout=10)


def test_a_page_of_another_site_may_open_no_socket(server: Server) -> None:
    url = server.url.replace("http", "ws")
    for path in ("/v1/device/events", "/v1/events", "/v1/jobs/a/events"):
        with pytest.raises(InvalidStatus) as refused:
            connect(url + path, proxy=None, origin=Origin("https://evil.example"))
        assert refused.value.response.status_code == 403
    with connect(url + "/v1/events", proxy=None, origin=Origin(server.url)) as socket:
        socket.send('{"token": "wrong"}')
        with pytest.raises(ConnectionClosed, match="4401"):
            socket.recv(timeout=10)


def test_of_two_who_approve_one_code_at_once_one_is_signed_in(server: Server, asked: dict[str, Any]) -> None:
    answers: list[int] = []

    def approve(person: str) -> None:
        with server.http(person=person, sid=person) as http:
            answers.append(http.post(f"/v1/device/{asked['user_code']}/approve", json={}).status_code)

    threads = [threading.Thread(target=approve, args=(f"person{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers.count(200) == 1
    assert set(answers) <= {200, 404, 409}


def test_who_guesses_at_codes_has_to_wait(server: Server, asked: dict[str, Any]) -> None:
    with server.http(sid="guessing") as http:
        for _ in range(device_codes.LOOKED_UP.most):
            problem(http.get("/v1/device/BCDF-GHJK"), 404)
        assert "Wait five minutes" in problem(http.get(f"/v1/device/{asked['user_code']}"), 429)["detail"]
        problem(http.post(f"/v1/device/{asked['user_code']}/approve", json={}), 429)
    with server.http(sid="not guessing") as http:
        assert http.get(f"/v1/device/{asked['user_code']}").status_code == 200
