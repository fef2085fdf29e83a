"""What every WebSocket goes through: who may open one, its first message, and the code that it is closed with."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import orjson
import redis.exceptions
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from sendoff.protocol import CLOSE_NO_HELLO, CLOSE_NOT_FOUND, CLOSE_SIGN_IN_REQUIRED, HELLO_SECONDS

from .auth import Principal, bearer, verify
from .parts import parts_of
from .problems import Problem

log = logging.getLogger("sendoff.events")

#: RFC 6455's registry: the client comes back after a pause.
TRY_AGAIN_LATER = 1013
SEND_SECONDS = 5.0


class Refused(Exception):
    """The socket is closed with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def caller_by_header(socket: WebSocket) -> Principal | None:
    """Who opens a socket; None for a browser, which can only tell by its first message. Raises Problem 401, 403."""
    token = bearer(socket)
    if token is not None:
        return await verify(parts_of(socket), token)
    check_origin(socket)
    return None


async def caller_by_hello(socket: WebSocket, first: dict[str, Any]) -> Principal:
    """Who opened a socket, by its first message; raises Problem 401."""
    return await verify(parts_of(socket), str(first.get("token") or ""))


@contextlib.asynccontextmanager
async def accepted(socket: WebSocket) -> AsyncIterator[None]:
    """Accept a socket, and close it with the code that says why, whatever ends the block."""
    await socket.accept()
    try:
        yield
        await close(socket, 1000, "")
    except Problem as problem:
        await close(socket, CLOSE_SIGN_IN_REQUIRED if problem.status == 401 else CLOSE_NOT_FOUND, problem.title)
    except Refused as refused:
        await close(socket, refused.code, refused.reason)
    except (TimeoutError, redis.exceptions.RedisError) as error:
        log.warning("A socket has to come back, since Redis does not answer: %r", error,
                    extra={"action": "socket.redis_unavailable"})  # fmt: skip
        await close(socket, TRY_AGAIN_LATER, "try again later")
    except (WebSocketDisconnect, RuntimeError):
        pass  # it left


async def hello(socket: WebSocket) -> dict[str, Any]:
    """The first message; raises Refused."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            text = await socket.receive_text()
    except TimeoutError:
        raise Refused(CLOSE_NO_HELLO, "no hello came in time") from None
    except KeyError:
        raise Refused(CLOSE_NO_HELLO, "the hello has to be text") from None
    try:
        first = orjson.loads(text)
    except orjson.JSONDecodeError:
        first = None
    if not isinstance(first, dict):
        raise Refused(CLOSE_NO_HELLO, "the hello has to be a JSON object")
    return first


async def close(socket: WebSocket, code: int, reason: str) -> None:
    """Close a socket, unless the other side has; returns in time either way."""
    if socket.application_state is not WebSocketState.DISCONNECTED:
        with contextlib.suppress(RuntimeError, TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(SEND_SECONDS):
                await socket.close(code, reason)


def check_origin(socket: WebSocket) -> None:
    """No page of another site may open one in a person's browser; raises Problem 403."""
    origin = socket.headers.get("origin")
    if origin is None:
        return
    allowed = {urlsplit(f"//{socket.headers.get('host', '')}").hostname}
    allowed |= {urlsplit(one).hostname for one in parts_of(socket).settings.origin_list}
    try:
        asks = urlsplit(origin).hostname
    except ValueError:
        asks = None
    if asks is None or asks not in allowed:
        detail = (
            f"A page of {origin[:100]} may not speak to this server. An administrator can allow it by SENDOFF_ORIGINS."
        )
        raise Problem(403, "forbidden", "Not allowed", detail)
