"""A submit, from the body of the request to the job's record: every check, in the order that helps its sender."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool

from sendoff.blendfile import parse_head
from sendoff.errors import BlendFileError, ManifestError
from sendoff.manifest import FileEntry, Manifest
from sendoff_store import jobs, offers
from sendoff_store.errors import ChunkMissing
from sendoff_store.jobs import Created
from sendoff_store.offers import TaskInfo
from sendoff_store.records import JobRecord, NewJob
from sendoff_store.scene_needs import ANYTHING, SceneNeeds

from . import own_chunks
from .auth import Principal
from .params import check_params
from .parts import Parts
from .problems import Problem, invalid
from .rate_limits import RateLimit
from .scenes import check_blender, check_kind, check_scope, check_size, scene_needs

#: Enough of a .blend to read its head, also of a compressed one.
_HEAD_BYTES = 160 * 1024
_TITLE_CHARACTERS = 200
_TOO_MANY = "More than {} jobs were sent within a minute. Wait a little; SENDOFF_SUBMITS_PER_MINUTE is the limit."
_PARAMS_BYTES = 256 * 1024
_MOST_MISSING_FILES = 1000
_KEPT_BY_RETRY = ("task", "title", "params", "host", "missing_files", "input_bytes")


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """The body of `POST /v1/jobs`, read and of the right types."""

    task: str
    params: Mapping[str, Any]
    manifest: Manifest
    title: str = ""
    host: Mapping[str, str] = field(default_factory=dict)
    missing_files: tuple[str, ...] = ()


def read_request(data: Any) -> JobRequest:
    """Read the body; raises Problem 422 naming the field, ManifestError."""
    if not isinstance(data, dict):
        raise invalid("The body has to be a JSON object.")
    task, title = data.get("task"), data.get("title") or ""
    if not isinstance(task, str) or not task:
        raise invalid("Name the task to run.", field="task")
    if not isinstance(title, str):
        raise invalid("The title has to be a text.", field="title")
    host = data.get("host") or {}
    if not isinstance(host, dict):
        raise invalid("The host has to be an object with application and version.", field="host")
    lacking = data.get("missing_files") or []
    if not isinstance(lacking, list):
        raise invalid("The missing files have to be a list of paths.", field="missing_files")
    params = data.get("params")
    if len(orjson.dumps(params)) > _PARAMS_BYTES:
        raise invalid(f"The parameters have more than {_PARAMS_BYTES} bytes; send large data as files.", field="params")
    try:
        manifest = Manifest.from_dict(data.get("manifest") or {"files": []})
    except ManifestError as error:
        raise invalid(str(error), field="manifest") from error
    return JobRequest(
        task=task,
        title=title[:_TITLE_CHARACTERS],
        params={} if params is None else params,
        manifest=manifest,
        host={name: str(host.get(name) or "")[:80] for name in ("application", "version")},
        missing_files=tuple(str(path)[:1024] for path in lacking[:_MOST_MISSING_FILES]),
    )


async def submit(parts: Parts, caller: Principal, request: JobRequest, *, key: str | None) -> Created:
    """Check a submit, write the job's record and send it on its way.

    Raises Problem 422 (unknown task, parameter, scene, scope), 409 (chunks missing), 413 (too large), 429 (too many).
    """
    most = parts.settings.submits_per_minute
    await RateLimit("submit", most, 60, _TOO_MANY.format(most)).count(parts.redis, caller.person)
    task = await find_task(parts, request.task)
    check_params(task.name, task.params, request.params)
    check_scope(task, scoped=request.manifest.scope() is not None)
    check_size(parts, files=len(request.manifest.files), size=request.manifest.size)
    if request.manifest.files:
        missing = await own_chunks.missing(parts, caller.person, list(request.manifest.chunks))
        if missing:
            raise chunks_missing(missing)
    needs = await run_in_threadpool(_check_scene, parts, task, request) if task.accepts else ANYTHING
    return await _create(
        parts,
        NewJob(
            id=secrets.token_hex(10),
            task=task.name,
            title=request.title or _default_title(request),
            owner=caller.person,
            sid=caller.sid,
            queue="",
            message="",
            params=request.params,
            host=request.host,
            missing_files=request.missing_files,
            input_bytes=request.manifest.size,
            max_attempts=parts.settings.max_attempts,
            needs=needs,
        ),
        task,
        request.manifest.to_dict(),
        key=key,
    )


async def retry(
    parts: Parts, caller: Principal, old: JobRecord, manifest: dict[str, Any], *, key: str | None
) -> Created:
    """A new job with an ended one's files and parameters; raises Problem 409 where its chunks are gone, 422."""
    task = await find_task(parts, old.task)
    read = Manifest.from_dict(manifest)
    check_scope(task, scoped=read.scope() is not None)
    missing = await run_in_threadpool(parts.blobs.missing, list(read.chunks))
    if missing:
        raise chunks_missing(missing)
    kept = {name: getattr(old, name) for name in _KEPT_BY_RETRY}
    new = NewJob(
        id=secrets.token_hex(10),
        owner=caller.person,
        sid=caller.sid,
        queue="",
        message="",
        retry_of=old.id,
        max_attempts=parts.settings.max_attempts,
        needs=replace(old.needs, unable=()),
        **kept,
    )
    return await _create(parts, new, task, manifest, key=key)


