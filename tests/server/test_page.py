"""The page of a job is safe to serve to anybody, and a code signs a browser in once."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
import jwt
import pytest
from tests.server.conftest import SECRET, Server, entry, events, pack
from tests.server.test_requests import problem
from websockets.sync.client import connect

from sendoff import Client
from sendoff.states import JobState
from sendoff_server import page_codes
from sendoff_server.auth import read
from sendoff_store import jobs
from sendoff_store.records import JobRecord


def ask(server: Server, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    """An answer to somebody who is not signed in."""
    return httpx.request(method, f"{server.url}{path}", trust_env=False, **more)


def new_code(server: Server, **token: Any) -> str:
    with server.http(**token) as http:
        answer = http.post("/v1/page-codes")
    assert answer.status_code == 200, answer.text
    assert answer.json()["expires_seconds"] == 60
    return str(answer.json()["code"])


def redeem(server: Server, code: Any) -> httpx.Response:
    return ask(server, "/v1/page-codes/redeem", "POST", json={"code": code})


@pytest.fixture(autouse=True)
def _no_wrong_codes_before(server: Server) -> None:
    server.store.redis.delete("limit:page-code:127.0.0.1")


def test_the_page_when_asked_for_then_it_may_run_its_own_scripts_and_speak_to_this_server_only(server: Server) -> None:
    answer = ask(server, "/jobs/fe16580c917721ee0746")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    host = server.url.removeprefix("http://")
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' blob: data: ws://{host} wss://{host}"
    assert policy["img-src"] == "'self' blob: data:"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"


def test_a_host_that_is_none_when_it_asks_then_the_policy_does_not_repeat_it(server: Server) -> None:
    answer = ask(server, "/jobs/a", headers={"Host": "a; script-src *"})
    assert "script-src *" not in answer.headers.get("content-security-policy", "")


def parts_of(server: Server, path: str) -> dict[str, str]:
    """What a page loads, by its path, each with its text; other pages that it leads to are left out."""
    found: dict[str, str] = {}
    waiting = set(re.findall(r'(?:src|href)="(/page/[^"]+)"', ask(server, path).text))
    types = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    while waiting:
        part = waiting.pop()
        answer = ask(server, part)
        assert (answer.status_code, answer.headers["content-type"]) == (200, types[part.rpartition(".")[2]]), part
        found[part] = answer.text
        waiting |= set(re.findall(r'(?:from |import\()"(/page/[^"]+)"', answer.text)) - set(found)
    return found


PAGES = {"/": "monitor.js", "/jobs/a": "job.js", "/device": "device.js"}


@pytest.mark.parametrize("path", PAGES)
def test_everything_that_a_page_names_when_asked_for_then_it_is_there_and_nothing_is_inline(
    server: Server, path: str
) -> None:
    page, parts = ask(server, path).text, parts_of(server, path)
    assert {f"/page/{PAGES[path]}", "/page/page.css", "/page/icon.svg", "/page/server.js"} <= set(parts)
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|https?://", page)
    own = [text for name, text in parts.items() if name.endswith((".js", ".css")) and "three" not in name]
    assert not any(re.search(r"https?://|innerHTML|insertAdjacentHTML|eval\(", text) for text in own)


@pytest.mark.parametrize("path", PAGES)
def test_the_scripts_when_they_name_an_element_then_the_page_has_it(server: Server, path: str) -> None:
    scripts = "".join(text for name, text in parts_of(server, path).items() if name != "/page/three.js")
    calls = re.findall(r'\b(?:at|put|say|list)\("([\w-]+)"(?:, "([\w-]+)")?', scripts)
    names = {name for call in calls for name in call if name}
    assert len(names) > 10
    assert names - set(re.findall(r'\bid="([\w-]+)"', ask(server, path).text)) == set()


def test_a_file_when_known_or_unknown_then_304_or_404(server: Server) -> None:
    etag = ask(server, "/page/job.js").headers["etag"]
    assert ask(server, "/page/job.js", headers={"If-None-Match": etag}).status_code == 304
    assert ask(server, "/jobs/a", "HEAD").headers["content-length"] == str(len(ask(server, "/jobs/a").content))
    for path in ("/page/nothing.js", "/page/..%2Fauth.py", "/page/__init__.py", "/jobs/a/b"):
        problem(ask(server, path), 404)
    problem(ask(server, "/jobs/a", "POST"), 405)
    for path in ("/jobs", "/jobs/"):
        assert (ask(server, path).status_code, ask(server, path).headers["location"]) == (308, "/")


def test_a_code_when_redeemed_then_a_session_of_its_own_for_the_same_person(server: Server) -> None:
    answer = redeem(server, new_code(server, person="ada", sid="session7"))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["person"] == "ada"
    caller = read(SECRET, answer.json()["token"])
    assert (caller.person, caller.sid, caller.is_session) == ("ada", answer.json()["sid"], True)
    assert caller.sid != "session7"
    assert caller.expires_at == pytest.approx(time.time() + 3600, abs=5)


def test_a_code_when_redeemed_twice_then_the_second_time_a_sentence(server: Server) -> None:
    code = new_code(server)
    assert redeem(server, code).status_code == 200
    detail = problem(redeem(server, code), 401)["detail"]
    assert "used already or is older than a minute" in detail


def test_a_code_when_its_minute_is_over_then_it_is_gone(server: Server) -> None:
    before = set(server.store.redis.scan_iter("page-code:*"))
    code = new_code(server)
    (key,) = set(server.store.redis.scan_iter("page-code:*")) - before
    assert 50 < server.store.redis.ttl(key) <= 60
    assert code not in key, "who can list keys could sign in"
    server.store.redis.pexpire(key, 1)
    while server.store.redis.exists(key):
        pass
    problem(redeem(server, code), 401)


def test_a_sign_in_that_ends_sooner_when_a_code_is_made_of_it_then_so_does_the_token(server: Server) -> None:
    first = redeem(server, new_code(server, days=600 / 86400)).json()["token"]
    second = httpx.post(
        f"{server.url}/v1/page-codes", headers={"Authorization": f"Bearer {first}"}, trust_env=False
    ).json()["code"]
    made = redeem(server, second).json()
    ends = read(SECRET, made["token"]).expires_at
    assert ends <= time.time() + 600, "a token that can renew itself never ends"
    refreshed = ask(server, "/v1/sessions/refresh", "POST", json={"refresh_token": made["refresh_token"]}).json()
    assert read(SECRET, refreshed["token"]).expires_at <= ends


def test_a_sign_in_that_has_ended_when_its_code_is_redeemed_then_a_sentence(server: Server) -> None:
    code = new_code(server, days=-3 / 86400)  # the server's clock may differ by 10 s
    assert "has expired" in problem(redeem(server, code), 401)["detail"]


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"{}", b'{"code": 3}', b'{"code": null}', b"\xff"])
def test_a_redeem_that_cannot_be_read_when_sent_then_422(server: Server, body: bytes) -> None:
    problem(ask(server, "/v1/page-codes/redeem", "POST", content=body), 422)


def test_a_code_of_any_size_when_sent_then_it_is_refused(server: Server) -> None:
    problem(redeem(server, "x" * 10_000), 413)
    for code in ("*", "\u0000", "wrong:127.0.0.1", "é" * 100):
        problem(redeem(server, code), 401)
    problem(redeem(server, ""), 422)


def test_a_code_when_asked_for_without_a_sign_in_then_401(server: Server) -> None:
    problem(ask(server, "/v1/page-codes", "POST"), 401)


def test_many_wrong_codes_when_sent_then_that_address_waits_a_minute(server: Server) -> None:
    good = new_code(server)
    for _ in range(page_codes.WRONG.most):
        problem(redeem(server, "wrong"), 401)
    assert "Wait a minute" in problem(redeem(server, good), 429)["detail"]
    assert 0 < server.store.redis.ttl("limit:page-code:127.0.0.1") <= 60
    server.store.redis.delete("limit:page-code:127.0.0.1")
    assert redeem(server, good).status_code == 200, "a good code is not spent by being refused"


def test_good_codes_when_many_are_redeemed_then_none_counts_as_wrong(server: Server) -> None:
    for _ in range(page_codes.WRONG.most + 5):
        assert redeem(server, new_code(server)).status_code == 200


def test_a_job_when_followed_as_the_page_does_then_its_events_come(server: Server) -> None:
    """The browser's way: no header, the token of a code in the first message, then on from an event."""
    job = server.submit()
    with Client(server.url, server.token()) as client:
        address, _, code = client.page(job).partition("#code=")
    assert httpx.get(address, trust_env=False).status_code == 200
    token = redeem(server, code).json()["token"]
    path = server.url.replace("http", "ws") + f"/v1/jobs/{job}/events"
    with connect(path, proxy=None) as socket:
        socket.send(json.dumps({"token": token}))
        (snapshot,) = events(socket, until=lambda event: event["kind"] == "snapshot")
    server.take(job)
    server.report(job, 0.5, message="half")
    with connect(f"{path}?epoch={snapshot['epoch']}&after={snapshot['seq']}", proxy=None) as socket:
        socket.send(json.dumps({"token": token}))
        told = events(socket, until=lambda event: event["kind"] == "progress")
    assert (told[0]["after"], told[0]["recovered"], told[0]["fraction"]) == (snapshot["seq"], True, 0.5)
    with connect(path, proxy=None) as socket:
        socket.send(json.dumps({"token": "wrong"}))
        with pytest.raises(Exception, match="4401"):
            socket.recv(timeout=10)


