"""Codes that sign a browser in once: the add-on asks for one and opens the page with it, the page gives it back.

A code stands in the fragment of an address, which browsers never send. It is good for a minute and for one use; what
it gives is a token of an hour at most for the same person and session, which never outlives the sign-in it came from.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time

import redis.asyncio

from .auth import Principal, mint
from .problems import Problem

CODE_SECONDS = 60
TOKEN_SECONDS = 3600
#: So many wrong codes a client address may send within a minute.
MOST_WRONG = 20
_WRONG_SECONDS = 60


async def make_code(client: redis.asyncio.Redis, caller: Principal) -> str:
    """A new code for the caller."""
    code = secrets.token_urlsafe(24)
    kept = {"person": caller.person, "sid": caller.sid, "scope": caller.scope, "expires_at": caller.expires_at}
    await client.set(_key(code), json.dumps(kept), ex=CODE_SECONDS)
    return code


async def redeem(client: redis.asyncio.Redis, secret: str, code: str, *, address: str) -> tuple[str, str]:
    """Spend a code: the token for it and the person.

    Raises Problem 401 where it is wrong, spent or too old, and 429 after many wrong ones from the address.
    """
    wrong = f"page-code:wrong:{address}"
    if int(await client.get(wrong) or 0) >= MOST_WRONG:
        detail = "Too many wrong codes came from this machine. Wait a minute, then open the job from the add-on again."
        raise Problem(429, "too-many", "Too many tries", detail)
    text = await client.getdel(_key(code))
    if text is None:
        async with client.pipeline(transaction=True) as both:
            both.set(wrong, 0, ex=_WRONG_SECONDS, nx=True)
            both.incr(wrong)
            await both.execute()
        raise _ended("This link was used already or is older than a minute. Open the job from the add-on again.")
    kept = json.loads(text)
    seconds = min(TOKEN_SECONDS, kept["expires_at"] - time.time())
    if seconds < 1:
        raise _ended("Your sign-in has expired. Sign in again, then open the job from the add-on.")
    token = mint(secret, person=kept["person"], days=seconds / 86400, sid=kept["sid"], scope=kept["scope"])
    return token, kept["person"]


def _key(code: str) -> str:
    return f"page-code:{hashlib.sha256(code.encode()).hexdigest()}"


def _ended(detail: str) -> Problem:
    return Problem(401, "sign-in-required", "Sign in", detail)