async def find_task(parts: Parts, name: str) -> TaskInfo:
    """A task that a live worker offers, or that one offered before; raises Problem 422 listing those there are."""
    live = await parts.offers()
    for offer in live:
        for task in offer.tasks:
            if task.name == name:
                return task
    known = await offers.known_task(parts.redis, name)
    if known is not None:
        return known
    names = await offers.known_names(parts.redis)
    there = f"There are: {', '.join(names)}." if names else "No worker has been online yet: start one."
    raise invalid(f"There is no task {name[:80]!r}. {there}", field="task")


def chunks_missing(missing: list[str]) -> Problem:
    """409 with the chunks that have to be sent first."""
    detail = f"{len(missing)} chunks of the files are not on the server (any more). Send them and submit again."
    return Problem(409, "chunks-missing", "Chunks are missing", detail, missing=missing)


async def _create(
    parts: Parts, new: NewJob, task: TaskInfo, manifest: Mapping[str, Any], *, key: str | None
) -> Created:
    route = await check_blender(parts, task, new.needs)
    routed = replace(new, queue=route.queue, message=route.message)
    call = jobs.create(routed, manifest, idempotency_key=key, retention_seconds=parts.settings.retention_seconds)
    created = await parts.store.run(call)
    if not created.existed and route.served:
        await parts.send(created.record.id, route.queue)
    return created


def _check_scene(parts: Parts, task: TaskInfo, request: JobRequest) -> SceneNeeds:
    """Whether the task takes the scene; returns what it needs of the Blender that opens it."""
    scene = request.manifest.scene()
    kind = check_kind(task, scene.path if scene else None)
    if scene is None or kind != "blend":
        return SceneNeeds(kind=kind)
    try:
        head = parse_head(_first_bytes(parts, scene), f"The file {scene.path}")
    except BlendFileError as error:
        raise invalid(str(error), field="manifest") from error
    except ChunkMissing as error:
        raise chunks_missing([error.sha256]) from error
    return scene_needs(
        task,
        kind=kind,
        series=head.series,
        big_endian=not head.little_endian,
        host=request.host,
        params=request.params,
    )


def _first_bytes(parts: Parts, entry: FileEntry) -> bytes:
    found = b""
    for chunk in entry.chunks:
        found += parts.blobs.get(chunk.sha256)
        if len(found) >= _HEAD_BYTES or (len(found) >= 32 and found.startswith(b"BLENDER")):
            break
    return found


def _default_title(request: JobRequest) -> str:
    scene = request.manifest.scene()
    return PurePosixPath(scene.path).stem if scene else request.task
