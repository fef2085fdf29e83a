"""WebSockets of events: one job's, or all of a session or a person."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
import redis.exceptions
from fastapi import APIRouter, Query, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from sendoff.protocol import (
    CLOSE_NO_HELLO,
    CLOSE_NOT_FOUND,
    CLOSE_SIGN_IN_REQUIRED,
    HELLO_SECONDS,
)
from sendoff_store import jobs

from ..auth import Principal, bearer, verify
from ..hub import heartbeat_text
from ..parts import Parts, parts_of
from ..problems import Problem
from ..watcher import Watcher
from .jobs import find_job

log = logging.getLogger("sendoff.events")
router = APIRouter(prefix="/v1")

_SEND_SECONDS = 5.0
_ATTACH_SECONDS = 10.0
#: RFC 6455's registry: the client comes back after a pause.
_TRY_AGAIN_LATER = 1013
_MOST_JOBS = 1000
#: Of a session that is watched as a whole, so many jobs are told at first; clients ask for others by id.
_NEWEST_JOBS = 200


class _Ended(Exception):
    """The socket was closed from here."""


class _Refused(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@router.websocket("/jobs/{job}/events")
async def job_events(
    socket: WebSocket,
    job: str,
    after: Annotated[int | None, Query(ge=0)] = None,
    epoch: Annotated[int | None, Query(ge=0)] = None,
) -> None:
    """One job's events, from after event `after` of `epoch`."""
    parts = parts_of(socket)
    try:
        caller = _caller_by_header(parts, socket)
        if caller is not None:
            await find_job(parts, caller, job)
    except Problem as problem:
        await socket.send_denial_response(problem.response())
        return
    async with _watching(parts, socket) as watcher:
        if caller is None:
            caller = _caller_by_hello(parts, await _hello(socket))
            await find_job(parts, caller, job)
        async with asyncio.timeout(_ATTACH_SECONDS):
            is_there = await parts.hub.attach(watcher, job, after=after, epoch=epoch or None)
        if not is_there:
            raise _Refused(CLOSE_NOT_FOUND, "no such job")
        await _serve(parts, socket, watcher, caller.expires_at)


@router.websocket("/events")
async def all_events(socket: WebSocket) -> None:
    """Events of some jobs, or of all of the session ("scope": "person": of the person), told by the hello."""
    parts = parts_of(socket)
    try:
        caller = _caller_by_header(parts, socket)
    except Problem as problem:
        await socket.send_denial_response(problem.response())
        return
    async with _watching(parts, socket) as watcher:
        hello = await _hello(socket)
        caller = caller or _caller_by_hello(parts, hello)
        chosen, after = _wanted(hello)
        if chosen is None:
            by_person = hello.get("scope") == "person"
            watcher.person, watcher.sid = (caller.person, None) if by_person else (None, caller.sid)
            parts.hub.register(watcher)
            chosen = await _newest(parts, caller, by_person)
            chosen += [job for job in after if job not in chosen]
        async with asyncio.timeout(_ATTACH_SECONDS):
            await _attach_all(parts, caller, watcher, chosen, after)
        watcher.heartbeat(heartbeat_text())
        await _serve(parts, socket, watcher, caller.expires_at)


@contextlib.asynccontextmanager
async def _watching(parts: Parts, socket: WebSocket) -> AsyncIterator[Watcher]:
    """Accept a socket, and close it with the code that says why, whatever ends the block."""
    await socket.accept()
    watcher = Watcher()
    try:
        yield watcher
    except Problem as problem:
        await _close(socket, CLOSE_SIGN_IN_REQUIRED if problem.status == 401 else CLOSE_NOT_FOUND, problem.title)
    except _Refused as refused:
        await _close(socket, refused.code, refused.reason)
    except (TimeoutError, redis.exceptions.RedisError) as error:
        log.warning("A socket has to come back, since Redis does not answer: %r", error,
                    extra={"action": "socket.redis_unavailable"})  # fmt: skip
        await _close(socket, _TRY_AGAIN_LATER, "try again later")
    except (WebSocketDisconnect, RuntimeError):
        pass  # it left
    finally:
        parts.hub.leave(watcher)


