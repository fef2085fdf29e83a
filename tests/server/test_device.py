"""Signing an application in by a code: asked for, approved, redeemed once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from tests.server.conftest import SECRET, Server
from tests.server.test_requests import problem

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
