"""The pages, and how a browser gets a token for them. What is served is the same for everybody and every job."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from .. import page_codes
from ..auth import Principal, principal
from ..bodies import read_texts
from ..parts import parts_of
from ..problems import not_found
from ..static_files import StaticFile
from .sessions import address_of

router = APIRouter()

_FILES = {
    entry.name: StaticFile(entry.name, entry.read_bytes())
    for entry in files("sendoff_server").joinpath("page").iterdir()
    if entry.name.endswith((".html", ".js", ".css", ".svg", ".txt"))
}
_CODE_BYTES = 4096
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")


@router.api_route("/", methods=["GET", "HEAD"])
async def monitor_page(request: Request) -> Response:
    """The page that shows all jobs, the workers and the queues."""
    return _FILES["monitor.html"].answer(request, _headers(request))


@router.api_route("/jobs", methods=["GET", "HEAD"])
@router.api_route("/jobs/", methods=["GET", "HEAD"])
async def to_monitor() -> Response:
    """Where somebody lands who cuts the job off a page's address."""
    return RedirectResponse("/", 308)


@router.api_route("/jobs/{job}", methods=["GET", "HEAD"])
async def job_page(request: Request, job: str) -> Response:  # noqa: ARG001 - the page reads it from its own address
    """The page that shows a job live."""
    return _FILES["job.html"].answer(request, _headers(request))


@router.api_route("/device", methods=["GET", "HEAD"])
async def device_page(request: Request) -> Response:
    """The page on which somebody lets an application in that shows a code."""
    return _FILES["device.html"].answer(request, _headers(request))


@router.api_route("/page/{name}", methods=["GET", "HEAD"])
async def page_file(request: Request, name: str) -> Response:
    """A file that the page needs."""
    if name not in _FILES:
        raise not_found(f"The page has no file {name[:100]!r}.")
    return _FILES[name].answer(request, _headers(request))


@router.post("/v1/page-codes")
async def make_code(
    request: Request, response: Response, caller: Annotated[Principal, Depends(principal)]
) -> dict[str, Any]:
    """A code that signs a browser in once, within a minute."""
    response.headers["Cache-Control"] = "no-store"
    code = await page_codes.make_code(parts_of(request).redis, caller)
    return {"code": code, "expires_seconds": page_codes.CODE_SECONDS}


@router.post("/v1/page-codes/redeem")
async def redeem_code(request: Request, response: Response) -> dict[str, Any]:
    """A session for a code, which is spent."""
    response.headers["Cache-Control"] = "no-store"
    given = await read_texts(request, _CODE_BYTES, "The request", "code")
    made = await page_codes.redeem(parts_of(request), given["code"], address=address_of(request))
    return made.to_dict()


def _headers(request: Request) -> dict[str, str]:
    """What a page may do: run its own scripts, speak to this server, show what it has fetched, and nothing else."""
    host = request.headers.get("host", "")
    # Safari before 15.4 does not count WebSockets of the page's own host as 'self'.
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' blob: data:; connect-src 'self' blob: data:{sockets}; form-action 'self'; frame-src 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    }
