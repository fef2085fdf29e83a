"""What the server is, and which tasks its workers offer."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from sendoff.encodings import available_encodings
from sendoff.protocol import CHUNK_BYTES, PACK_BYTES, PARALLEL, PROTOCOL

from .. import __version__
from ..auth import Principal, principal
from ..bodies import read_json
from ..params import check_params
from ..parts import parts_of
from ..problems import invalid
from ..submit import check_kind, find_task

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


@router.post("/tasks/{name}/check")
async def check(request: Request, _: Caller, name: str) -> dict[str, Any]:
    """Whether a task takes some parameters and a scene of this name; asked before a long upload. Makes nothing."""
    parts = parts_of(request)
    body = await read_json(request, parts.settings.submit_bytes, "The question")
    if not isinstance(body, dict):
        raise invalid("The body has to be a JSON object.")
    scene = body.get("scene")
    task = await find_task(parts, name)
    check_params(task.name, task.params, body.get("params") or {})
    check_kind(task, None if scene is None else str(scene))
    return {"task": task.name}


def _order(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))
