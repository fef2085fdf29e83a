"""A job's result and its log, to be downloaded; in parts where a download goes on."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from sendoff.errors import ManifestError
from sendoff.manifest import FileEntry, Manifest
from sendoff_store import jobs
from sendoff_store.blobs import BlobStore
from sendoff_store.files import read_range

from ..auth import Principal, principal, principal_of_form
from ..parts import parts_of
from ..problems import Problem, not_found
from .jobs import find_job

router = APIRouter(prefix="/v1/jobs")
Caller = Annotated[Principal, Depends(principal)]

#: No log is longer.
_LOG_BYTES = 1 << 40
#: A single range; anything else is answered with the whole file, as RFC 9110 allows.
_RANGE = re.compile(r"bytes=(?!-$)(\d{0,18})-(\d{0,18})")


@router.api_route("/{job}/files/{path:path}", methods=["GET", "HEAD"])
async def file(request: Request, caller: Caller, job: str, path: str) -> Response:
    """A file of the result; `Range` and `If-Range` go on with a download, `ETag` is its sha256."""
    parts = parts_of(request)
    record = await find_job(parts, caller, job)
    try:
        files = Manifest.from_dict({"files": (record.result or {}).get("files") or []}).files
    except ManifestError as error:
        raise Problem(500, "internal", "The result is damaged", f"{error} Run the job again.") from error
    entry = next((entry for entry in files if entry.path == path), None)
    if entry is None:
        names = ", ".join(item.path for item in files[:20]) or "none (yet)"
        raise not_found(f"The job has no file {path[:200]!r}. It has: {names}.")
    lacking = await run_in_threadpool(parts.blobs.missing, [chunk.sha256 for chunk in entry.chunks])
    if lacking:
        raise Problem(410, "gone", "Gone", f"The file {path} is no longer kept. Run the job again.")
    return _answer(request, parts.blobs, entry)


@router.post("/{job}/files/{path:path}")
async def file_to_browser(
    request: Request, caller: Annotated[Principal, Depends(principal_of_form)], job: str, path: str
) -> Response:
    """The same for a browser, whose form brings the token: it saves the file as it comes, however large it is."""
    return await file(request, caller, job, path)


@router.get("/{job}/log")
async def log(
    request: Request, caller: Caller, job: str, after: Annotated[int, Query(ge=0, le=_LOG_BYTES)] = 0
) -> Response:
    """The worker's log of the job, as far as it is written; what follows `after` bytes of it."""
    parts = parts_of(request)
    await find_job(parts, caller, job)
    # As bytes: `after` may lie within a character.
    text = await parts.redis.execute_command(  # type: ignore[no-untyped-call]
        "GETRANGE", jobs.log_key(job), after, -1, NEVER_DECODE=True
    )
    return Response(text, media_type="text/plain; charset=utf-8")


def _answer(request: Request, blobs: BlobStore, entry: FileEntry) -> Response:
    etag = f'"{entry.sha256}"'
    digest = base64.b64encode(bytes.fromhex(entry.sha256)).decode()
    headers = {
        "ETag": etag,
        "Repr-Digest": f"sha-256=:{digest}:",
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(entry.path.rpartition('/')[2])}",
        "Cache-Control": "private, no-transform",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    start, stop, status = 0, entry.size, 200
    wanted = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if wanted is not None and request.headers.get("if-range", etag) == etag:
        part = _part(*wanted.groups(), size=entry.size)
        if part is None:
            detail = f"The file has {entry.size} bytes, and none of those that were asked for."
            refused = Problem(416, "invalid", "Not these bytes", detail).response()
            refused.headers.update(headers | {"Content-Range": f"bytes */{entry.size}"})
            return refused
        start, stop = part
        status = 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{entry.size}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=entry.media_type)
    pieces: Iterator[bytes] = read_range(blobs, entry, start, stop)
    return StreamingResponse(pieces, status, headers, entry.media_type)


def _part(first: str, last: str, *, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for a part out of reach."""
    if not first:
        count = min(int(last), size)
        return (size - count, size) if count else None
    start = int(first)
    stop = min(int(last) + 1, size) if last else size
    return (start, stop) if start < size and start < stop else None
