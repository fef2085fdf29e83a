"""What the server is, and which tasks its workers offer."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool

from sendoff.encodings import available_encodings
from sendoff.protocol import CHUNK_BYTES, PACK_BYTES, PARALLEL, PROTOCOL

from .. import __version__
from ..addon_repository import LIST, AddonRepository
from ..auth import Principal, principal
from ..bodies import read_json
from ..description import describe
from ..maya_module import MayaModule
from ..params import check_params
from ..parts import parts_of
from ..problems import invalid
from ..submit import check_kind, check_scope, find_task

router = APIRouter(prefix="/v1")
Caller = Annotated[Principal, Depends(principal)]


@router.get("/server")
async def server(request: Request, caller: Caller) -> dict[str, Any]:
    """Name, versions, limits, the add-on that fits, and who the caller is."""
    settings = parts_of(request).settings
    addon = await run_in_threadpool(AddonRepository(settings.addon_folder).version)
    maya = await run_in_threadpool(MayaModule(settings.maya_folder).version)
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
        "addon": None if addon is None else {"version": addon, "repository": f"/addon/{LIST}"},
        "maya": None if maya is None else {"version": maya, "page": "/maya/"},
        "person": caller.person,
        "role": caller.role,
        "sid": caller.sid,
        "time": time.time(),
    }


@router.get("/openapi.json")
async def description(request: Request, _: Caller) -> dict[str, Any]:
    """What all calls take and give, as an OpenAPI document."""
    return describe(request.app)


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
                    "scoped": task.scoped,
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
    """Whether a task takes some parameters, a scene of this name and a scope; asked before an upload. Makes nothing."""
    parts = parts_of(request)
    body = await read_json(request, parts.settings.submit_bytes, "The question")
    if not isinstance(body, dict):
        raise invalid("The body has to be a JSON object.")
    scene, scoped = body.get("scene"), body.get("scoped", False)
    if not isinstance(scoped, bool):
        raise invalid("Whether there is a scope has to be true or false.", field="scoped")
    task = await find_task(parts, name)
    check_params(task.name, task.params, body.get("params") or {})
    check_kind(task, None if scene is None else str(scene))
    check_scope(task, scoped=scoped)
    return {"task": task.name}


def _order(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))
