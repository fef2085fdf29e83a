"""Signing an application in by a code that somebody who is signed in approves."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response, WebSocket

from sendoff.protocol import CLOSE_NO_HELLO, CLOSE_NOT_FOUND

from .. import device_codes
from ..auth import Principal, principal
from ..bodies import read_texts
from ..parts import parts_of
from ..problems import Problem
from ..sockets import TRY_AGAIN_LATER, Refused, accepted, check_origin, hello
from .sessions import address_of

router = APIRouter(prefix="/v1/device")

Caller = Annotated[Principal, Depends(principal)]
_BYTES = 4096
#: Each has a connection to Redis of its own.
_MOST_WAITING_SOCKETS = 200
_waiting = asyncio.Semaphore(_MOST_WAITING_SOCKETS)


@router.post("")
async def begin(request: Request, response: Response) -> dict[str, Any]:
    """A pair of codes for an application, which says what it is called."""
    response.headers["Cache-Control"] = "no-store"
    given = await read_texts(request, _BYTES, "The request", "name")
    made = await device_codes.make(parts_of(request).redis, name=given["name"], address=address_of(request))
    return {
        "device_code": made.device_code,
        "user_code": made.user_code,
        "expires_seconds": device_codes.DEVICE_SECONDS,
        "interval_seconds": device_codes.INTERVAL_SECONDS,
    }


@router.post("/token")
async def token(request: Request, response: Response) -> dict[str, Any]:
    """The session for a device code, once it is approved."""
    response.headers["Cache-Control"] = "no-store"
    given = await read_texts(request, _BYTES, "The request", "device_code")
    made = await device_codes.redeem(parts_of(request), given["device_code"], address=address_of(request))
    return made.to_dict()


@router.websocket("/events")
async def events(socket: WebSocket) -> None:
    """The same, told when it is approved: the first message is `{"device_code": ...}`, the answer the session."""
    try:
        check_origin(socket)
    except Problem as problem:
        await socket.send_denial_response(problem.response())
        return
    async with accepted(socket):
        first = await hello(socket)
        code = first.get("device_code")
        if not isinstance(code, str):
            raise Refused(CLOSE_NO_HELLO, "the hello has to have a device_code")
        if _waiting.locked():
            raise Refused(TRY_AGAIN_LATER, "too many wait")
        async with _waiting:
            address = socket.client.host if socket.client else ""
            waiting = asyncio.ensure_future(device_codes.wait(parts_of(socket), code, address=address))
            left = asyncio.ensure_future(socket.receive())
            try:
                await asyncio.wait({waiting, left}, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    return
                made = waiting.result()
            except Problem as problem:
                raise Refused(CLOSE_NOT_FOUND, problem.kind) from problem
            finally:
                for one in (waiting, left):
                    one.cancel()
            await socket.send_text(orjson.dumps(made.to_dict()).decode())


@router.get("/{user_code}")
async def about(request: Request, caller: Caller, user_code: str) -> dict[str, Any]:
    """Which application asks."""
    return await device_codes.about(parts_of(request).redis, user_code, caller)


@router.post("/{user_code}/approve")
async def approve(request: Request, caller: Caller, user_code: str) -> dict[str, Any]:
    """Let it in as the caller."""
    return await device_codes.approve(parts_of(request).redis, user_code, caller)
