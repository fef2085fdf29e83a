"""Bodies of requests, read with a limit that no header can talk away."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from sendoff.encodings import IDENTITY, decompress
from sendoff.errors import EncodingError

from .connections import LEAST_BYTES_PER_SECOND, too_slow
from .parts import parts_of
from .problems import Problem, invalid, too_large

#: JSON of this size is read sooner than a thread is found for it.
_QUICK_BYTES = 16 * 1024


async def read_body(request: Request, most_bytes: int, what: str) -> bytearray:
    """The whole body as it was sent.

    Raises Problem 413 as soon as it is larger than allowed, and 408 where too little came for
    SENDOFF_CONNECTION_STALL_SECONDS.
    """
    detail = f"{what} has more than {most_bytes} bytes, which is the most this server takes."
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most_bytes:
        raise too_large(detail)
    seconds = parts_of(request).settings.connection_stall_seconds
    least, came = seconds * LEAST_BYTES_PER_SECOND, 0
    body = bytearray()
    try:
        async with asyncio.timeout(seconds) as patience:
            async for piece in request.stream():
                body += piece
                if len(body) > most_bytes:
                    raise too_large(detail)
                came += len(piece)
                if came >= least:  # it goes on, however slowly
                    came = 0
                    patience.reschedule(asyncio.get_running_loop().time() + seconds)
    except TimeoutError:
        raise too_slow(what) from None
    except ClientDisconnect:
        raise Problem(400, "cut-off", "Cut off", f"{what} was cut off on its way. Send it again.") from None
    return body


async def read_json(request: Request, most_bytes: int, what: str) -> Any:
    """The body as JSON; raises Problem 413 or 422."""
    body = await read_body(request, most_bytes, what)
    try:
        if len(body) <= _QUICK_BYTES and content_encoding(request) == IDENTITY:
            return orjson.loads(body)
        return await run_in_threadpool(_parse, body, content_encoding(request), most_bytes)
    except EncodingError as error:
        raise invalid(f"{what} cannot be read: {error}") from error
    except orjson.JSONDecodeError as error:
        raise invalid(f"{what} is not JSON: {error}.") from error


async def read_texts(request: Request, most_bytes: int, what: str, *names: str, **others: str) -> dict[str, str]:
    """The texts of a JSON object as they are, those of `names` not blank; raises Problem 413 or 422 naming the field.

    Args:
        request: Its body is read.
        most_bytes: It may have so many.
        what: What it is, for the sentence.
        names: The fields that have to be there.
        others: Fields that may be missing or empty, with what they are then.
    """
    body = await read_json(request, most_bytes, what)
    found: dict[str, str] = {}
    for name in (*names, *others):
        value = body.get(name, others.get(name)) if isinstance(body, dict) else None
        if not isinstance(value, str) or not (value.strip() or name in others):
            raise invalid(f"{what} has to be a JSON object with a text `{name}`.", field=name)
        found[name] = value if value.strip() else others[name]
    return found


def content_encoding(request: Request) -> str:
    """The body's Content-Encoding, in lower case."""
    return request.headers.get("content-encoding", IDENTITY).strip().lower()


def _parse(body: bytearray, encoding: str, most_bytes: int) -> Any:
    return orjson.loads(bytes(decompress(body, encoding, most_bytes)))
