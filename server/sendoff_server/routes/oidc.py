"""Single sign-on in a browser: to the studio's sign-in service and back."""

from __future__ import annotations

import hmac
import re
import time
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from sendoff_store import people
from sendoff_store.people import Person

from .. import page_codes
from ..oidc import STATE_SECONDS, Identity, OidcFailed, role_of
from ..parts import Parts, parts_of
from ..problems import not_found

router = APIRouter()

#: Ties a sign-in to the browser that began it; it signs nobody in.
_COOKIE = "sendoff_sign_in"
_RETURN_TO = re.compile(r"/(device|jobs/[A-Za-z0-9]{1,64})")


@router.get("/v1/sign-in")
async def ways(request: Request) -> dict[str, Any]:
    """How people sign in here; for a page that asks them."""
    settings = parts_of(request).settings
    return {"oidc": {"name": settings.oidc_name} if settings.oidc_issuer else None}


@router.get("/oidc/sign-in")
async def begin(request: Request, return_to: str = "/device") -> Response:
    """Send a browser to the sign-in service."""
    parts = parts_of(request)
    if parts.oidc is None:
        raise not_found("This server has no single sign-on: SENDOFF_OIDC_ISSUER is not set.")
    if not _RETURN_TO.fullmatch(return_to):
        return_to = "/device"
    redirect_uri = _own_url(request, parts) + "/oidc/callback"
    try:
        url, state = await parts.oidc.begin(redirect_uri=redirect_uri, return_to=return_to)
    except OidcFailed as failed:
        return await _back(parts, return_to, problem=str(failed))
    response = _redirect(url)
    response.set_cookie(
        _COOKIE,
        state,
        max_age=STATE_SECONDS,
        path="/oidc",
        secure=redirect_uri.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/oidc/callback")
async def callback(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
    """Where the sign-in service sends a browser back to."""
    parts = parts_of(request)
    kept = await parts.oidc.spend(state) if parts.oidc is not None and state else None
    if parts.oidc is None or kept is None:
        return await _back(parts, "/device", problem="This sign-in is older than ten minutes. Try again.")
    return_to = kept["return_to"]
    if not hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), state.encode()):
        return await _back(parts, return_to, problem="This sign-in was begun in another browser. Try again.")
    if error or not code:
        return await _back(parts, return_to, problem="The sign-in service did not sign you in. Try again.")
    try:
        identity = await parts.oidc.identify(kept, code)
        role = await _take_in(parts, identity)
    except OidcFailed as failed:
        return await _back(parts, return_to, problem=str(failed))
    ends_at = time.time() + parts.settings.oidc_session_days * 86400
    made = await page_codes.keep(parts.redis, {"person": identity.person, "role": role, "ends_at": ends_at})
    return _redirect(f"{return_to}#sign-in={made}")


async def _take_in(parts: Parts, identity: Identity) -> str:
    """Have the person among ours, with the role that the groups give; raises OidcFailed."""
    name = identity.person
    if not people.is_name(name):
        raise OidcFailed(f"{name[:64]!r} is no name that this server takes. Ask your administrator.")
    role = role_of(parts.settings, identity.groups)
    if not role:
        raise OidcFailed(f"{name} is in no group that may sign in here. Ask your administrator.")
    await parts.store.run(people.add(Person(name=name, role=role, source="oidc")))
    found = await parts.store.run(people.person(name))
    if found is None or found.source != "oidc":
        raise OidcFailed(f"{name} signs in by a password here. Ask your administrator.")
    if found.is_disabled:
        raise OidcFailed(f"{name} may not sign in any more. Ask your administrator.")
    if found.role != role:
        await parts.store.run(people.change(name, role=role, token_seconds=parts.settings.token_seconds))
    return role


async def _back(parts: Parts, return_to: str, *, problem: str) -> Response:
    """Back to the page, which learns by a code what went wrong: nobody else can put words there."""
    made = await page_codes.keep(parts.redis, {"problem": problem})
    return _redirect(f"{return_to}#sign-in={made}")


def _redirect(url: str) -> Response:
    return Response(status_code=303, headers={"Location": quote(url, safe=":/%#?=@[]!$&'()*+,;~-._"),
                                              "Cache-Control": "no-store"})  # fmt: skip


def _own_url(request: Request, parts: Parts) -> str:
    return (parts.settings.public_url or str(request.base_url)).rstrip("/")
