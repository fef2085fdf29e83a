"""Tokens: who calls, in which session, and what they may do. A JWT signed with the server's secret (HS256).

A token of a session is good for an hour and is replaced by a refresh; one that stands for itself (`sendoff-server
token`) has scopes and an end. Either is refused at once when its session is ended or its person disabled.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import jwt
from fastapi import Request
from starlette.requests import HTTPConnection

from sendoff_store import people

from .bodies import read_body
from .parts import Parts, parts_of
from .problems import Problem

ISSUER = AUDIENCE = "sendoff"
#: What a token that stands for itself may be for: send jobs and steer the own ones; only look at them; everybody's
#: jobs as a TD; people as well.
SCOPES = ("jobs", "read", "studio", "admin")
_ALGORITHM = "HS256"
_FORM = "application/x-www-form-urlencoded"
_FORM_BYTES = 16 * 1024
_REQUIRED = ["sub", "sid", "exp", "iat", "jti"]
_ROLES_OF_SCOPES = {"admin": "admin", "studio": "td"}
_SESSION = "session"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who calls: the person and the session, which outlives a refreshed token."""

    person: str
    sid: str
    scope: str
    #: "artist", "td" or "admin".
    role: str = "artist"
    #: Whether the token is one of a session; otherwise it stands for itself.
    is_session: bool = False
    #: When the token ends, as Unix time in seconds.
    expires_at: float = 0.0
    #: The highest role that what comes of it may have, "" for the person's own: a token for jobs makes no admin.
    most: str = ""
    #: When everything ends that comes of it, also of its refreshes; 0 for no such limit.
    ends_at: float = 0.0

    @property
    def sees_all(self) -> bool:
        """Whether everybody's jobs are there for this caller."""
        return self.role in ("td", "admin")

    def may_see(self, owner: str) -> bool:
        """Whether a person's jobs are there for this caller."""
        return self.sees_all or self.person == owner

    @property
    def may_change(self) -> bool:
        """Whether it may do more than look."""
        return self.is_session or bool({"jobs", "studio", "admin"} & set(self.scope.split()))


def mint(secret: str, *, person: str, days: float, sid: str | None = None, scope: str = "jobs") -> str:
    """A token for a person that stands for itself; its `sid` is a new one unless it is given."""
    return _mint(secret, person, days * 86400, sid or secrets.token_hex(8), {"scope": scope})


def mint_for_session(secret: str, *, person: str, seconds: float, sid: str, ends_at: float) -> str:
    """A token of a session; `ends_at`: see Principal."""
    ends = {"ends": ends_at} if ends_at else {}
    return _mint(secret, person, seconds, sid, {"scope": "jobs", "use": _SESSION} | ends)


def _mint(secret: str, person: str, seconds: float, sid: str, more: dict[str, Any]) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": person,
        "sid": sid,
        "iat": now,
        "exp": now + int(seconds),
        "jti": secrets.token_hex(8),
    }
    return jwt.encode(claims | more, secret, algorithm=_ALGORITHM)


def read(secret: str, token: str) -> Principal:
    """What a token says, whose signature is this server's; raises Problem 401 with what to do."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=10,
            options={"require": _REQUIRED},
        )
    except jwt.ExpiredSignatureError:
        raise sign_in("Your sign-in has expired. Sign in again; uploads and jobs are kept.") from None
    except jwt.InvalidTokenError:
        raise sign_in("The token is not one of this server. Sign in again, or ask your TD for a new token.") from None
    scope = str(claims.get("scope", ""))
    is_session = claims.get("use") == _SESSION
    roles = [] if is_session else [_ROLES_OF_SCOPES[one] for one in ("admin", "studio") if one in scope.split()]
    return Principal(
        person=str(claims["sub"]),
        sid=str(claims["sid"]),
        scope=scope,
        role=roles[0] if roles else "artist",
        is_session=is_session,
        most="" if is_session else (roles[0] if roles else "artist"),
        expires_at=float(claims["exp"]),
        ends_at=float(claims.get("ends", 0)) if is_session else float(claims["exp"]),
    )


async def verify(parts: Parts, token: str) -> Principal:
    """Who a token is of, now; raises Problem 401 with what to do, also where its session was ended."""
    caller = read(parts.secret, token)
    call = people.check(caller.sid, person=caller.person, is_session=caller.is_session)
    checked = await parts.store.run(call)
    if checked.outcome == "disabled":
        raise sign_in(f"{caller.person} may not sign in any more. Ask your administrator.")
    if checked.outcome != "good":
        raise sign_in("You were signed out. Sign in again; uploads and jobs are kept.")
    if not caller.is_session:
        return caller
    return replace(caller, role=people.lower(checked.role or caller.role, checked.most), most=checked.most)


def bearer(connection: HTTPConnection) -> str | None:
    """The token of the Authorization header, if there is one."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


async def principal(request: Request) -> Principal:
    """The caller of a request; every route but the health checks and signing in depends on it."""
    token = bearer(request)
    if token is None:
        raise sign_in("No token was sent. Sign in (Preferences > Add-ons > Sendoff, or: sendoff sign-in).")
    caller = await verify(parts_of(request), token)
    if request.method not in ("GET", "HEAD") and not caller.may_change:
        raise Problem(403, "forbidden", "Not allowed", "This token may only look. Use one with the scope “jobs”.")
    return caller


async def principal_of_form(request: Request) -> Principal:
    """The caller whose token is the field `access_token` of a form (RFC 6750, 2.2).

    A browser that saves a download cannot send a header with it, and a token does not belong into a URL.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise sign_in(f"No token was sent. It has to be the field access_token of a form ({_FORM}).")
    body = await read_body(request, _FORM_BYTES, "The form")
    tokens = parse_qs(body.decode("utf-8", "replace")).get("access_token") or [""]
    return await verify(parts_of(request), tokens[0])


def sign_in(detail: str) -> Problem:
    """401: what is asked for needs a sign-in, and why the one there is does not do."""
    return Problem(401, "sign-in-required", "Sign in", detail)