def result(server: Server, data: bytes) -> str:
    """The path of a job's file with these bytes."""
    with server.http() as http:
        assert http.post("/v1/chunks", content=pack(data)).status_code == 200
    job = server.submit()
    server.take(job)
    done = server.store.run(
        jobs.finish(job, token="attempt1", state=JobState.SUCCEEDED, message="", retention_seconds=1000,
                    result={"files": [entry("out/a b.blend", data, role="result")]})
    )  # fmt: skip
    assert isinstance(done, JobRecord)
    return f"/v1/jobs/{job}/files/out/a%20b.blend"


def test_a_download_when_a_form_brings_the_token_then_it_is_saved_under_its_name(server: Server) -> None:
    path = result(server, b"the result")
    answer = ask(server, path, "POST", data={"access_token": server.token()})
    assert (answer.status_code, answer.content) == (200, b"the result")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.blend"


def test_a_download_when_the_form_brings_no_good_token_then_401_or_404(server: Server) -> None:
    path = result(server, b"the other result")
    for form in ({}, {"access_token": ""}, {"access_token": "wrong"}, {"token": server.token()}):
        problem(ask(server, path, "POST", data=form), 401)
    problem(ask(server, path, "POST", data={"access_token": server.token(days=-1)}), 401)
    problem(ask(server, path, "POST", json={"access_token": server.token()}), 401)
    problem(ask(server, f"{path}?access_token={server.token()}"), 401)
    problem(ask(server, path, "POST", data={"access_token": server.token(person="eve")}), 404)
    problem(ask(server, path, "POST", data={"access_token": "x" * 20_000}), 413)


def test_no_code_and_no_token_when_used_then_none_stands_in_the_log(server: Server) -> None:
    code = new_code(server)
    token = redeem(server, code).json()["token"]
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == "ada"
    ask(server, result(server, b"a result more"), "POST", data={"access_token": token})
    text = (server.data_dir / "server.log").read_text()
    assert code not in text
    assert token not in text
