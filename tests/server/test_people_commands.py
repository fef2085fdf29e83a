"""`sendoff-server user` and `session`, as an administrator types them."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from tests.server.conftest import SECRET, Server
from tests.server.test_sessions import http, post, sign_in

from sendoff_server.auth import read

PASSWORD = "correct horse battery"
Run = Callable[..., subprocess.CompletedProcess[str]]
_numbers = itertools.count(1)


@pytest.fixture
def run(server: Server) -> Run:
    environment = os.environ | {
        "SENDOFF_REDIS_URL": server.redis_url, "SENDOFF_SECRET": SECRET, "SENDOFF_DATA_DIR": str(server.data_dir),
    }  # fmt: skip

    def run_it(*arguments: str, typed: str = "", status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "sendoff_server", *arguments], env=environment, input=typed, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run_it


@pytest.fixture
def person(run: Run) -> str:
    name = f"typed{next(_numbers)}"
    assert f"{name} may sign in as artist." in run("user", "add", name, typed=PASSWORD + "\n").stdout
    return name


def test_somebody_is_added_signs_in_and_is_listed(server: Server, run: Run, person: str) -> None:
    made = sign_in(server, person, PASSWORD)
    listed = json.loads(run("user", "list", "--json").stdout)
    (found,) = [one for one in listed if one["name"] == person]
    assert (found["role"], found["is_disabled"]) == ("artist", False)
    assert "password" not in found
    assert "argon2" not in run("user", "list").stdout
    (session,) = json.loads(run("session", "list", person, "--json").stdout)
    assert session["sid"] == made["sid"]
    assert made["sid"] in run("session", "list", person).stdout
    assert "was ended" in run("session", "end", made["sid"]).stdout
    with http(server, made["token"]) as caller:
        assert caller.get("/v1/jobs").status_code == 401


def test_a_role_counts_at_once(server: Server, run: Run, person: str) -> None:
    with http(server, sign_in(server, person, PASSWORD)["token"]) as caller:
        assert caller.get("/v1/jobs", params={"everyone": "true"}).status_code == 403
        run("user", "role", person, "td")
        assert caller.get("/v1/jobs", params={"everyone": "true"}).status_code == 200


def test_disabled_and_enabled_and_with_a_new_password(server: Server, run: Run, person: str) -> None:
    run("user", "disable", person)
    assert post(server, "", {"person": person, "password": PASSWORD}).status_code == 401
    run("user", "enable", person)
    made = sign_in(server, person, PASSWORD)
    run("user", "password", person, typed="another horse battery\n")
    with http(server, made["token"]) as caller:
        assert caller.get("/v1/jobs").status_code == 401
    sign_in(server, person, "another horse battery")


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (("user", "add", "a b"), "", "'a b' is no name"),
        (("user", "add", "new", "--role", "king"), "", "There is no role 'king'"),
        (("user", "add", "new"), "short\n", "has 5 characters; 10 or more are needed"),
        (("user", "add", "new"), "", "has 0 characters"),
        (("user", "add", "new"), "x" * 300 + "\n", "256 at most"),
        (("user", "role", "nobody", "td"), "", "There is nobody called nobody"),
        (("user", "disable", "nobody"), "", "There is nobody called nobody"),
        (("user", "password", "nobody"), PASSWORD + "\n", "There is nobody called nobody"),
        (("token", "a:b"), "", "'a:b' is no name"),
        (("token", "ana", "--scope", "all"), "", "There is no scope 'all'"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(run: Run, arguments: tuple[str, ...], typed: str, sentence: str) -> None:
    assert sentence in run(*arguments, typed=typed, status=1).stderr


def test_the_same_name_is_not_added_twice(run: Run, person: str) -> None:
    assert "is there already" in run("user", "add", person, typed=PASSWORD + "\n", status=1).stderr


def test_a_token_for_a_script_has_its_scopes(run: Run) -> None:
    token = run("token", "farm", "--days", "1", "--scope", "read", "--scope", "studio").stdout.strip()
    caller = read(SECRET, token)
    assert (caller.person, caller.scope, caller.role, caller.is_session) == ("farm", "read studio", "td", False)
    assert caller.may_change, "studio is more than to look"
