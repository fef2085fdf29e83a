"""Tokens: who calls, in which session. A JWT signed with the server's secret (HS256)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from urllib.parse import parse_qs

import jwt
from fastapi import Request
from starlette.requests import HTTPConnection

from .bodies import read_body
from .problems import Problem

ISSUER = AUDIENCE = "sendoff"
_ALGORITHM = "HS256"
_FORM = "application/x-www-form-urlencoded"
_FORM_BYTES = 16 * 1024
_REQUIRED = ["sub", "sid", "exp", "iat", "jti"]


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who calls: the person and the session, which outlives a refreshed token."""

    person: str
    sid: str
    scope: str
    #: When the token ends, as Unix time in seconds.
    expires_at: float = 0.0


def mint(secret: str, *, person: str, days: float, sid: str | None = None, scope: str = "jobs") -> str:
    """A token for a person; the session is a new one unless `sid` is given."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": person,
        "sid": sid or secrets.token_hex(8),
        "iat": now,
        "exp": now + int(days * 86400),
        "jti": secrets.token_hex(8),
        "scope": scope,
    }
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def verify(secret: str, token: str) -> Principal:
    """Read a token; raises Problem 401 with what to do."""
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
        raise _sign_in("Your sign-in has expired. Sign in again; uploads and jobs are kept.") from None
    except jwt.InvalidTokenError:
        raise _sign_in("The token is not one of this server. Sign in again, or ask your TD for a new token.") from None
    return Principal(
        person=str(claims["sub"]),
        sid=str(claims["sid"]),
        scope=str(claims.get("scope", "")),
        expires_at=float(claims["exp"]),
    )


def bearer(connection: HTTPConnection) -> str | None:
    """The token of the Authorization header, if there is one."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


async def principal(request: Request) -> Principal:
    """The caller of a request; every route but the health checks depends on it."""
    token = bearer(request)
    if token is None:
        raise _sign_in("No token was sent. Sign in (Preferences > Add-ons > Sendoff, or: sendoff sign-in).")
    return verify(request.app.state.parts.secret, token)


async def principal_of_form(request: Request) -> Principal:
    """The caller whose token is the field `access_token` of a form (RFC 6750, 2.2).

    A browser that saves a download cannot send a header with it, and a token does not belong into a URL.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise _sign_in(f"No token was sent. It has to be the field access_token of a form ({_FORM}).")
    body = await read_body(request, _FORM_BYTES, "The form")
    tokens = parse_qs(body.decode("utf-8", "replace")).get("access_token") or [""]
    return verify(request.app.state.parts.secret, tokens[0])


def _sign_in(detail: str) -> Problem:
    return Problem(401, "sign-in-required", "Sign in", detail)
