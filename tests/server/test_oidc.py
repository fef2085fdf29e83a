"""Single sign-on against a real provider: whom it names is signed in, and nothing else is believed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.server import conftest, oidc_provider
from tests.server.conftest import Server, announced, serving
from tests.server.oidc_provider import CLIENT, SECRET, Provider
from tests.server.test_requests import problem

from sendoff_server import oidc, passwords
from sendoff_server.auth import read
from sendoff_store import people
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.people import Person

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with oidc_provider.running() as provider:
        yield provider


@pytest.fixture(scope="module")
def studio(provider: Provider, valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks the provider."""
    settings = {
        "SENDOFF_OIDC_ISSUER": provider.url, "SENDOFF_OIDC_CLIENT_ID": CLIENT, "SENDOFF_OIDC_CLIENT_SECRET": SECRET,
        "SENDOFF_OIDC_ROLES": "leads=td, it = admin", "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    with (
        serving(valkey.url, tmp_path_factory.mktemp("studio"), **settings) as server,
        announced(server.store.redis),
    ):
        yield server


@pytest.fixture(autouse=True)
def _well_behaved(provider: Provider, request: pytest.FixtureRequest) -> Iterator[None]:
    provider.person, provider.groups = f"sso{next(_numbers)}", []
    yield
    provider.is_down, provider.change, provider.forge = False, None, None


@pytest.fixture
def browser(studio: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=studio.url, trust_env=False, timeout=20) as browser:
        yield browser


def sent_back(browser: httpx.Client, return_to: str = "/device") -> tuple[str, str]:
    """To the provider and back: the page, and the code in its fragment."""
    answer = browser.get("/oidc/sign-in", params={"return_to": return_to})
    for _ in range(3):
        assert answer.status_code in (302, 303), answer.text
        target = urlsplit(answer.headers["location"])
        if target.fragment:
            assert (target.scheme, target.netloc) == ("", "")
            return target.path, parse_qs(target.fragment)["sign-in"][0]
        answer = browser.get(answer.headers["location"])
    raise AssertionError("it went round and round")


def redeemed(browser: httpx.Client, code: str) -> httpx.Response:
    return browser.post("/v1/page-codes/redeem", json={"code": code})


def refused(browser: httpx.Client) -> str:
    """The sentence that a page shows instead of signing somebody in."""
    detail: str = problem(redeemed(browser, sent_back(browser)[1]), 401)["detail"]
    return detail


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_whom_the_provider_names_is_signed_in(
    studio: Server, provider: Provider, browser: httpx.Client, algorithm: str
) -> None:
    provider.rotate(algorithm)
    time.sleep(oidc._KEYS_PAUSE_SECONDS)  # so often the keys are fetched at most
    path, code = sent_back(browser, "/jobs/abc123")
    assert path == "/jobs/abc123"
    made = redeemed(browser, code).json()
    caller = read(conftest.SECRET, made["token"])
    assert (caller.person, caller.is_session) == (provider.person, True)
    assert caller.ends_at == pytest.approx(time.time() + 7 * 86400, abs=60)
    found = studio.store.run(people.person(provider.person))
    assert found is not None
    assert (found.role, found.source, found.password) == ("artist", "oidc", "")
    problem(redeemed(browser, code), 401)


def test_keys_that_are_changed_in_the_middle_are_found(provider: Provider, browser: httpx.Client) -> None:
    assert redeemed(browser, sent_back(browser)[1]).status_code == 200
    provider.rotate("RS256")
    deadline = time.monotonic() + 2 * oidc._KEYS_PAUSE_SECONDS
    while redeemed(browser, sent_back(browser)[1]).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    asked = provider.asked_for_keys
    assert redeemed(browser, sent_back(browser)[1]).status_code == 200
    assert provider.asked_for_keys == asked, "a key that is known is not fetched again"


def test_groups_give_the_role_at_each_sign_in(studio: Server, provider: Provider, browser: httpx.Client) -> None:
    for groups, role in ((["leads"], "td"), (["x", "it", "leads"], "admin"), ([], "artist")):
        provider.groups = groups
        assert redeemed(browser, sent_back(browser)[1]).status_code == 200
        found = studio.store.run(people.person(provider.person))
        assert found is not None
        assert found.role == role


def changed(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.update(values)


@pytest.mark.parametrize(
    "change",
    [
        changed(aud="another-client"),
        changed(iss="https://evil.example"),
        changed(exp=int(time.time()) - 3600),
        changed(iat="yesterday"),
        changed(nonce="another"),
        lambda claims: claims.pop("exp"),
        lambda claims: claims.pop("sub"),
        lambda claims: claims.pop("nonce"),
    ],
)
def test_a_token_that_is_not_for_us_signs_nobody_in(
    studio: Server, provider: Provider, browser: httpx.Client, change: Callable[[dict[str, Any]], None]
) -> None:
    provider.change = change
    assert refused(browser).endswith((".", "Try again."))
    assert studio.store.run(people.person(provider.person)) is None


def none_signed(provider: Provider) -> Callable[[dict[str, Any]], str]:
    return lambda claims: jwt.encode(claims, None, algorithm="none", headers={"kid": provider.signing})


def confused(provider: Provider) -> Callable[[dict[str, Any]], str]:
    """The public key taken for a shared secret."""

    def forge(claims: dict[str, Any]) -> str:
        import base64
        import hashlib
        import hmac
        import json

        public = provider.keys[provider.signing][1].public_key()
        secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        head = {"alg": "HS256", "typ": "JWT", "kid": provider.signing}
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, claims)]
        text = b".".join(parts)
        mark = base64.urlsafe_b64encode(hmac.new(secret, text, hashlib.sha256).digest()).rstrip(b"=")
        return (text + b"." + mark).decode()

    return forge


