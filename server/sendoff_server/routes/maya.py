"""The plug-in for Maya: a page on how to install it, and its zip. Needs no sign-in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from ..maya_module import PAGE, MayaModule
from ..parts import parts_of

router = APIRouter(prefix="/maya")

#: The page brings nothing that runs.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}


@router.api_route("", methods=["GET", "HEAD"])
async def without_slash() -> Response:
    """The links of the page are relative to the folder."""
    return RedirectResponse("/maya/", 308)


@router.api_route("/", methods=["GET", "HEAD"])
async def folder(request: Request) -> Response:
    """The page."""
    return await _answer(request, PAGE)


@router.api_route("/{name}", methods=["GET", "HEAD"])
async def file(request: Request, name: str) -> Response:
    """The zip."""
    return await _answer(request, name)


async def _answer(request: Request, name: str) -> Response:
    module = MayaModule(parts_of(request).settings.maya_folder)
    found = await run_in_threadpool(module.read, name, server=str(request.base_url).rstrip("/"))
    return found.answer(request, _HEADERS)
