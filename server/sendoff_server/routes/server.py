"""What the server is, and which tasks its workers offer."""

from __future__ import annotations

import re
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
from ..scenes import check_blender, check_kind, check_scope, check_size, read_head, scene_needs
from ..submit import find_task

router = APIRouter(prefix="/v1")
_SERIES = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")
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
    """Whether a submit would be taken, asked before an upload: parameters, scene, sizes, Blender. Makes nothing."""
    parts = parts_of(request)
    body = await read_json(request, parts.settings.submit_bytes, "The question")
    if not isinstance(body, dict):
        raise invalid("The body has to be a JSON object.")
    scene, series, host = body.get("scene"), body.get("series") or "", body.get("host") or {}
    scoped, big_endian = _truth(body, "scoped"), _truth(body, "big_endian")
    if not isinstance(series, str) or (series and not _SERIES.fullmatch(series)):
        raise invalid("The series has to be that of a Blender, like 4.5.", field="series")
    if not isinstance(host, dict):
        raise invalid("The host has to be an object with application and version.", field="host")
    task = await find_task(parts, name)
    params = body.get("params") or {}
    check_params(task.name, task.params, params)
    kind = check_kind(task, None if scene is None else str(scene))
    check_scope(task, scoped=scoped)
    check_size(parts, files=_count(body, "files"), size=_count(body, "bytes"))
    if kind == "blend" and body.get("head"):
        series, big_endian = read_head(body["head"], f"The file {scene}")
    needs = scene_needs(task, kind=kind, series=series, big_endian=big_endian, host=host, params=params)
    await check_blender(parts, task, needs)
    return {"task": task.name}


def _truth(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise invalid(f"{name} has to be true or false.", field=name)
    return value


def _count(body: dict[str, Any], name: str) -> int:
    value = body.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise invalid(f"{name} has to be a whole number from 0 on.", field=name)
    return value


def _order(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))
