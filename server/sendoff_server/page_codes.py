"""Codes that sign a browser in once: the add-on asks for one and opens the page with it, the page gives it back.

A code stands in the fragment of an address, which browsers never send. It is good for a minute and for one use; what
it gives is a session for the browser, which does not outlive a token with an end of its own that it came from.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from typing import Any

import redis.asyncio

from .auth import Principal, sign_in
from .parts import Parts
from .rate_limits import RateLimit
from .sessions import SignedIn, open_session

CODE_SECONDS = 60
#: So many wrong codes a client address may send within a minute.
WRONG = RateLimit(
    "page-code", 20, 60, "Too many wrong codes came from this machine. Wait a minute, then open the page again."
)
_CLIENT = "Browser"
#: So long a browser stays signed in without a page that is open; each code makes a session.
_SESSION_SECONDS = 12 * 3600


async def make_code(client: redis.asyncio.Redis, caller: Principal) -> str:
    """A new code for the caller."""
    return await keep(
        client, {"person": caller.person, "role": caller.role, "most": caller.most, "ends_at": caller.ends_at}
    )


async def keep(client: redis.asyncio.Redis, kept: dict[str, Any]) -> str:
    """A new code for what `redeem` is to give: `person`, `role`, `most` and `ends_at`, or a `problem` to tell."""
    code = secrets.token_urlsafe(24)
    await client.set(_key(code), json.dumps(kept), ex=CODE_SECONDS)
    return code


async def redeem(parts: Parts, code: str, *, address: str) -> SignedIn:
    """Spend a code: a session for the browser.

    Raises Problem 401 where it is wrong, spent or too old, and 429 after many wrong ones from the address.
    """
    await WRONG.check(parts.redis, address)
    text = await parts.redis.getdel(_key(code))
    if text is None:
        await WRONG.count(parts.redis, address)
        raise sign_in("This link was used already or is older than a minute. Open the job from the add-on again.")
    kept = json.loads(text)
    if "problem" in kept:
        raise sign_in(kept["problem"])
    if 0 < kept["ends_at"] <= time.time() + 1:
        raise sign_in("Your sign-in has expired. Sign in again, then open the job from the add-on.")
    return await open_session(
        parts,
        person=kept["person"],
        role=kept["role"],
        client=_CLIENT,
        address=address,
        ends_at=kept["ends_at"],
        seconds=_SESSION_SECONDS,
        most=kept.get("most", ""),
    )


def _key(code: str) -> str:
    return f"page-code:{hashlib.sha256(code.encode()).hexdigest()}"
