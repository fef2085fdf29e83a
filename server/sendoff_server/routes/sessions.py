"""Signing in and out, and where a person is signed in."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from sendoff_store import people

from .. import sessions
from ..auth import Principal, principal
from ..bodies import read_texts
from ..parts import parts_of
from ..problems import not_found

router = APIRouter(prefix="/v1/sessions")

Caller = Annotated[Principal, Depends(principal)]
_BYTES = 4096
_UNNAMED = "an application"


@router.post("")
async def sign_in(request: Request, response: Response) -> dict[str, Any]:
    """Sign in by name and password: a session with its tokens."""
    response.headers["Cache-Control"] = "no-store"
    given = await read_texts(request, _BYTES, "The sign-in", "person", "password", client=_UNNAMED)
    found = await sessions.by_password(
        parts_of(request),
        given["person"].strip(),
        given["password"],
        client=given["client"],
        address=address_of(request),
    )
    return found.to_dict()


@router.post("/refresh")
async def refresh(request: Request, response: Response) -> dict[str, Any]:
    """New tokens for a session, whose refresh token is replaced."""
    response.headers["Cache-Control"] = "no-store"
    given = await read_texts(request, _BYTES, "The request", "refresh_token")
    return (await sessions.refresh(parts_of(request), given["refresh_token"])).to_dict()


@router.get("")
async def list_sessions(request: Request, caller: Caller) -> dict[str, Any]:
    """Where the caller is signed in; `current` is the one that asks."""
    found = await parts_of(request).store.run(people.sessions(caller.person))
    return {"sessions": [asdict(one) | {"current": one.sid == caller.sid} for one in found]}


@router.delete("/{sid}", status_code=204)
async def end(request: Request, caller: Caller, sid: str) -> Response:
    """Sign out one of the caller's sessions ("current": the one that asks), or as an admin anybody's."""
    parts = parts_of(request)
    sid = caller.sid if sid == "current" else sid
    if sid != caller.sid:
        found = await parts.store.run(people.session(sid)) if sid.isalnum() else None
        if found is None or (found.person != caller.person and caller.role != "admin"):
            raise not_found(f"There is no session {sid[:40]} of yours.")
    seconds = parts.settings.token_seconds if sid != caller.sid else max(caller.expires_at - time.time(), 1)
    await parts.store.run(people.end_session(sid, token_seconds=seconds))
    return Response(status_code=204)


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""
