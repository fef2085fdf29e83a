"""Jobs: submit, list, look, cancel, retry, delete."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from sendoff.protocol import IDEMPOTENCY_HEADER
from sendoff.states import JobState
from sendoff_store import jobs
from sendoff_store.jobs import Refused
from sendoff_store.records import JobRecord

from ..auth import Principal, principal
from ..bodies import read_json
from ..parts import Parts, parts_of
from ..problems import Problem, invalid, not_found
from ..submit import read_request, retry, submit

router = APIRouter(prefix="/v1/jobs")
Caller = Annotated[Principal, Depends(principal)]

_KEY_CHARACTERS = 200
#: As the store gives it: a Unix time and a job.
_CURSOR = r"^([0-9]+(\.[0-9]+)?(e\+?[0-9]{1,2})? [0-9A-Za-z]+)?$"


async def find_job(parts: Parts, caller: Principal, job: str) -> JobRecord:
    """A job that the caller may see; raises Problem 404, also for a job of somebody else."""
    record = await parts.store.run(jobs.snapshot(job)) if job.isalnum() else None
    if record is None or not caller.may_see(record.owner):
        raise not_found(
            f"There is no job {job[:40]} of yours. `sendoff jobs` lists them; ended ones are kept for days."
        )
    return record


@router.post("", status_code=202)
async def create(request: Request, caller: Caller) -> dict[str, Any]:
    """Make a job; with the same Idempotency-Key as before, the job of before is the answer."""
    parts = parts_of(request)
    key = _idempotency_key(request)
    body = await read_json(request, parts.settings.submit_bytes, "The submit")
    wanted = await run_in_threadpool(read_request, body)
    return (await submit(parts, caller, wanted, key=key)).record.to_dict()


@router.get("")
async def list_jobs(
    request: Request,
    caller: Caller,
    *,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    state: JobState | None = None,
    cursor: Annotated[str, Query(max_length=100, pattern=_CURSOR)] = "",
    person: Annotated[str, Query(max_length=64)] = "",
    everyone: bool = False,
) -> dict[str, Any]:
    """The caller's jobs, newest first; a TD's `person` or `everyone`. `next` is the cursor of the next page."""
    if (everyone or person not in ("", caller.person)) and not caller.sees_all:
        raise Problem(403, "forbidden", "Not allowed", "Only TDs and admins see the jobs of others.")
    chosen = state.value if state else ""
    call = (
        jobs.list_of_all(limit=limit, cursor=cursor, state=chosen)
        if everyone
        else jobs.list_of_person(person or caller.person, limit=limit, cursor=cursor, state=chosen)
    )
    page = await parts_of(request).store.run(call)
    return {"jobs": [record.to_dict() for record in page.jobs], "next": page.cursor}


@router.get("/{job}")
async def show(request: Request, caller: Caller, job: str) -> dict[str, Any]:
    """A job as it is now."""
    return (await find_job(parts_of(request), caller, job)).to_dict()


@router.post("/{job}/cancel")
async def cancel(request: Request, caller: Caller, job: str) -> dict[str, Any]:
    """Cancel a job; one that has ended stays as it is."""
    parts = parts_of(request)
    await find_job(parts, caller, job)
    call = jobs.cancel(job, by=caller.person, retention_seconds=parts.settings.retention_seconds)
    found = await parts.store.run(call)
    if isinstance(found, Refused):
        raise not_found(f"There is no job {job} any more.")
    return found.to_dict()


@router.post("/{job}/retry", status_code=202)
async def again(request: Request, caller: Caller, job: str) -> dict[str, Any]:
    """A new job with the same files and parameters; an Idempotency-Key counts as it does for a submit."""
    parts = parts_of(request)
    key = _idempotency_key(request)
    old = await find_job(parts, caller, job)
    if not old.state.is_final:
        raise Problem(409, "not-ended", "Not ended", "The job has not ended. Cancel it first, or wait.")
    manifest = json.loads(await parts.redis.get(jobs.manifest_key(job)) or '{"files": []}')
    return (await retry(parts, caller, old, manifest, key=key)).record.to_dict()


@router.delete("/{job}", status_code=204)
async def delete(request: Request, caller: Caller, job: str) -> Response:
    """Forget a job that has ended, with its result."""
    parts = parts_of(request)
    await find_job(parts, caller, job)
    if await parts.store.run(jobs.delete(job)) == "running":
        raise Problem(409, "not-ended", "Not ended", "The job has not ended. Cancel it first, or wait.")
    return Response(status_code=204)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get(IDEMPOTENCY_HEADER)
    if key is not None and not 0 < len(key) <= _KEY_CHARACTERS:
        raise invalid(f"The {IDEMPOTENCY_HEADER} has to have 1 to {_KEY_CHARACTERS} characters.")
    return key
