from __future__ import annotations

import base64
import json

import pytest

URL = "http://127.0.0.1:9"
NOW = 1_800_000_000.0


def token(**claims):
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"


@pytest.fixture
def choose(host, monkeypatch):
    for name in ("SENDOFF_URL", "SENDOFF_TOKEN", "SENDOFF_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return host.server_choice.choose


def test_the_environment_goes_before_the_preferences_and_those_before_the_kept_sign_in(host, choose, monkeypatch):
    signins = host.sendoff.signins
    signins.keep(signins.SignIn(url="http://kept:1", token="kept-token"))
    try:
        assert (choose("", "").url, choose("", "").url_from) == ("http://kept:1", "sign-ins")
        assert choose("", "").signed_in_by == "sign-ins"
        assert (choose(URL, "").url, choose(URL, "").token) == (URL, "")
        monkeypatch.setenv("SENDOFF_URL", "http://127.0.0.1:2/")
        assert (choose(URL, "").url, choose(URL, "").url_from) == ("http://127.0.0.1:2", "SENDOFF_URL")
    finally:
        signins.forget("http://kept:1")


def test_the_ca_bundle_of_the_environment_goes_first(choose, monkeypatch, tmp_path):
    for name in ("a.pem", "b.pem"):
        (tmp_path / name).write_text("x")
    found = choose(URL, "", str(tmp_path / "a.pem"))
    assert (found.ca_bundle, found.ca_bundle_from) == (str(tmp_path / "a.pem"), "preferences")
    monkeypatch.setenv("SENDOFF_CA_BUNDLE", str(tmp_path / "b.pem"))
    assert choose(URL, "", str(tmp_path / "a.pem")).ca_bundle_from == "SENDOFF_CA_BUNDLE"


def test_a_ca_bundle_that_is_not_there_is_said_with_where_it_is_set(choose, monkeypatch):
    assert "The CA Bundle in the preferences names /none, which is no file" in choose(URL, "", "/none").problem
    monkeypatch.setenv("SENDOFF_CA_BUNDLE", "/none")
    assert choose(URL, "").problem.startswith("SENDOFF_CA_BUNDLE names")


@pytest.mark.parametrize("url", ["ftp://x", "render01:8780", "http://a b", "http://user:pw@x", "http://x:99999"])
def test_a_url_that_is_none_is_a_sentence_with_an_example(choose, url):
    assert "http://" in choose(url, "").problem


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"sub": "ada", "exp": NOW + 86_400 * 3.5}, "Signed in as ada, 3 more days"),
        ({"sub": "ada", "exp": NOW + 7200}, "Signed in as ada, 2 more hours"),
        ({"sub": "ada", "exp": NOW + 60}, "Signed in as ada, less than an hour"),
        ({"sub": "ada", "exp": NOW - 1}, "The sign-in as ada has expired: sign in again"),
        ({"sub": "ada"}, "Signed in as ada"),
        ({}, "Signed in"),
    ],
)
def test_who_is_signed_in_and_for_how_long_is_said(host, choose, claims, text):
    assert host.server_choice.sign_in_text(choose(URL, token(**claims)), NOW) == text


def test_without_a_token_it_says_how_to_get_one(host, choose):
    assert "Not signed in: click Sign In" in host.server_choice.sign_in_text(choose(URL, ""), NOW)


def test_the_token_is_in_no_repr(choose):
    assert "secret" not in repr(choose(URL, "secret"))


def test_a_token_of_this_session_takes_the_place_of_a_kept_one_that_has_expired(host, choose):
    signins = host.sendoff.signins
    signins.keep(signins.SignIn(url=URL, token=token(sub="old", exp=1)))
    try:
        assert choose(URL, "").person == "old"
        found = choose(URL, token(sub="ada"))
        assert (found.person, found.signed_in_by) == ("ada", "this session")
    finally:
        signins.forget(URL)


def test_a_sign_in_that_renews_itself_is_the_same_one_with_each_token_and_never_expires(host, choose):
    signins = host.sendoff.signins
    over = token(sub="ada", sid="s1", exp=NOW - 9_000_000_000)
    try:
        signins.keep(signins.SignIn(url=URL, token=over, refresh_token="s1.x"))
        first = choose(URL, "pasted")
        signins.keep(signins.SignIn(url=URL, token=token(sub="ada", sid="s1", exp=NOW), refresh_token="s1.y"))
        second = choose(URL, "pasted")
        assert first == second, "what runs with it goes on"
        assert (first.token, first.signed_in_by, first.person) == (over, "sign-ins", "ada")
        assert not host.server_choice.is_expired(first)
        assert host.server_choice.sign_in_text(first) == "Signed in as ada"
        signins.keep(signins.SignIn(url=URL, token=token(sub="ada", sid="s2", exp=NOW), refresh_token="s2.x"))
        assert choose(URL, "pasted") != first, "another sign-in is another"
    finally:
        signins.forget(URL)
