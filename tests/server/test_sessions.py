"""Signing in by name and password, going on by a refresh token, and being out at once."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from tests.server.conftest import SECRET, Server, events
from tests.server.test_requests import problem
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from sendoff_server import passwords
from sendoff_server.auth import mint
from sendoff_store import people
from sendoff_store.people import Person

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _no_tries_before(server: Server) -> Iterator[None]:
    yield
    for key in server.store.redis.scan_iter("limit:*"):
        server.store.redis.delete(key)


@pytest.fixture(scope="module")
def kept() -> str:
    return passwords.hashed(PASSWORD)


@pytest.fixture
def person(server: Server, kept: str) -> str:
    """Somebody new who may sign in."""
    name = f"person{next(_numbers)}"
    assert server.store.run(people.add(Person(name=name, role="artist", password=kept)))
    return name


def post(server: Server, path: str, body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/sessions{path}", json=body, trust_env=False, timeout=20)


def sign_in(server: Server, person: str, password: str = PASSWORD) -> dict[str, Any]:
    answer = post(server, "", {"person": person, "password": password, "client": "Blender on ws01"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


def refresh(server: Server, signed_in: dict[str, Any]) -> dict[str, Any]:
    answer = post(server, "/refresh", {"refresh_token": signed_in["refresh_token"]})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def http(server: Server, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=20, trust_env=False)


def socket(server: Server, token: str) -> ClientConnection:
    headers = {"Authorization": f"Bearer {token}"}
    return connect(server.url.replace("http", "ws") + "/v1/events", additional_headers=headers, proxy=None)


def until_closed(watching: ClientConnection, code: str = "4401") -> None:
    """Read until the server closes the socket, by default since nobody is signed in by it any more."""

    deadline = time.monotonic() + 15

    def read() -> None:
        while time.monotonic() < deadline:
            watching.recv(timeout=10)

    with pytest.raises(ConnectionClosed, match=code):
        read()


def test_a_name_and_a_password_give_a_session_with_a_token_of_an_hour(server: Server, person: str) -> None:
    made = sign_in(server, person)
    claims = jwt.decode(made["token"], SECRET, algorithms=["HS256"], audience="sendoff")
    assert (claims["sub"], claims["sid"], made["person"]) == (person, made["sid"], person)
    assert claims["exp"] == pytest.approx(time.time() + 3600, abs=5)
    assert made["expires_seconds"] == 3600
    with http(server, made["token"]) as caller:
        (session,) = caller.get("/v1/sessions").json()["sessions"]
    assert (session["sid"], session["client"], session["current"]) == (made["sid"], "Blender on ws01", True)
    assert session["address"] == "127.0.0.1"


def test_a_refresh_keeps_the_session_and_its_jobs(server: Server, person: str) -> None:
    first = sign_in(server, person)
    with http(server, first["token"]) as caller:
        body = {"task": "test.plain", "params": {}, "manifest": {"files": []}}
        job = caller.post("/v1/jobs", json=body).json()["id"]
    second = refresh(server, first)
    assert second["sid"] == first["sid"]
    assert second["refresh_token"] != first["refresh_token"]
    with socket(server, second["token"]) as watching:
        watching.send(json.dumps({}))
        told = events(watching, until=lambda event: event["kind"] == "heartbeat")
    assert job in [event["job"] for event in told]


@pytest.mark.parametrize("password", ["wrong password", "", " ", PASSWORD + " ", PASSWORD.upper(), "x" * 3000])
def test_a_wrong_password_and_a_person_that_is_none_get_the_same_answer(
    server: Server, person: str, password: str
) -> None:
    known = post(server, "", {"person": person, "password": password})
    unknown = post(server, "", {"person": "nobody", "password": password})
    assert known.status_code == unknown.status_code
    assert known.json() == unknown.json()
    assert known.status_code in (401, 422)


@pytest.mark.parametrize("body", [None, [], {}, {"person": "ada"}, {"person": 1, "password": 2}, {"password": "x"}])
def test_a_sign_in_that_makes_no_sense_is_a_sentence(server: Server, body: Any) -> None:
    problem(post(server, "", body), 422)


def test_who_guesses_has_to_wait_and_others_do_not(server: Server, person: str) -> None:
    for _ in range(10):
        problem(post(server, "", {"person": person, "password": "wrong password"}), 401)
    answer = post(server, "", {"person": person, "password": PASSWORD})
    assert "Wait five minutes" in problem(answer, 429)["detail"]
    assert 0 < int(answer.headers["retry-after"]) <= 300
    problem(post(server, "", {"person": "nobody", "password": "wrong password"}), 401)


def test_a_good_sign_in_forgets_the_wrong_ones(server: Server, person: str) -> None:
    for _ in range(3):
        for _ in range(6):
            problem(post(server, "", {"person": person, "password": "wrong password"}), 401)
        sign_in(server, person)


@pytest.mark.parametrize("token", ["", "x", "a.b", "no-session." + "x" * 43, "../.x", "*.*", "x" * 3000])
def test_a_refresh_token_that_is_none_is_a_sentence(server: Server, token: str) -> None:
    answer = post(server, "/refresh", {"refresh_token": token})
    assert answer.status_code in (401, 422)
    problem(answer, answer.status_code)


def test_a_refresh_token_that_was_copied_ends_the_session_and_is_logged(server: Server, person: str) -> None:
    first = sign_in(server, person)
    newest = first
    for _ in range(3):
        newest = refresh(server, newest)
    problem(post(server, "/refresh", {"refresh_token": first["refresh_token"]}), 401)
    with http(server, newest["token"]) as caller:
        assert "signed out" in problem(caller.get("/v1/jobs"), 401)["detail"]
    log = (server.data_dir / "server.log").read_text()
    assert f"The session {first['sid']} of {person} was ended" in log
    assert first["refresh_token"] not in log
    assert newest["refresh_token"].partition(".")[2] not in log


def test_signed_out_is_out_at_once_on_every_way(server: Server, person: str) -> None:
    one, other = sign_in(server, person), sign_in(server, person)
    with socket(server, one["token"]) as watching:
        watching.send(json.dumps({}))
        events(watching, until=lambda event: event["kind"] == "heartbeat")
        with http(server, other["token"]) as caller:
            assert caller.delete(f"/v1/sessions/{one['sid']}").status_code == 204
            assert caller.get("/v1/jobs").status_code == 200
        until_closed(watching)
    with http(server, one["token"]) as caller:
        problem(caller.get("/v1/jobs"), 401)
    problem(post(server, "/refresh", {"refresh_token": one["refresh_token"]}), 401)
    with http(server, other["token"]) as caller:
        assert caller.delete("/v1/sessions/current").status_code == 204
        problem(caller.get("/v1/jobs"), 401)


def test_nobody_ends_a_session_of_somebody_else_but_an_admin(server: Server, person: str, kept: str) -> None:
    theirs = sign_in(server, person)
    server.store.run(people.add(Person(name="boss", role="admin", password=kept)))
    with server.http(person="eve") as eve:
        assert "There is no session" in problem(eve.delete(f"/v1/sessions/{theirs['sid']}"), 404)["detail"]
    with http(server, sign_in(server, "boss")["token"]) as boss:
        assert boss.delete(f"/v1/sessions/{theirs['sid']}").status_code == 204
    with http(server, theirs["token"]) as caller:
        problem(caller.get("/v1/jobs"), 401)


def test_who_is_disabled_is_out_with_every_token_and_socket(server: Server, person: str) -> None:
    made = sign_in(server, person)
    alone = mint(SECRET, person=person, days=1)
    with socket(server, alone) as watching:
        watching.send(json.dumps({}))
        events(watching, until=lambda event: event["kind"] == "heartbeat")
        server.store.run(people.change(person, is_disabled=True, token_seconds=3600))
        until_closed(watching)
    for token in (made["token"], alone):
        with http(server, token) as caller:
            problem(caller.get("/v1/jobs"), 401)
    problem(post(server, "", {"person": person, "password": PASSWORD}), 401)


def test_a_token_of_a_script_can_be_taken_back(server: Server) -> None:
    token = mint(SECRET, person="farm", days=365, sid="script1")
    with http(server, token) as caller:
        assert caller.get("/v1/jobs").status_code == 200
        server.store.run(people.end_session("script1", token_seconds=86400))
        assert "signed out" in problem(caller.get("/v1/jobs"), 401)["detail"]


def test_a_token_that_may_only_look_changes_nothing(server: Server) -> None:
    job = server.submit(person="ada")
    with http(server, mint(SECRET, person="ada", days=1, scope="read")) as caller:
        assert caller.get(f"/v1/jobs/{job}").status_code == 200
        body = {"task": "test.plain", "params": {}, "manifest": {"files": []}}
        assert "may only look" in problem(caller.post("/v1/jobs", json=body), 403)["detail"]
        problem(caller.post(f"/v1/jobs/{job}/cancel"), 403)
        problem(caller.delete(f"/v1/jobs/{job}"), 403)


def test_what_comes_of_a_token_for_jobs_is_no_admin_whoever_it_is_of(server: Server, kept: str) -> None:
    """By a code of a device and by one of a page; and what comes of that in turn."""
    server.store.run(people.add(Person(name="chief", role="admin", password=kept)))
    token = mint(SECRET, person="chief", days=1)
    for _ in range(2):
        with http(server, token) as caller:
            problem(caller.get("/v1/jobs", params={"everyone": "true"}), 403)
            asked = caller.post("/v1/device", json={"name": "x"}).json()
            assert caller.post(f"/v1/device/{asked['user_code']}/approve", json={}).status_code == 200
            by_device = caller.post("/v1/device/token", json={"device_code": asked["device_code"]}).json()["token"]
            code = caller.post("/v1/page-codes").json()["code"]
            by_page = caller.post("/v1/page-codes/redeem", json={"code": code}).json()["token"]
        for made in (by_device, by_page):
            with http(server, made) as other:
                problem(other.get("/v1/jobs", params={"everyone": "true"}), 403)
        token = by_device
    with http(server, sign_in(server, "chief")["token"]) as caller:
        assert caller.get("/v1/jobs", params={"everyone": "true"}).status_code == 200


def test_the_password_is_not_kept_and_not_logged(server: Server, person: str) -> None:
    sign_in(server, person)
    found = server.store.run(people.person(person))
    assert found is not None
    assert found.password.startswith("$argon2id$")
    assert PASSWORD not in (server.data_dir / "server.log").read_text()
