"""`sendoff sign-in --person` and `sign-out`, as a person types them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.server.conftest import Server

from sendoff_server import passwords
from sendoff_store import people
from sendoff_store.people import Person

PASSWORD = "correct horse battery"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SENDOFF_")}

    def run_it(*arguments: str, typed: str = "", status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "sendoff.cli", *arguments], env=clean | {"SENDOFF_HOME": str(home)}, input=typed,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done

    return run_it


@pytest.fixture(autouse=True)
def _no_tries_before(server: Server) -> None:
    for key in server.store.redis.scan_iter("limit:sign-in*"):
        server.store.redis.delete(key)


@pytest.fixture(scope="module", autouse=True)
def _person(server: Server) -> None:
    server.store.run(people.add(Person(name="cora", role="artist", password=passwords.hashed(PASSWORD))))


def test_signed_in_by_a_password_and_out_again(server: Server, run: Run, home: Path) -> None:
    done = run("sign-in", server.url, "--person", "cora", typed=PASSWORD + "\n")
    assert done.stdout == f"Signed in to {server.url} as cora.\n"
    kept = (home / "sign-ins.json").read_text()
    assert json.loads(kept)["servers"][server.url]["refresh_token"]
    assert PASSWORD not in kept
    assert run("jobs", "--json").stdout
    (session,) = server.store.run(people.sessions("cora"))
    assert session.client.startswith("sendoff on ")
    run("sign-out")
    assert server.store.run(people.sessions("cora")) == ()
    run("jobs", status=2)


def test_on_a_terminal_it_shows_a_code_and_waits_for_the_browser(server: Server, home: Path) -> None:
    """The browser is one that does nothing; the code is approved as its page does it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SENDOFF_")}
    leader, terminal = pty.openpty()
    command = [sys.executable, "-m", "sendoff.cli", "sign-in", server.url]
    environment = clean | {"SENDOFF_HOME": str(home), "BROWSER": "true %s"}
    with subprocess.Popen(
        command, env=environment, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            found = re.search(r"The code is ([A-Z]{4}-[A-Z]{4}): let it in on .*/device\.", said)
            assert found, said
            with server.http(person="cora") as http:
                assert http.post(f"/v1/device/{found[1]}/approve", json={}).status_code == 200
            out, err = process.communicate(timeout=30)
            assert (process.returncode, out) == (0, f"Signed in to {server.url} as cora.\n"), err
        finally:
            process.kill()
            os.close(leader)
            os.close(terminal)
    assert json.loads((home / "sign-ins.json").read_text())["servers"][server.url]["refresh_token"]


def test_a_wrong_password_keeps_nothing(server: Server, run: Run, home: Path) -> None:
    done = run("sign-in", server.url, "--person", "cora", typed="wrong password\n", status=4)
    assert "The name or the password is not right." in done.stderr
    assert not (home / "sign-ins.json").exists()


def test_a_kept_sign_in_that_is_over_is_not_in_the_way_of_a_new_one(server: Server, run: Run, home: Path) -> None:
    run("sign-in", server.url, "--person", "cora", typed=PASSWORD + "\n")
    for session in server.store.run(people.sessions("cora")):
        server.store.run(people.end_session(session.sid, token_seconds=60))
    done = run("sign-in", server.url, "--person", "cora", typed="wrong password\n", status=4)
    assert "The name or the password is not right." in done.stderr
    assert len(list(server.store.redis.scan_iter("limit:sign-in:*cora"))) == 1
    assert server.store.redis.get("limit:sign-in:127.0.0.1:cora") == "1", "it was tried once"
    run("sign-in", server.url, "--person", "cora", typed=PASSWORD + "\n")


def test_a_server_that_is_away_does_not_keep_from_signing_out(server: Server, run: Run, home: Path) -> None:
    run("sign-in", server.url, "--person", "cora", typed=PASSWORD + "\n")
    path = home / "sign-ins.json"
    path.write_text(path.read_text().replace(server.url, "http://127.0.0.1:1"))
    assert "Signed out" in run("sign-out").stdout
    assert json.loads(path.read_text())["servers"] == {}
