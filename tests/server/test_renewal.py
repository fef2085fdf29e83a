"""A kept sign-in goes on by itself, for all processes of a person, until the server ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.server.conftest import Server, announced, serving
from tests.server.test_sessions import post

from sendoff import Client, signins
from sendoff.errors import SignInRequired
from sendoff.eventstream import Connectivity
from sendoff.signins import SignIn
from sendoff_server import passwords
from sendoff_store import people
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.people import Person

PASSWORD = "correct horse battery"
#: Of a token here; the shortest that a server can be told.
TOKEN_SECONDS = 10
CALLS = """
import sys, time
from sendoff import Client
client = Client(sys.argv[1])
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    client.jobs()
    time.sleep(0.05)
print("good")
"""


@pytest.fixture(scope="module")
def quick(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose tokens end after seconds."""
    folder = tmp_path_factory.mktemp("quick")
    with (
        serving(valkey.url, folder, SENDOFF_TOKEN_SECONDS=str(TOKEN_SECONDS)) as server,
        announced(server.store.redis),
    ):
        person = Person(name="renewed", role="artist", password=passwords.hashed(PASSWORD))
        server.store.run(people.add(person))
        yield server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SENDOFF_URL", "SENDOFF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def kept(quick: Server, home: Path) -> SignIn:
    """A kept sign-in, which is new."""
    answer = post(quick, "", {"person": "renewed", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    made = signins.from_answer(quick.url, answer.json())
    signins.keep(made)
    return made


def now(quick: Server) -> SignIn:
    found = signins.find(quick.url)
    assert found is not None
    return found


def age(sign_in: SignIn) -> SignIn:
    """Have it be one whose token is to be replaced."""
    aged = replace(sign_in, renew_at=time.time() - 1)
    signins.keep(aged)
    return aged


def test_a_token_is_replaced_before_its_end_and_kept(quick: Server, kept: SignIn) -> None:
    assert time.time() < kept.renew_at < time.time() + TOKEN_SECONDS
    age(kept)
    with Client(quick.url) as client:
        client.jobs()
        assert client.connection.token == now(quick).token != kept.token
    assert now(quick).refresh_token != kept.refresh_token
    assert now(quick).renew_at > time.time()
    assert (now(quick).person, now(quick).local) == ("renewed", False)


def test_a_token_that_the_server_refuses_is_replaced_whatever_the_clock_says(quick: Server, kept: SignIn) -> None:
    stale = replace(kept, token=kept.token[:-4] + "AAAA", renew_at=time.time() + 9999)
    signins.keep(stale)
    with Client(quick.url) as client:
        client.jobs()
    assert now(quick).token not in (kept.token, stale.token)


def test_another_process_has_replaced_it_then_that_one_is_taken(quick: Server, kept: SignIn) -> None:
    with Client(quick.url) as one, Client(quick.url) as other:
        age(kept)
        with Client(quick.url) as third:
            third.jobs()
        newest = now(quick)
        for client in (one, other):
            client.connection._sign_in = replace(kept, renew_at=1.0)
            client.jobs()
            assert client.connection.token == newest.token
    assert now(quick) == newest, "nobody asked the server again"


def test_many_processes_go_on_with_one_sign_in(quick: Server, kept: SignIn, home: Path) -> None:
    seconds = TOKEN_SECONDS * 1.5
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CALLS, quick.url, str(seconds)], env=os.environ | {"SENDOFF_HOME": str(home)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in processes:
        out, err = process.communicate(timeout=90)
        assert (process.returncode, out) == (0, "good\n"), err
    assert now(quick).token != kept.token


def test_a_sign_in_that_the_server_has_ended_is_a_sentence(quick: Server, kept: SignIn) -> None:
    (session,) = [one for one in quick.store.run(people.sessions("renewed")) if kept.refresh_token.startswith(one.sid)]
    with Client(quick.url) as client:
        client.jobs()
        quick.store.run(people.end_session(session.sid, token_seconds=60))
        with pytest.raises(SignInRequired, match="Sign in again; uploads and jobs are kept"):
            client.jobs()
    assert now(quick).token == kept.token, "what was kept is not lost by it"


def test_progress_goes_on_with_the_next_token(quick: Server, kept: SignIn) -> None:
    signins.keep(replace(kept, token=kept.token[:-4] + "AAAA", renew_at=0.0))
    with Client(quick.url) as client:
        stream = client.events()
        for item in stream:
            assert isinstance(item, Connectivity)
            assert item.state == "online"
            break
        stream.stop()
    assert now(quick).token != kept.token


def test_progress_of_a_sign_in_that_is_over_says_so(quick: Server, kept: SignIn) -> None:
    with Client(quick.url) as client:
        quick.store.run(people.end_session(kept.refresh_token.partition(".")[0], token_seconds=60))
        (item,) = list(client.events())
    assert isinstance(item, Connectivity)
    assert item.state == "refused"
    assert "Sign in again" in item.message


def test_a_lock_that_cannot_be_had_does_not_keep_it_from_going_on(quick: Server, kept: SignIn, home: Path) -> None:
    (home / "sign-ins.lock").mkdir()
    age(kept)
    with Client(quick.url) as client:
        client.jobs()
    assert now(quick).token != kept.token


def test_a_token_of_another_session_is_left_alone(quick: Server, kept: SignIn) -> None:
    own = quick.token(person="renewed", sid="own")
    age(kept)
    with Client(quick.url, own) as client:
        client.jobs()
        assert client.connection.token == own
    assert now(quick).token == kept.token


def test_the_file_of_an_older_version_is_read(quick: Server, home: Path) -> None:
    token = quick.token()
    home.mkdir()
    content = {"default": quick.url, "servers": {quick.url: {"token": token, "person": "ada", "local": False}}}
    (home / "sign-ins.json").write_text(json.dumps(content))
    (home / "sign-ins.json").chmod(0o600)
    with Client() as client:
        client.jobs()
    assert now(quick) == SignIn(url=quick.url, token=token, person="ada")
