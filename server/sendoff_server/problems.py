"""Answers that are not what was asked for: `application/problem+json` (RFC 9457) with a sentence to act on."""

from __future__ import annotations

import logging
import secrets
from typing import Any

import orjson
import redis.exceptions
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sendoff.errors import InputError
from sendoff.protocol import PROBLEM_MEDIA_TYPE, PROBLEM_PREFIX
from sendoff_store.errors import DiskFull

log = logging.getLogger("sendoff.server")


class Problem(Exception):
    """An answer with a status, a kind ("not-found"), a title and a sentence; `more` goes into the document."""

    def __init__(self, status: int, kind: str, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.more = more

    def response(self) -> Response:
        """The answer itself."""
        document = {
            "type": PROBLEM_PREFIX + self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **{name: value for name, value in self.more.items() if value is not None},
        }
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        if self.status in (408, 500):  # what is left of the request is not read; uvicorn closes after a bug
            headers["Connection"] = "close"
        if "retry_after_seconds" in self.more:
            headers["Retry-After"] = str(self.more["retry_after_seconds"])
        return Response(orjson.dumps(document), self.status, headers, PROBLEM_MEDIA_TYPE)


def not_found(what: str) -> Problem:
    """404 for something that is not there, or not this person's."""
    return Problem(404, "not-found", "Not found", what)


def invalid(detail: str, *, field: str | None = None) -> Problem:
    """422 naming the field."""
    return Problem(422, "invalid", "The request cannot be used", detail, field=field)


def too_large(detail: str) -> Problem:
    """413 with the limit."""
    return Problem(413, "too-large", "Too large", detail)


def add_handlers(app: FastAPI) -> None:
    """Make every way out of a request a problem document."""

    @app.exception_handler(Problem)
    async def on_problem(_: Request, problem: Problem) -> Response:
        return problem.response()

    @app.exception_handler(InputError)
    async def on_input(_: Request, error: InputError) -> Response:
        return invalid(str(error)).response()

    @app.exception_handler(RequestValidationError)
    async def on_validation(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
        return invalid(f"{field or 'The body'}: {first['msg']}.", field=field or None).response()

    @app.exception_handler(DiskFull)
    async def on_full(_: Request, error: DiskFull) -> Response:
        log.error("The disk for chunks is full", extra={"action": "storage.full"})
        return Problem(507, "storage-full", "The server's disk is full", str(error)).response()

    @app.exception_handler(redis.exceptions.RedisError)
    async def on_redis(_: Request, error: redis.exceptions.RedisError) -> Response:
        log.error("Redis does not answer: %s", error, extra={"action": "redis.unavailable"})
        detail = "The server's database does not answer right now. Nothing is lost; it is tried again by itself."
        return Problem(503, "unavailable", "Not available right now", detail).response()

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return not_found(
                "The server has no such address. Check the URL, and that the add-on fits the server."
            ).response()
        return Problem(error.status_code, "invalid", "Not possible", f"{error.detail}.").response()

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> Response:
        incident = secrets.token_hex(4)
        call = getattr(request.scope.get("route"), "path", "?")  # the path itself may hold what is nobody's business
        log.error("Incident %s in %s %s", incident, request.method, call, exc_info=error,
                  extra={"action": "server.bug"})  # fmt: skip
        detail = f"Something went wrong in the server. Ask an administrator to look for incident {incident} in its log."
        return Problem(500, "internal", "The server made a mistake", detail).response()
