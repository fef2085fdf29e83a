"""Files that are served as they are, to anybody; an ETag of the content saves sending what a browser has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from fastapi import Request, Response

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
}
#: For every one: kept by browsers, but asked about each time; never taken for something else, shown in no frame.
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class StaticFile:
    """A file: its name, which tells its media type, and its bytes."""

    name: str
    data: bytes

    @cached_property
    def etag(self) -> str:
        """What changes with the bytes."""
        return f'"{hashlib.sha256(self.data).hexdigest()}"'

    def answer(self, request: Request, headers: Mapping[str, str]) -> Response:
        """The answer to a GET or a HEAD; `headers` go with those that every file has."""
        media_type = _MEDIA_TYPES[PurePosixPath(self.name).suffix]
        sent = {**_HEADERS, "ETag": self.etag, "Content-Type": media_type, **headers}
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if self.etag in known:
            return Response(status_code=304, headers=sent)
        if request.method == "HEAD":
            return Response(headers=sent | {"Content-Length": str(len(self.data))})
        return Response(self.data, headers=sent)
