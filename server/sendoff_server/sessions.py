"""Signing in: a session for an application, with a token of an hour and a refresh token that replaces itself."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool

from sendoff_store import people

from . import passwords
from .auth import mint_for_session, sign_in
from .parts import Parts
from .rate_limits import RateLimit

log = logging.getLogger("sendoff.server")

_WAIT = "Too many sign-ins were tried. Wait five minutes."
#: Whoever guesses is stopped by the first; the others keep many machines from doing it together, and keep the server
#: from hashing all day.
_OF_BOTH = RateLimit("sign-in", 10, 300, _WAIT)
_OF_PERSON = RateLimit("sign-in-person", 100, 300, _WAIT)
_OF_ADDRESS = RateLimit("sign-in-address", 100, 300, _WAIT)
_MOST_CLIENT_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """What an application gets: the session, and what it proves itself with."""

    person: str
    sid: str
    token: str
    refresh_token: str
    expires_seconds: int

    def to_dict(self) -> dict[str, Any]:
        """As the application reads it."""
        return {
            "person": self.person,
            "sid": self.sid,
            "token": self.token,
            "refresh_token": self.refresh_token,
            "expires_seconds": self.expires_seconds,
        }


async def by_password(parts: Parts, person: str, password: str, *, client: str, address: str) -> SignedIn:
    """Sign in by name and password; raises Problem 401, and 429 after many tries."""
    limits = ((_OF_BOTH, f"{address}:{person}"), (_OF_PERSON, person), (_OF_ADDRESS, address))
    for limit, who in limits:
        await limit.count(parts.redis, who)
    found = await parts.store.run(people.person(person)) if people.is_name(person) else None
    kept = found.password if found is not None else ""
    if not await run_in_threadpool(passwords.is_right, kept, password) or found is None:
        log.info("A sign-in from %s failed", address, extra={"action": "sign_in.failed"})
        raise sign_in("The name or the password is not right.")
    signed_in = await open_session(parts, person=person, role=found.role, client=client, address=address)
    await _OF_BOTH.forget(parts.redis, f"{address}:{person}")
    return signed_in


async def open_session(
    parts: Parts,
    *,
    person: str,
    role: str,
    client: str,
    address: str,
    ends_at: float = 0.0,
    seconds: float = 0.0,
    most: str = "",
) -> SignedIn:
    """Sign an application in as a person; raises Problem 401 where that person is disabled.

    Args:
        parts: The server's.
        person: Who it is.
        role: Where the person is not one of `people`; otherwise theirs counts.
        client: What the application calls itself.
        address: Where it signs in from.
        ends_at: No token of it is good for longer, Unix time in seconds; 0 for no such limit.
        seconds: How long it stays without being used; by default as the settings say.
        most: The highest role it may have; "" for the person's own.
    """
    sid, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    call = people.open_session(
        sid,
        person=person,
        role=role,
        refresh=_sha256(secret),
        client=client[:_MOST_CLIENT_CHARACTERS],
        address=address,
        seconds=seconds or parts.settings.session_days * 86400,
        ends_at=ends_at,
        most=most,
    )
    if not await parts.store.run(call):
        raise sign_in(f"{person} may not sign in any more. Ask your administrator.")
    log.info("%s signed in from %s with %s", person, address, client, extra={"action": "sign_in.done"})
    return _signed_in(parts, person, sid, secret, ends_at)


async def refresh(parts: Parts, refresh_token: str) -> SignedIn:
    """New tokens for a session, in exchange for its refresh token; raises Problem 401."""
    sid, _, given = refresh_token.partition(".")
    following = secrets.token_urlsafe(32)
    seconds = parts.settings.token_seconds
    call = people.refresh(sid[:64], given=_sha256(given), following=_sha256(following), token_seconds=seconds)
    found = await parts.store.run(call)
    if found.outcome == "reused":
        log.warning(
            "The session %s of %s was ended: a refresh token of it was used twice, so that somebody copied it",
            sid, found.person, extra={"action": "sign_in.reused"},
        )  # fmt: skip
    if found.outcome == "disabled":
        raise sign_in("You may not sign in any more. Ask your administrator.")
    if found.outcome != "refreshed" or 0 < found.ends_at <= time.time():
        raise sign_in("Your sign-in has ended. Sign in again; uploads and jobs are kept.")
    return _signed_in(parts, found.person, sid, following, found.ends_at)


def _signed_in(parts: Parts, person: str, sid: str, refresh_secret: str, ends_at: float) -> SignedIn:
    seconds = float(parts.settings.token_seconds)
    if ends_at:
        seconds = min(seconds, ends_at - time.time())
    token = mint_for_session(parts.secret, person=person, seconds=seconds, sid=sid, ends_at=ends_at)
    return SignedIn(
        person=person, sid=sid, token=token, refresh_token=f"{sid}.{refresh_secret}", expires_seconds=int(seconds)
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
