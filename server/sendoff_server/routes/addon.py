"""The add-on for Blender: a static extension repository that every artist's Blender updates from. Needs no sign-in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from ..addon_repository import LIST, PAGE, AddonRepository
from ..parts import parts_of

router = APIRouter(prefix="/addon")

#: The page brings its own style and nothing that runs.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
}


@router.api_route("", methods=["GET", "HEAD"])
async def without_slash() -> Response:
    """The links of the page are relative to the folder."""
    return RedirectResponse("/addon/", 308)


@router.api_route("/", methods=["GET", "HEAD"])
async def folder(request: Request) -> Response:
    """The page for people; the list for a Blender that was given the folder's address."""
    name = LIST if request.headers.get("accept", "").strip() == "application/json" else PAGE
    return await _answer(request, name, {"Vary": "Accept"})


@router.api_route("/{name:path}", methods=["GET", "HEAD"])
async def file(request: Request, name: str) -> Response:
    """A file of the repository."""
    return await _answer(request, name, {})


async def _answer(request: Request, name: str, headers: dict[str, str]) -> Response:
    repository = AddonRepository(parts_of(request).settings.addon_folder)
    found = await run_in_threadpool(repository.read, name)
    return found.answer(request, _HEADERS | headers)
