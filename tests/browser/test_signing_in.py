"""Signing in on a page, letting an application in there, and staying signed in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import MakeContext, Shot, check_accessible, sign_in
from tests.server import oidc_provider
from tests.server.conftest import Server, announced, serving

from sendoff import Client, device, signins
from sendoff.connection import Connection
from sendoff_store import people
from sendoff_store.embedded import EmbeddedValkey

UNAUTHORIZED = "the server responded with a status of 401"


def waiting(server: Server) -> tuple[device.SignInCode, threading.Thread, list[Any]]:
    """An application that shows a code and waits."""
    connection, found = Connection(server.url), []
    code = device.begin(connection, "Blender 5.2 on ws01")
    thread = threading.Thread(target=lambda: found.append(device.wait(connection, code, threading.Event())))
    thread.start()
    return code, thread, found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path))
    return tmp_path


def test_an_application_is_let_in_by_its_code(
    server: Server, page: Page, person: str, shot: Shot, home: Path, expected: list[str]
) -> None:
    expected.append(UNAUTHORIZED)
    code, thread, found = waiting(server)
    page.goto(f"{server.url}/device#code={code.user_code}")
    shot(page, "sign in")
    check_accessible(page)
    sign_in(page, person, "wrong password")
    expect(page.get_by_text("The name or the password is not right.")).to_be_visible()
    shot(page, "wrong password")
    sign_in(page, person)
    expect(page.get_by_role("heading", name="Let it in as you?")).to_be_visible()
    assert "Blender 5.2 on ws01 at 127.0.0.1" in page.locator("main:visible").inner_text()
    assert page.url == f"{server.url}/device", "the code is not left in the address"
    shot(page, "confirm")
    check_accessible(page)
    page.get_by_role("button", name="Let it in").click()
    expect(page.get_by_text("Blender 5.2 on ws01 is signed in as you.")).to_be_visible()
    shot(page, "done")
    thread.join(10)
    assert found[0].person == person
    with Client(server.url) as client:
        assert client.jobs() is not None


def test_a_code_is_typed_as_people_type(server: Server, page: Page, person: str, home: Path) -> None:
    code, thread, _ = waiting(server)
    page.goto(f"{server.url}/device")
    sign_in(page, person)
    page.get_by_label("Code").fill(code.user_code.lower().replace("-", " "))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Let it in as you?")).to_be_visible()
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_label("Code")).to_have_value("")
    page.get_by_label("Code").fill(code.user_code)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Let it in").click()
    thread.join(10)
    assert signins.find(server.url) is not None


def test_a_wrong_code_is_a_sentence(server: Server, page: Page, person: str, shot: Shot, expected: list[str]) -> None:
    expected.append("404")
    page.goto(f"{server.url}/device#code=BCDF-GHJK")
    sign_in(page, person)
    expect(page.get_by_text("There is no such code, or it is older than ten minutes.")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    shot(page, "wrong code")


def test_a_name_cannot_bring_markup_into_the_page(server: Server, page: Page, person: str) -> None:
    name = "<img src=x onerror=alert(1)>"
    made = httpx.post(f"{server.url}/v1/device", json={"name": name}, trust_env=False).json()
    page.goto(f"{server.url}/device#code={made['user_code']}")
    sign_in(page, person)
    expect(page.locator("#name")).to_have_text(name)
    assert page.locator("main img").count() == 0


def test_a_token_does_too_and_ends_with_the_tab(server: Server, browser: MakeContext, shot: Shot) -> None:
    context = browser()
    page = context.new_page()
    page.goto(f"{server.url}/device")
    page.get_by_text("By a token").click()
    shot(page, "by a token")
    page.get_by_label("Token").fill(server.token(person="ada"))
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_label("Code")).to_be_visible()
    assert page.locator("#person").inner_text() == "ada"
    other = context.new_page()
    other.goto(f"{server.url}/device")
    expect(other.get_by_label("Password")).to_be_visible()


@pytest.fixture(scope="module")
def quick(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose tokens end after ten seconds."""
    with (
        serving(valkey.url, tmp_path_factory.mktemp("quick"), SENDOFF_TOKEN_SECONDS="10") as server,
        announced(server.store.redis),
    ):
        yield server


def test_a_page_stays_signed_in_over_the_end_of_its_token(
    quick: Server, browser: MakeContext, person: str, expected: list[str]
) -> None:
    expected += [UNAUTHORIZED]
    context = browser()
    page = context.new_page()
    page.goto(f"{quick.url}/device")
    sign_in(page, person)
    expect(page.get_by_label("Code")).to_be_visible()
    (session,) = quick.store.run(people.sessions(person))
    job = quick.submit(person=person)
    page.goto(f"{quick.url}/jobs/{job}")
    expect(page.get_by_role("button", name="Cancel the job")).to_be_visible()
    time.sleep(11)  # the token's life, which nothing else can bring to its end
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_text("Cancelled").first).to_be_visible()
    others = [context.new_page() for _ in range(3)]
    for other in others:
        other.goto(f"{quick.url}/device")
        expect(other.get_by_label("Code")).to_be_visible()
    assert [one.sid for one in quick.store.run(people.sessions(person))] == [session.sid]


def test_by_the_studios_own_account_an_application_is_let_in(
    valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory, page: Page, shot: Shot, home: Path
) -> None:
    """There and back by the provider; the code that was asked for is still known."""
    with oidc_provider.running() as provider:
        settings = {
            "SENDOFF_OIDC_ISSUER": provider.url, "SENDOFF_OIDC_CLIENT_SECRET": oidc_provider.SECRET,
            "SENDOFF_OIDC_NAME": "Big Studio", "NO_PROXY": "127.0.0.1",
        }  # fmt: skip
        with serving(valkey.url, tmp_path_factory.mktemp("oidc"), **settings) as server:
            code, thread, found = waiting(server)
            page.goto(f"{server.url}/device#code={code.user_code}")
            expect(page.get_by_role("link", name="Sign in with Big Studio")).to_be_focused()
            shot(page, "studio account")
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="Let it in as you?")).to_be_visible()
            assert page.url == f"{server.url}/device"
            page.get_by_role("button", name="Let it in").click()
            thread.join(10)
            assert found[0].person == "ada"


def test_signed_out_elsewhere_the_page_asks_again(server: Server, page: Page, person: str, expected: list[str]) -> None:
    expected += [UNAUTHORIZED]
    page.goto(f"{server.url}/device")
    sign_in(page, person)
    expect(page.get_by_label("Code")).to_be_visible()
    job = server.submit(person=person)
    page.goto(f"{server.url}/jobs/{job}")
    expect(page.get_by_text("Live")).to_be_visible()
    (session,) = server.store.run(people.sessions(person))
    server.store.run(people.end_session(session.sid, token_seconds=3600))
    expect(page.get_by_label("Password")).to_be_visible()
    sign_in(page, person)
    expect(page.get_by_text("Live")).to_be_visible()
