"""Signing a device in without typing a token there (the device flow of RFC 8628).

An application asks for a pair of codes and shows the short one. Somebody who is signed in already approves it, with
`sendoff approve`; the application, which waits with the long code, is then signed in as that person, in a session of
its own. That does not outlive a token with an end of its own that it was approved by.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import redis.asyncio

from .auth import Principal
from .parts import Parts
from .problems import Problem
from .rate_limits import RateLimit
from .sessions import SignedIn, open_session

DEVICE_SECONDS = 600
#: An application asks so often, and is told to slow down where it asks twice as often.
INTERVAL_SECONDS = 3
#: So many codes an address may have waiting: each is a key in Redis.
WAITING = RateLimit("device", 20, DEVICE_SECONDS, "Too many sign-ins were begun on this machine. Wait ten minutes.")
#: For one who guesses at what somebody else is about to approve.
LOOKED_UP = RateLimit("device-code", 20, 300, "Too many codes were tried. Wait five minutes.")
MOST_NAME_CHARACTERS = 80
#: In case what was published did not come.
_LOOK_AGAIN_SECONDS = 5.0
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
    await WAITING.count(client, address)
    made = DeviceCode(secrets.token_urlsafe(32), _user_code())
    state = {"user_code": made.user_code, "name": name[:MOST_NAME_CHARACTERS], "address": address}
    await client.set(_state_key(made.device_code), json.dumps(state), ex=DEVICE_SECONDS)
    await client.set(_code_key(made.user_code), _state_key(made.device_code), ex=DEVICE_SECONDS)
    return made


async def about(client: redis.asyncio.Redis, user_code: str, caller: Principal) -> dict[str, Any]:
    """Who asks: `name` and `address`; raises Problem 404 where there is no such code."""
    _, state = await _find(client, user_code, caller)
    return {"name": state["name"], "address": state["address"]}


async def approve(client: redis.asyncio.Redis, user_code: str, caller: Principal) -> dict[str, Any]:
    """Let the application in as the caller; returns who asked. Raises Problem 404, 409."""
    key, state = await _find(client, user_code, caller)
    if "person" in state or not await client.delete(_code_key(user_code)):  # of two at once one comes first
        raise Problem(409, "conflict", "Approved already", "This code was approved already.")
    state |= {"person": caller.person, "role": caller.role, "most": caller.most, "ends_at": caller.ends_at}
    await client.set(key, json.dumps(state), keepttl=True, xx=True)
    await client.publish(_channel(key), "approved")
    return {"name": state["name"], "address": state["address"]}


async def redeem(parts: Parts, device_code: str, *, address: str) -> SignedIn:
    """Sign the application in, once it is approved; the code is spent then.

    Raises Problem 400 with the kinds of RFC 8628: authorization-pending, slow-down, expired-token.
    """
    key = _state_key(device_code)
    if not await parts.redis.set(f"{key}:asked", 1, px=INTERVAL_SECONDS * 500, nx=True):
        raise Problem(400, "slow-down", "Slow down", f"Ask every {INTERVAL_SECONDS} seconds.")
    return await _redeem(parts, key, address)


async def wait(parts: Parts, device_code: str, *, address: str) -> SignedIn:
    """The same for an application that is told: returns as soon as it is approved. Raises Problem 400."""
    key = _state_key(device_code)
    async with parts.redis.pubsub(ignore_subscribe_messages=True) as told:
        await told.subscribe(_channel(key))
        async with asyncio.timeout(DEVICE_SECONDS):
            while True:
                try:
                    return await _redeem(parts, key, address)
                except Problem as problem:
                    if problem.kind != "authorization-pending":
                        raise
                await told.get_message(timeout=_LOOK_AGAIN_SECONDS)


async def _redeem(parts: Parts, key: str, address: str) -> SignedIn:
    text = await parts.redis.get(key)
    if text is None:
        raise _expired()
    state = json.loads(text)
    if "person" not in state:
        detail = f"Nobody has approved {state['user_code']} yet."
        raise Problem(400, "authorization-pending", "Waiting", detail)
    if await parts.redis.getdel(key) is None or 0 < state["ends_at"] <= time.time():  # or somebody has just spent it
        raise _expired()
    return await open_session(
        parts,
        person=state["person"],
        role=state["role"],
        client=state["name"],
        address=address,
        ends_at=state["ends_at"],
        most=state["most"],
    )


async def _find(client: redis.asyncio.Redis, user_code: str, caller: Principal) -> tuple[str, dict[str, Any]]:
    await LOOKED_UP.count(client, caller.sid)
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


def _channel(key: str) -> str:
    """Where it is told that a code was approved."""
    return f"{key}:approved"


def _expired() -> Problem:
    detail = "This sign-in is older than ten minutes or was finished already. Begin it again."
    return Problem(400, "expired-token", "Expired", detail)