async def _attach_all(
    parts: Parts, caller: Principal, watcher: Watcher, chosen: list[str], after: dict[str, tuple[int, int]]
) -> None:
    for job in chosen:
        epoch, seq = after.get(job, (None, None))
        record = await parts.store.run(jobs.snapshot(job)) if job.isalnum() else None
        if record is not None and record.owner == caller.person:
            await parts.hub.attach(watcher, job, after=seq, epoch=epoch or None)


async def _newest(parts: Parts, caller: Principal, by_person: bool) -> list[str]:
    call = (
        jobs.list_of_person(caller.person, limit=_NEWEST_JOBS)
        if by_person
        else jobs.list_of_session(caller.sid, limit=_NEWEST_JOBS)
    )
    return [record.id for record in reversed((await parts.store.run(call)).jobs)]


async def _serve(parts: Parts, socket: WebSocket, watcher: Watcher, expires_at: float) -> None:
    """Send what waits until the socket is closed by either side; the first to end ends the other."""
    parts.hub.keep_alive(watcher, expires_at)
    try:
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(_write(socket, watcher))
            await _drain(socket)
            writer.cancel()
    except* (_Ended, WebSocketDisconnect, RuntimeError):
        pass
    except* Exception as errors:
        log.warning("A socket ended: %r", errors.exceptions, extra={"action": "socket.failed"})


async def _drain(socket: WebSocket) -> None:
    """Read and forget, until the other side goes."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _write(socket: WebSocket, watcher: Watcher) -> None:
    """Send what waits for the watcher; raises _Ended once its socket is closed from here."""
    while True:
        text = watcher.next_text()
        if text is None:
            if watcher.closed is not None:
                await _close(socket, watcher.closed, "")
                raise _Ended
            await watcher.wake.wait()
            continue
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await socket.send_text(text)
        except TimeoutError:
            log.info("A socket took nothing for %g s", _SEND_SECONDS, extra={"action": "socket.too_slow"})
            await _close(socket, _TRY_AGAIN_LATER, "too slow")
            raise _Ended from None


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    if socket.application_state is not WebSocketState.DISCONNECTED:
        with contextlib.suppress(RuntimeError, TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(_SEND_SECONDS):
                await socket.close(code, reason)


async def _hello(socket: WebSocket) -> dict[str, Any]:
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            text = await socket.receive_text()
    except TimeoutError:
        raise _Refused(CLOSE_NO_HELLO, "no hello came in time") from None
    except KeyError:
        raise _Refused(CLOSE_NO_HELLO, "the hello has to be text") from None
    try:
        hello = orjson.loads(text)
    except orjson.JSONDecodeError:
        hello = None
    if not isinstance(hello, dict):
        raise _Refused(CLOSE_NO_HELLO, "the hello has to be a JSON object")
    return hello


def _wanted(hello: dict[str, Any]) -> tuple[list[str] | None, dict[str, tuple[int, int]]]:
    """The jobs that are asked for (None: all), and how far the client got with each."""
    chosen, after = hello.get("jobs"), hello.get("after") or {}
    try:
        places = {str(job): (int(place[0]), int(place[1])) for job, place in after.items()}
        names = None if chosen is None else [str(job) for job in chosen]
    except (TypeError, ValueError, AttributeError, LookupError, OverflowError):
        raise _Refused(CLOSE_NO_HELLO, "the hello cannot be read") from None
    if len(places) > _MOST_JOBS or len(names or ()) > _MOST_JOBS:
        raise _Refused(CLOSE_NO_HELLO, f"more than {_MOST_JOBS} jobs")
    return names, places


def _caller_by_header(parts: Parts, socket: WebSocket) -> Principal | None:
    token = bearer(socket)
    return None if token is None else verify(parts.secret, token)


def _caller_by_hello(parts: Parts, hello: dict[str, Any]) -> Principal:
    return verify(parts.secret, str(hello.get("token") or ""))
