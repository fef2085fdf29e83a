"""People and the sessions that they are signed in by: each function builds one call (see `calls`).

A session is what a sign-in gives to one application: it has an id (`sid`) that stays, and a refresh token that is
replaced each time it is used. Here only the sha256 of a refresh token is known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .calls import Call, script_call

#: In the order of what they may do: an artist sees and steers the own jobs, a TD everybody's, an admin people too.
ROLES = ("artist", "td", "admin")
#: The channel that tells which sessions were ended, `{"sid": ...}` or `{"person": ...}`, and whose role is another one
#: now, `{"role_of": ...}`.
ENDED_CHANNEL = "signins:ended"
_NAME = re.compile(r"[^\W_][\w.@+-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who may sign in."""

    name: str
    role: str
    #: As argon2 writes it; empty for somebody who signs in elsewhere.
    password: str = ""
    #: "local", or "oidc" for somebody who came by single sign-on.
    source: str = "local"
    is_disabled: bool = False
    #: Unix time in seconds.
    created_at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Session:
    """One application that a person is signed in with."""

    sid: str
    person: str
    #: What the application calls itself, and the address it signed in from.
    client: str = ""
    address: str = ""
    #: Unix times in seconds.
    created_at: float = 0.0
    used_at: float = 0.0


@dataclass(frozen=True)
class Refreshed:
    """What came of a refresh: "refreshed", or "ended", "disabled", "unknown" or "reused" (and ended for that)."""

    outcome: str
    person: str = ""
    role: str = ""
    #: No token of the session is good for longer, Unix time in seconds; 0 for no such limit.
    ends_at: float = 0.0


@dataclass(frozen=True)
class Checked:
    """Whether a token may be used now: "good", "ended" or "disabled"; and the person's role, "" where none is known.

    `most` is the highest role that the session may have, whatever the person's is; "" for no such limit.
    """

    outcome: str
    role: str = ""
    most: str = ""


def is_name(text: str) -> bool:
    """Whether a person can have this name: letters, digits and . @ + - _, up to 64."""
    return _NAME.fullmatch(text) is not None


def add(person: Person) -> Call[bool]:
    """Have a new person; False where there is one of that name."""
    return _call(
        "add",
        person.name,
        lambda answer: answer == "added",
        role=person.role,
        password=person.password,
        source=person.source,
    )


def change(
    name: str,
    *,
    role: str | None = None,
    password: str | None = None,
    is_disabled: bool | None = None,
    token_seconds: float,
) -> Call[bool]:
    """Change what is given; False where there is no such person.

    A new password and a disabling end all sessions of the person; `token_seconds` is how long a token is good for.
    """
    fields = {"role": role, "password": password, "is_disabled": None if is_disabled is None else str(int(is_disabled))}
    return _call(
        "change",
        name,
        lambda answer: answer == "changed",
        fields={field: value for field, value in fields.items() if value is not None},
        ends_sessions=password is not None or is_disabled is True,
        token_seconds=token_seconds,
    )


def person(name: str) -> Call[Person | None]:
    """A person by name."""
    return _call("person", name, _person)


def people() -> Call[tuple[Person, ...]]:
    """All people, by name."""

    def parse(answer: Sequence[Any]) -> tuple[Person, ...]:
        found = (one for item in answer if (one := _person(item)) is not None)
        return tuple(sorted(found, key=lambda one: one.name))

    return _call("people", "", parse)


def open_session(
    sid: str,
    *,
    person: str,
    role: str,
    refresh: str,
    client: str,
    address: str,
    seconds: float,
    ends_at: float = 0.0,
    most: str = "",
) -> Call[bool]:
    """Sign an application in; False where the person is disabled.

    Args:
        sid: The session's id.
        person: Who it is.
        role: Where the person is not one of `people`; otherwise theirs counts.
        refresh: The refresh token's sha256.
        client: What the application calls itself.
        address: Where it signed in from.
        seconds: How long it stays without being used.
        ends_at: No token of it is good for longer, Unix time; 0 for no such limit.
        most: The highest role it may have; "" for the person's own, whatever that will be.
    """
    return _call(
        "open",
        sid,
        lambda answer: answer == "opened",
        person=person,
        role=role,
        refresh=refresh,
        client=client,
        address=address,
        seconds=int(seconds),
        ends_at=ends_at,
        most=most,
    )


def refresh(sid: str, *, given: str, following: str, token_seconds: float) -> Call[Refreshed]:
    """Replace a refresh token (both as sha256); a token that was replaced a while ago ends the session."""

    def parse(answer: Sequence[str]) -> Refreshed:
        if answer[0] != "refreshed":
            return Refreshed(answer[0], "".join(answer[1:]))
        return Refreshed(answer[0], answer[1], answer[2], float(answer[3]))

    return _call("refresh", sid, parse, given=given, next=following, token_seconds=token_seconds)


def lower(role: str, most: str) -> str:
    """A role, or the highest that is allowed, whichever is less."""
    return min(role, most, key=ROLES.index) if most in ROLES and role in ROLES else role


def check(sid: str, *, person: str, is_session: bool) -> Call[Checked]:
    """Whether a token of a session, or (`is_session` false) one that stands for itself, may be used now."""
    return _call("check", sid, lambda answer: Checked(*answer), person=person, is_session=is_session)


def end_session(sid: str, *, token_seconds: float) -> Call[bool]:
    """End a session at once, or a token that stands for itself; False where it was no session."""
    return _call("end", sid, lambda answer: answer == "ended", seconds=token_seconds)


def session(sid: str) -> Call[Session | None]:
    """A session by its id."""
    return _call("session", sid, _session)


def sessions(name: str) -> Call[tuple[Session, ...]]:
    """A person's sessions, the one that was used last first."""

    def parse(answer: Sequence[Any]) -> tuple[Session, ...]:
        found = (one for item in answer if (one := _session(item)) is not None)
        return tuple(sorted(found, key=lambda one: -one.used_at))

    return _call("sessions", name, parse)


def _call(what: str, key: str, parse: Any, **arguments: Any) -> Call[Any]:
    return script_call("people", what, key, parse, **arguments)


def _person(answer: Sequence[Any]) -> Person | None:
    name, fields = answer[0], _fields(answer[1])
    if not fields:
        return None
    return Person(
        name=name,
        role=fields["role"],
        password=fields["password"],
        source=fields["source"],
        is_disabled=fields["is_disabled"] == "1",
        created_at=float(fields["created_at"]),
    )


def _session(answer: Sequence[Any]) -> Session | None:
    sid, fields = answer[0], _fields(answer[1])
    if not fields:
        return None
    return Session(
        sid=sid,
        person=fields["person"],
        client=fields["client"],
        address=fields["address"],
        created_at=float(fields["created_at"]),
        used_at=float(fields["used_at"]),
    )


def _fields(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[0::2], flat[1::2], strict=True))
