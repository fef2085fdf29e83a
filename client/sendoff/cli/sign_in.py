"""`sendoff sign-in`, `approve` and `sign-out`."""

# No `from __future__ import annotations`: on Python 3.9 typer cannot read annotations that are texts.

import contextlib
import platform
import sys
import threading
import webbrowser
from typing import Annotated
from urllib.parse import quote

import typer

from .. import device, signins
from ..client import Client, resolve
from ..connection import Connection, check_url
from ..errors import InputError, SendoffError
from .options import AsJson, Token, Url, ca_bundle
from .output import print_json, say_waiting

Person = Annotated[str, typer.Option("--person", help="Sign in by this name and a password, which is asked for.")]


def sign_in(
    url: Annotated[str, typer.Argument(help="The server, for example http://render01:8780.")],
    token: Annotated[str, typer.Option("--token", help="Sign in by this token; “-” asks for it.")] = "",
    person: Person = "",
    as_json: AsJson = False,
) -> None:
    """Sign in to a server, and keep that: by your browser, by name and password, or by a token."""
    url = check_url(url)
    if person:
        made = _by_password(url, person)
    elif not token and sys.stdin.isatty():
        made = _by_browser(url)
    else:
        if token in ("", "-"):
            token = typer.prompt("Token (from your administrator)", hide_input=True, err=True).strip()
        with Client(url, token, on_wait=say_waiting) as client:
            client.tasks()
            made = signins.SignIn(url=url, token=token, person=str(client.server().get("person") or ""))
    path = signins.keep(made)
    if as_json:
        print_json({"url": url, "person": made.person, "file": str(path)})
    else:
        print(f"Signed in to {url}{f' as {made.person}' if made.person else ''}.")


def approve(
    code: Annotated[str, typer.Argument(help="The code that the application shows, for example BCDF-GHJK.")],
    url: Url = "",
    token: Token = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let an application that shows a code sign in as you."""
    found_url, found_token = resolve(url, token)
    with Client(found_url, found_token, on_wait=say_waiting) as client:
        asks = client.connection.json("GET", f"/v1/device/{quote(code, safe='')}")
        who = f"{asks['name']} at {asks['address']}"
        if not yes and not typer.confirm(f"Let {who} in as you?", err=True):
            raise InputError("It was not let in.")
        client.connection.json("POST", f"/v1/device/{quote(code, safe='')}/approve", json={}, repeatable=False)
    print_json({"url": found_url, **asks}) if as_json else print(f"{who} is signed in.")


def sign_out(
    url: Annotated[str, typer.Argument(help="The server; by default the one that is used.")] = "",
    as_json: AsJson = False,
) -> None:
    """End the sign-in of a server, and forget it."""
    known = signins.find(url or None)
    if known is None:
        raise InputError(f"There is no sign-in{f' for {url}' if url else ''} to forget.")
    if known.refresh_token:  # a token that stands for itself may be in use elsewhere
        with contextlib.suppress(SendoffError), Client(known.url, known.token) as client:
            client.connection.send("DELETE", "/v1/sessions/current", repeatable=False)
    signins.forget(known.url)
    print_json({"url": known.url}) if as_json else print(f"Signed out of {known.url}.")


def _by_browser(url: str) -> signins.SignIn:
    connection = _nobodys(url)
    code = device.begin(connection, f"sendoff on {platform.node()}")
    print(f"The code is {code.user_code}: {code.advice}.", file=sys.stderr, flush=True)
    webbrowser.open(code.page)
    return device.wait(connection, code, threading.Event())


def _by_password(url: str, person: str) -> signins.SignIn:
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    body = {"person": person, "password": password, "client": f"sendoff on {platform.node()}"}
    return signins.from_answer(url, _nobodys(url).json("POST", "/v1/sessions", json=body, repeatable=False))


def _nobodys(url: str) -> Connection:
    """A connection without the sign-in that is kept: what the server says of that is no answer here."""
    return Connection(url, None, ca_bundle())
