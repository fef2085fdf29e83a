"""`sendoff-server user` and `session`: who may sign in, and where somebody is signed in."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sendoff_store import people
from sendoff_store.calls import SyncStore
from sendoff_store.people import ROLES, Person
from sendoff_store.settings import load

from . import passwords
from .database import database
from .settings import ServerSettings

#: Of a token that stands for itself, `sendoff-server token --days`.
_LONGEST_TOKEN_SECONDS = 3650 * 86400

user = typer.Typer(help="Who may sign in, and as what.", no_args_is_help=True)
session = typer.Typer(help="Where people are signed in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The person's name.")]
Role = Annotated[str, typer.Argument(help=f"One of {', '.join(ROLES)}.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the data of `up` is kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def check_name(name: str) -> None:
    """End with a sentence where nobody can have this name."""
    if not people.is_name(name):
        sys.exit(f"{name!r} is no name: use letters, digits and . @ + - _, at most 64 of them.")


@user.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option("--role", help=f"One of {', '.join(ROLES)}.")] = "artist",
    password_stdin: FromStdin = False,
    data_dir: DataDir = None,
) -> None:
    """Let somebody sign in by name and password."""
    check_name(name)
    _check_role(role)
    with _store(data_dir) as (store, _):
        if store.run(people.person(name)) is not None:
            sys.exit(f"{name} is there already. `sendoff-server user role` and `user password` change what is known.")
        password = _password(password_stdin)
        if not store.run(people.add(Person(name=name, role=role, password=passwords.hashed(password)))):
            sys.exit(f"{name} is there already.")
    print(f"{name} may sign in as {role}.")


@user.command("list")
def list_people(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List everybody who may sign in, or might once."""
    with _store(data_dir) as (store, _):
        found = store.run(people.people())
    if as_json:
        shown = [{name: value for name, value in asdict(one).items() if name != "password"} for one in found]
        print(json.dumps(shown))
        return
    for one in found:
        print(f"{one.name:24}  {one.role:7}  {one.source:6}  {'disabled' if one.is_disabled else ''}".rstrip())


@user.command("role")
def role_of(name: Name, role: Role, data_dir: DataDir = None) -> None:
    """Change what somebody may do; it counts at once."""
    _check_role(role)
    _change(name, data_dir, role=role)
    print(f"{name} is {role} now.")


@user.command("password")
def password_of(name: Name, password_stdin: FromStdin = False, data_dir: DataDir = None) -> None:
    """Give somebody a new password; all their sessions end."""
    _change(name, data_dir, password=passwords.hashed(_password(password_stdin)))
    print(f"{name} has a new password and was signed out everywhere.")


@user.command("disable")
def disable(name: Name, data_dir: DataDir = None) -> None:
    """Lock somebody out at once; jobs that run go on."""
    _change(name, data_dir, is_disabled=True)
    print(f"{name} is signed out and may not sign in any more.")


@user.command("enable")
def enable(name: Name, data_dir: DataDir = None) -> None:
    """Let somebody sign in again."""
    _change(name, data_dir, is_disabled=False)
    print(f"{name} may sign in again.")


@session.command("list")
def list_sessions(name: Name, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List where somebody is signed in."""
    with _store(data_dir) as (store, _):
        found = store.run(people.sessions(name))
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    for one in found:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.used_at))
        print(f"{one.sid:16}  last used {used}  {one.address:15}  {one.client}")


@session.command("end")
def end(
    sid: Annotated[str, typer.Argument(help="The session's id, or the `sid` of a token.")], data_dir: DataDir = None
) -> None:
    """End a session, or a token that stands for itself, at once."""
    with _store(data_dir) as (store, _):
        was_session = store.run(people.end_session(sid, token_seconds=_LONGEST_TOKEN_SECONDS))
    print(f"The session {sid} was ended." if was_session else f"Tokens with the sid {sid} are refused from now on.")


@contextmanager
def _store(data_dir: Path | None) -> Iterator[tuple[SyncStore, ServerSettings]]:
    settings = load(ServerSettings, data_dir=data_dir)
    with database(settings) as client:
        yield SyncStore(client), settings


def _change(
    name: str,
    data_dir: Path | None,
    *,
    role: str | None = None,
    password: str | None = None,
    is_disabled: bool | None = None,
) -> None:
    with _store(data_dir) as (store, settings):
        call = people.change(
            name, role=role, password=password, is_disabled=is_disabled, token_seconds=settings.token_seconds
        )
        if not store.run(call):
            sys.exit(f"There is nobody called {name}. `sendoff-server user list` lists everybody.")


def _check_role(role: str) -> None:
    if role not in ROLES:
        sys.exit(f"There is no role {role!r}. Choose from: {', '.join(ROLES)}.")


def _password(from_stdin: bool) -> str:
    if from_stdin or not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    why_not = passwords.why_not(password)
    if why_not:
        sys.exit(why_not)
    return password