def stranger(provider: Provider) -> Callable[[dict[str, Any]], str]:
    """Another key under a name that is known."""
    other = oidc_provider.Provider()
    return lambda claims: jwt.encode(
        claims, other.keys[other.signing][1], algorithm="RS256", headers={"kid": provider.signing}
    )


@pytest.mark.parametrize("make", [none_signed, confused, stranger])
def test_a_forged_token_signs_nobody_in(
    studio: Server, provider: Provider, browser: httpx.Client, make: Callable[[Provider], Any]
) -> None:
    redeemed(browser, sent_back(browser)[1])  # its key is known now
    provider.person = f"forged{next(_numbers)}"
    provider.forge = make(provider)
    assert "cannot be trusted" in refused(browser)
    assert studio.store.run(people.person(provider.person)) is None


def test_an_answer_that_is_none_is_a_sentence(provider: Provider, browser: httpx.Client) -> None:
    provider.forge = lambda _claims: "x" * 5000
    assert "cannot be trusted" in refused(browser)


def test_a_provider_that_is_away_is_a_sentence_and_no_token_in_the_log(
    provider: Provider, browser: httpx.Client, studio: Server
) -> None:
    begun = browser.get("/oidc/sign-in")
    callback = browser.get(begun.headers["location"]).headers["location"]
    provider.is_down = True
    code = parse_qs(urlsplit(browser.get(callback).headers["location"]).fragment)["sign-in"][0]
    assert "does not answer as it should" in problem(redeemed(browser, code), 401)["detail"]
    log = (studio.data_dir / "server.log").read_text()
    assert "status 503" in log
    assert "id_token" not in log


def test_what_the_sign_in_service_refuses_is_a_sentence(browser: httpx.Client) -> None:
    state = parse_qs(urlsplit(browser.get("/oidc/sign-in").headers["location"]).query)["state"][0]
    answer = browser.get("/oidc/callback", params={"state": state, "error": "access_denied"})
    code = parse_qs(urlsplit(answer.headers["location"]).fragment)["sign-in"][0]
    assert "did not sign you in" in problem(redeemed(browser, code), 401)["detail"]


def test_a_sign_in_of_another_browser_is_not_taken_over(
    studio: Server, provider: Provider, browser: httpx.Client
) -> None:
    """Somebody is led to the end of a sign-in that an attacker has begun, to work in the attacker's name."""
    begun = browser.get("/oidc/sign-in")
    callback = httpx.get(begun.headers["location"], trust_env=False).headers["location"]
    victim = httpx.get(callback, trust_env=False)
    code = parse_qs(urlsplit(victim.headers["location"]).fragment)["sign-in"][0]
    assert "another browser" in problem(redeemed(browser, code), 401)["detail"]


def test_a_way_back_is_gone_once(browser: httpx.Client) -> None:
    begun = browser.get("/oidc/sign-in")
    callback = browser.get(begun.headers["location"]).headers["location"]
    assert browser.get(callback).status_code == 303
    code = parse_qs(urlsplit(browser.get(callback).headers["location"]).fragment)["sign-in"][0]
    assert "Try again" in problem(redeemed(browser, code), 401)["detail"]


@pytest.mark.parametrize(
    "return_to", ["https://evil.example", "//evil.example", "/\\evil", "/oidc/sign-in", "/v1/jobs", "/jobs/a#b"]
)
def test_it_leads_nowhere_else(browser: httpx.Client, return_to: str) -> None:
    assert sent_back(browser, return_to)[0] == "/device"


def test_the_cookie_is_for_the_way_there_and_back_only(browser: httpx.Client) -> None:
    cookie = browser.get("/oidc/sign-in").headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "path=/oidc", "max-age=600"):
        assert part in cookie


def test_who_signs_in_by_a_password_or_is_disabled_is_refused(
    studio: Server, provider: Provider, browser: httpx.Client
) -> None:
    studio.store.run(people.add(Person(name=provider.person, role="artist", password=passwords.hashed("x" * 12))))
    assert "signs in by a password here" in refused(browser)
    provider.person = f"sso{next(_numbers)}"
    assert redeemed(browser, sent_back(browser)[1]).status_code == 200
    studio.store.run(people.change(provider.person, is_disabled=True, token_seconds=3600))
    assert "may not sign in any more" in refused(browser)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "x" * 100, "<b>"])
def test_a_name_that_is_none_is_refused(provider: Provider, browser: httpx.Client, name: str) -> None:
    provider.person = name
    assert "Ask your administrator" in refused(browser)


def test_without_single_sign_on_there_is_none(server: Server) -> None:
    assert httpx.get(f"{server.url}/v1/sign-in", trust_env=False).json() == {"oidc": None}
    problem(httpx.get(f"{server.url}/oidc/sign-in", trust_env=False), 404)
    assert httpx.get(f"{server.url}/oidc/callback?state=x&code=y", trust_env=False).status_code == 303
