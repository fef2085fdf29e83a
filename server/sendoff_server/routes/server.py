"""What the server is, and which tasks its workers offer."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from sendoff.encodings import available_encodings
from sendoff.protocol import CHUNK_BYTES, PACK_BYTES, PARALLEL, PROTOCOL

from .. import __version__
from ..auth import Principal, principal
from ..parts import parts_of

router = APIRouter(prefix="/v1")
Caller = Annotated[Principal, Depends(principal)]


@router.get("/server")
async def server(request: Request, caller: Caller) -> dict[str, Any]:
    """Name, versions, limits, and who the caller is."""
    settings = parts_of(request).settings
    return {
        "name": settings.name,
        "version": __version__,
        "protocol": {"min": PROTOCOL, "max": PROTOCOL},
        "limits": {
            "chunk_bytes": CHUNK_BYTES,
            "pack_bytes": PACK_BYTES,
            "parallel": PARALLEL,
            "job_bytes": settings.job_bytes,
        },
        "pack_encodings": available_encodings(),
        "request_encodings": available_encodings(),
        "person": caller.person,
        "sid": caller.sid,
        "time": time.time(),
    }


@router.get("/tasks")
async def tasks(request: Request, _: Caller) -> dict[str, Any]:
    """The tasks of all live workers, by name; `params` is a JSON Schema."""
    found: dict[str, dict[str, Any]] = {}
    for offer in await parts_of(request).offers():
        for task in offer.tasks:
            entry = found.setdefault(
                task.name,
                {
                    "name": task.name,
                    "title": task.title,
                    "description": task.description,
                    "accepts": list(task.accepts),
                    "params": dict(task.params),
                    "blender": task.blender,
                    "series": [],
                    "workers": 0,
                },
            )
            entry["workers"] += 1
            if task.blender:
                entry["series"] = sorted({*entry["series"], *offer.series}, key=_order)
    return {"tasks": [found[name] for name in sorted(found)]}


def _order(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))
