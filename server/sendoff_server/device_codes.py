"""Signing a device in without typing a token there (the device flow of RFC 8628).

An application asks for a pair of codes and shows the short one. Somebody who is signed in already approves it, with
`sendoff approve`; the application, which asks with the long code, then gets a token for that person, in a session of
its own. A token never outlives the sign-in that it was approved by.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import redis.asyncio

from .auth import Principal, mint
from .problems import Problem

DEVICE_SECONDS = 600
#: An application asks so often, and is told to slow down where it asks twice as often.
INTERVAL_SECONDS = 3
#: So many codes an address may have waiting: each is a key in Redis.
MOST_WAITING = 20
MOST_NAME_CHARACTERS = 80
#: Without vowels, so that no word comes of it, and without what looks alike.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_CODE_LETTERS = 8


@dataclass(frozen=True)
class DeviceCode:
    """A new pair."""

    #: For the application alone.
    device_code: str = ""
    #: For people: "BCDF-GHJK".
    user_code: str = ""


async def make(client: redis.asyncio.Redis, *, name: str, address: str) -> DeviceCode:
    """A pair for an application that calls itself `name`; raises Problem 429 where its address has many waiting."""
    waiting = f"device:waiting:{address}"
    async with client.pipeline(transaction=True) as both:
        both.set(waiting, 0, ex=DEVICE_SECONDS, nx=True)
        both.incr(waiting)
        count = (await both.execute())[1]
    if count > MOST_WAITING:
        raise Problem(429, "too-many", "Too many", "Too many sign-ins were begun on this machine. Wait ten minutes.")
    made = DeviceCode(secrets.token_urlsafe(32), _user_code())
    state = {"user_code": made.user_code, "name": name[:MOST_NAME_CHARACTERS], "address": address}
    await client.set(_state_key(made.device_code), json.dumps(state), ex=DEVICE_SECONDS)
    await client.set(_code_key(made.user_code), _state_key(made.device_code), ex=DEVICE_SECONDS)
    return made


async def about(client: redis.asyncio.Redis, user_code: str) -> dict[str, Any]:
    """Who asks: `name` and `address`; raises Problem 404 where there is no such code."""
    _, state = await _find(client, user_code)
    return {"name": state["name"], "address": state["address"]}


async def approve(client: redis.asyncio.Redis, user_code: str, caller: Principal) -> dict[str, Any]:
    """Let the application in as the caller; returns who asked. Raises Problem 404, and 403 for a browser's token."""
    key, state = await _find(client, user_code)
    if "person" in state:
        raise Problem(409, "conflict", "Approved already", "This code was approved already.")
    state |= {"person": caller.person, "scope": caller.scope, "expires_at": caller.expires_at}
    await client.set(key, json.dumps(state), keepttl=True)
    await client.delete(_code_key(user_code))
    return {"name": state["name"], "address": state["address"]}


async def redeem(client: redis.asyncio.Redis, secret: str, device_code: str) -> tuple[str, str]:
    """The token and the person, once it is approved; the code is spent then.

    Raises Problem 400 with the kinds of RFC 8628: authorization-pending, slow-down, expired-token.
    """
    key = _state_key(device_code)
    if not await client.set(f"{key}:asked", 1, px=INTERVAL_SECONDS * 500, nx=True):
        raise Problem(400, "slow-down", "Slow down", f"Ask every {INTERVAL_SECONDS} seconds.")
    text = await client.get(key)
    if text is None:
        raise _expired()
    state = json.loads(text)
    if "person" not in state:
        detail = f"Nobody has approved {state['user_code']} yet."
        raise Problem(400, "authorization-pending", "Waiting", detail)
    if await client.getdel(key) is None:  # somebody else has just spent it
        raise _expired()
    seconds = state["expires_at"] - time.time()
    if seconds < 1:
        raise _expired()
    token = mint(secret, person=state["person"], days=seconds / 86400, scope=state["scope"])
    return token, state["person"]


async def _find(client: redis.asyncio.Redis, user_code: str) -> tuple[str, dict[str, Any]]:
    key = await client.get(_code_key(user_code))
    text = await client.get(key) if key is not None else None
    if key is None or text is None:
        detail = "There is no such code, or it is older than ten minutes. Begin the sign-in again."
        raise Problem(404, "not-found", "Not found", detail)
    return key.decode() if isinstance(key, bytes) else str(key), json.loads(text)


def _user_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
    return f"{letters[:4]}-{letters[4:]}"


def _state_key(device_code: str) -> str:
    return f"device:state:{hashlib.sha256(device_code.encode()).hexdigest()}"


def _code_key(user_code: str) -> str:
    plain = "".join(letter for letter in user_code.upper() if letter.isalpha())
    return f"device:code:{hashlib.sha256(plain.encode()).hexdigest()}"


def _expired() -> Problem:
    detail = "This sign-in is older than ten minutes or was finished already. Begin it again."
    return Problem(400, "expired-token", "Expired", detail)
