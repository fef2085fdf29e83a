"""WebSockets of events: one job's, or all of a session or a person."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from sendoff.protocol import CLOSE_NO_HELLO, CLOSE_NOT_FOUND
from sendoff_store import jobs

from ..auth import Principal
from ..hub import heartbeat_text
from ..parts import Parts, parts_of
from ..problems import Problem
from ..sockets import SEND_SECONDS, TRY_AGAIN_LATER, Refused, accepted, caller_by_header, caller_by_hello, close, hello
from ..watcher import Watcher
from .jobs import find_job

log = logging.getLogger("sendoff.events")
router = APIRouter(prefix="/v1")

_ATTACH_SECONDS = 10.0
_MOST_JOBS = 1000
#: Of a session that is watched as a whole, so many jobs are told at first; clients ask for others by id.
_NEWEST_JOBS = 200


class _Ended(Exception):
    """The socket was closed from here."""


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
        caller = await caller_by_header(socket)
        if caller is not None:
            await find_job(parts, caller, job)
    except Problem as problem:
        await socket.send_denial_response(problem.response())
        return
    async with _watching(parts, socket) as watcher:
        if caller is None:
            caller = await caller_by_hello(socket, await hello(socket))
            await find_job(parts, caller, job)
        async with asyncio.timeout(_ATTACH_SECONDS):
            is_there = await parts.hub.attach(watcher, job, after=after, epoch=epoch or None)
        if not is_there:
            raise Refused(CLOSE_NOT_FOUND, "no such job")
        await _serve(parts, socket, watcher, caller)


@router.websocket("/events")
async def all_events(socket: WebSocket) -> None:
    """Events of some jobs, or of all of the session, told by the hello.

    "scope": "person" means all of the person, "studio" everybody's, for who may see them.
    """
    parts = parts_of(socket)
    try:
        caller = await caller_by_header(socket)
    except Problem as problem:
        await socket.send_denial_response(problem.response())
        return
    async with _watching(parts, socket) as watcher:
        first = await hello(socket)
        caller = caller or await caller_by_hello(socket, first)
        chosen, after = _wanted(first)
        if chosen is None:
            scope = first.get("scope")
            watcher.is_of_all = scope == "studio" and caller.sees_all
            watcher.person = caller.person if scope in ("person", "studio") and not watcher.is_of_all else None
            watcher.sid = None if watcher.is_of_all or watcher.person else caller.sid
            parts.hub.register(watcher)
            chosen = await _newest(parts, caller, watcher)
            chosen += [job for job in after if job not in chosen]
        async with asyncio.timeout(_ATTACH_SECONDS):
            await _attach_all(parts, caller, watcher, chosen, after)
        watcher.heartbeat(heartbeat_text())
        await _serve(parts, socket, watcher, caller)


@contextlib.asynccontextmanager
async def _watching(parts: Parts, socket: WebSocket) -> AsyncIterator[Watcher]:
    """A watcher for a socket, for as long as the socket lives."""
    watcher = Watcher()
    try:
        async with accepted(socket):
            yield watcher
    finally:
        parts.hub.leave(watcher)


async def _attach_all(
    parts: Parts, caller: Principal, watcher: Watcher, chosen: list[str], after: dict[str, tuple[int, int]]
) -> None:
    for job in chosen:
        epoch, seq = after.get(job, (None, None))
        record = await parts.store.run(jobs.snapshot(job)) if job.isalnum() else None
        if record is not None and caller.may_see(record.owner):
            await parts.hub.attach(watcher, job, after=seq, epoch=epoch or None)


async def _newest(parts: Parts, caller: Principal, watcher: Watcher) -> list[str]:
    if watcher.is_of_all:
        call = jobs.list_of_all(limit=_NEWEST_JOBS)
    elif watcher.person:
        call = jobs.list_of_person(watcher.person, limit=_NEWEST_JOBS)
    else:
        call = jobs.list_of_session(caller.sid, limit=_NEWEST_JOBS)
    return [record.id for record in reversed((await parts.store.run(call)).jobs)]


async def _serve(parts: Parts, socket: WebSocket, watcher: Watcher, caller: Principal) -> None:
    """Send what waits until the socket is closed by either side; the first to end ends the other."""
    expires_at = float("inf") if caller.is_session else caller.expires_at
    parts.hub.keep_alive(watcher, session=(caller.sid, caller.person), expires_at=expires_at)
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
                await close(socket, watcher.closed, "")
                raise _Ended
            await watcher.wake.wait()
            continue
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await socket.send_text(text)
        except TimeoutError:
            log.info("A socket took nothing for %g s", SEND_SECONDS, extra={"action": "socket.too_slow"})
            await close(socket, TRY_AGAIN_LATER, "too slow")
            raise _Ended from None


def _wanted(first: dict[str, Any]) -> tuple[list[str] | None, dict[str, tuple[int, int]]]:
    """The jobs that are asked for (None: all), and how far the client got with each."""
    chosen, after = first.get("jobs"), first.get("after") or {}
    try:
        places = {str(job): (int(place[0]), int(place[1])) for job, place in after.items()}
        names = None if chosen is None else [str(job) for job in chosen]
    except (TypeError, ValueError, AttributeError, LookupError, OverflowError):
        raise Refused(CLOSE_NO_HELLO, "the hello cannot be read") from None
    if any(number < 0 for place in places.values() for number in place):
        raise Refused(CLOSE_NO_HELLO, "the hello cannot be read")
    if len(places) > _MOST_JOBS or len(names or ()) > _MOST_JOBS:
        raise Refused(CLOSE_NO_HELLO, f"more than {_MOST_JOBS} jobs")
    return names, places
