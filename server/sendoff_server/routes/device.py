"""Signing an application in by a code that somebody who is signed in approves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from .. import device_codes
from ..auth import Principal, principal
from ..bodies import read_json
from ..parts import parts_of
from ..problems import invalid

router = APIRouter(prefix="/v1/device")

Caller = Annotated[Principal, Depends(principal)]
_BYTES = 4096


@router.post("")
async def begin(request: Request, response: Response) -> dict[str, Any]:
    """A pair of codes for an application, which says what it is called."""
    response.headers["Cache-Control"] = "no-store"
    name = await _text(request, "name")
    address = request.client.host if request.client else ""
    made = await device_codes.make(parts_of(request).redis, name=name, address=address)
    return {
        "device_code": made.device_code,
        "user_code": made.user_code,
        "expires_seconds": device_codes.DEVICE_SECONDS,
        "interval_seconds": device_codes.INTERVAL_SECONDS,
    }


@router.post("/token")
async def token(request: Request, response: Response) -> dict[str, str]:
    """The token for a device code, once it is approved."""
    response.headers["Cache-Control"] = "no-store"
    code = await _text(request, "device_code")
    parts = parts_of(request)
    made, person = await device_codes.redeem(parts.redis, parts.secret, code)
    return {"token": made, "person": person}


@router.get("/{user_code}")
async def about(request: Request, _: Caller, user_code: str) -> dict[str, Any]:
    """Which application asks."""
    return await device_codes.about(parts_of(request).redis, user_code)


@router.post("/{user_code}/approve")
async def approve(request: Request, caller: Caller, user_code: str) -> dict[str, Any]:
    """Let it in as the caller."""
    return await device_codes.approve(parts_of(request).redis, user_code, caller)


async def _text(request: Request, name: str) -> str:
    body = await read_json(request, _BYTES, "The request")
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"The body has to be a JSON object with a text `{name}`.", field=name)
    return value.strip()
