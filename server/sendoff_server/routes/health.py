"""Is it alive, can it work, and the numbers."""

from __future__ import annotations

from typing import Annotated

import redis.exceptions
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from sendoff_store.errors import DiskFull

from .. import metrics
from ..auth import Principal, principal
from ..parts import parts_of
from ..problems import Problem

router = APIRouter()

_CANARY_SECONDS = 2.0


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> dict[str, str]:
    """The process can serve: a message that is published comes back, and chunks can be written."""
    parts = parts_of(request)
    try:
        await parts.redis.ping()
    except redis.exceptions.RedisError:
        raise _not_ready("Redis does not answer.") from None
    if not await parts.hub.is_live(_CANARY_SECONDS):
        raise _not_ready("Redis answers, but published messages do not arrive.")
    try:
        await run_in_threadpool(parts.blobs.check_writable)
    except (DiskFull, OSError) as error:
        raise _not_ready(f"Chunks cannot be written: {error}") from error
    return {"status": "ready"}


@router.get("/metrics")
async def show_metrics(request: Request, _: Annotated[Principal, Depends(principal)]) -> Response:
    """For Prometheus."""
    return Response(await metrics.render(parts_of(request)), media_type=CONTENT_TYPE_LATEST)


def _not_ready(detail: str) -> Problem:
    return Problem(503, "not-ready", "Not ready", detail)
