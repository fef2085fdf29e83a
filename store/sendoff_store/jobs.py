"""What can be done to a job and read of it: each function builds one call (see `calls`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sendoff.events import Event, EventKind
from sendoff.states import JobState

from .calls import Call, script_call
from .records import JobRecord, NewJob
from .scene_needs import SceneNeeds

#: A final event larger than this carries no list of files; clients read the job for it.
EVENT_RESULT_BYTES = 1500
MESSAGE_CHARACTERS = 400


@dataclass(frozen=True)
class Refused:
    """The store did not do it: "gone", "final", "leased", "exhausted" or "stale" (another attempt holds the lease)."""

    reason: str


@dataclass(frozen=True)
class Created:
    """A job's record is written; `existed` where the idempotency key was used before."""

    record: JobRecord
    existed: bool


@dataclass(frozen=True)
class Reported:
    """A report is written as event `seq`; `cancel` tells that somebody wants the job to stop."""

    seq: int
    cancel: bool


@dataclass(frozen=True)
class Catchup:
    """A snapshot and, where `reason` is "recovered", all events after the one asked for."""

    record: JobRecord
    reason: str
    events: tuple[Event, ...]


class ActiveJob(NamedTuple):
    """A job that has not ended: where it waits or runs, and whose it is."""

    id: str
    state: JobState
    queue: str
    worker: str
    owner: str


@dataclass(frozen=True)
class Page:
    """One page of jobs, newest first; `cursor` asks for the next, None at the end."""

    jobs: tuple[JobRecord, ...]
    cursor: str | None


def create(
    job: NewJob, manifest: Mapping[str, Any], *, idempotency_key: str | None, retention_seconds: int
) -> Call[Created]:
    """Write a job's record as queued; the same key of the same person gives the first job again."""
    # With its length, a name cannot run into the key: the answer would be somebody else's job.
    key = f"idempotency:{len(job.owner)}:{job.owner}:{idempotency_key}" if idempotency_key else ""

    def parse(answer: Any) -> Created:
        record = JobRecord.from_hash(answer[2], int(answer[3]))
        assert record is not None, "the script has just written it"
        return Created(record, answer[0] == "existed")

    return script_call(
        "change",
        "create",
        job.id,
        parse,
        fields=job.fields(),
        manifest=json.dumps(manifest),
        idempotency=key,
        retention_seconds=retention_seconds,
    )


def take_lease(
    job: str, *, token: str, worker: str, lease_seconds: float, retention_seconds: int
) -> Call[JobRecord | Refused]:
    """Begin an attempt; only the holder of the token may report from then on."""
    return script_call(
        "change",
        "lease",
        job,
        _record_or_refused,
        token=token,
        worker=worker,
        lease_ms=int(lease_seconds * 1000),
        retention_seconds=retention_seconds,
    )


def report(
    job: str,
    *,
    token: str,
    lease_seconds: float,
    kind: EventKind = EventKind.PROGRESS,
    state: JobState | None = None,
    stage: str | None = None,
    message: str | None = None,
    fraction: float | None = None,
    done: int | None = None,
    total: int | None = None,
    eta_seconds: float | None = None,
    last_seq: int | None = None,
) -> Call[Reported | Refused]:
    """Write progress; what is None stays as it was, but done, total and eta of another stage do not.

    `fraction` (0 to 1) is of the whole job and never goes back within an attempt.

    `last_seq` is the seq of the caller's previous report: where Redis knows less, it lost its tail, and the
    epoch goes up so that clients notice.
    """
    values: dict[str, Any] = {
        "state": state.value if state else None,
        "stage": stage,
        "message": message[:MESSAGE_CHARACTERS] if message is not None else None,
        "fraction": f"{min(max(fraction, 0.0), 1.0):.5f}" if fraction is not None else None,
        "done": done,
        "total": total,
        "eta_seconds": f"{eta_seconds:.1f}" if eta_seconds is not None else None,
    }
    fields = {name: str(value) for name, value in values.items() if value is not None}

    def parse(answer: Any) -> Reported | Refused:
        if answer[0] == "refused":
            return Refused(answer[1])
        return Reported(seq=int(answer[3]), cancel=answer[1] == "1")

    return script_call(
        "change",
        "report",
        job,
        parse,
        token=token,
        lease_ms=int(lease_seconds * 1000),
        kind=kind.value,
        fields=fields or {"reported_at": "0"},
        **({"last_seq": last_seq} if last_seq is not None else {}),
    )


def renew(job: str, *, token: str, lease_seconds: float) -> Call[bool | Refused]:
    """Keep the lease; the answer tells whether the job is to be cancelled."""

    def parse(answer: Any) -> bool | Refused:
        return Refused(answer[1]) if answer[0] == "refused" else answer[1] == "1"

    return script_call("change", "renew", job, parse, token=token, lease_ms=int(lease_seconds * 1000))


def append_log(job: str, *, token: str, text: str, retention_seconds: int) -> Call[bool]:
    """Add to the job's log, and tell its watchers that it has grown; False where the attempt may not speak any more."""
    return script_call(
        "change", "log", job, lambda answer: str(answer[0]) == "ok", token=token, text=text,
        retention_seconds=retention_seconds,
    )  # fmt: skip


def finish(
    job: str, *, token: str, state: JobState, message: str, result: Mapping[str, Any], retention_seconds: int
) -> Call[JobRecord | Refused]:
    """End the job; its record and events are kept for `retention_seconds` from now."""
    text = json.dumps(result, ensure_ascii=False)
    short = {
        **result,
        "files": [{k: v for k, v in entry.items() if k != "chunks"} for entry in result.get("files", [])],
    }
    event = json.dumps(short, ensure_ascii=False)
    if len(event.encode()) > EVENT_RESULT_BYTES:
        event = json.dumps({"error": result.get("error"), "truncated": True}, ensure_ascii=False)
    return script_call(
        "change",
        "finish",
        job,
        _record_or_refused,
        token=token,
        state=state.value,
        message=message[:MESSAGE_CHARACTERS],
        result=text,
        result_event=event,
        retention_seconds=retention_seconds,
    )


def release(job: str, *, token: str, retention_seconds: int) -> Call[JobRecord | Refused]:
    """Give a job back to its queue (the worker shuts down); the attempt does not count."""
    return script_call("change", "release", job, _record_or_refused, token=token, retention_seconds=retention_seconds)


def hand_on(
    job: str, *, token: str, needs: SceneNeeds, queue: str, message: str, retention_seconds: int
) -> Call[JobRecord | Refused]:
    """Give a job to another queue, whose workers have another Blender; the attempt does not count."""
    return script_call(
        "change",
        "release",
        job,
        _record_or_refused,
        token=token,
        queue=queue,
        needs=needs.to_json(),
        message=message[:MESSAGE_CHARACTERS],
        retention_seconds=retention_seconds,
    )


def cancel(job: str, *, by: str, retention_seconds: int) -> Call[JobRecord | Refused]:
    """Cancel a queued job at once; tell a running one's worker. A job that has ended stays as it is."""
    return script_call("change", "cancel", job, _record_or_refused, by=by, retention_seconds=retention_seconds)


def recover_if_lost(job: str, *, retention_seconds: int) -> Call[str]:
    """Queue a job again whose lease is gone: "requeued", "gave_up" or "not_lost"."""
    return script_call("change", "lost", job, _detail, retention_seconds=retention_seconds)


def mark_stalled(job: str, *, after_seconds: float) -> Call[str]:
    """Say that a running job has reported nothing for `after_seconds`, once."""
    return script_call("change", "stalled", job, _detail, after_seconds=after_seconds)


def mark_dispatched(job: str) -> Call[str]:
    """Note that the broker has the job's message."""
    return script_call("change", "dispatched", job, _detail)


def route(job: str, *, queue: str, message: str) -> Call[str]:
    """Move a queued job to another queue, and say what it waits for."""
    return script_call("change", "route", job, _detail, queue=queue, message=message[:MESSAGE_CHARACTERS])


def snapshot(job: str) -> Call[JobRecord | None]:
    """The job as it is now."""
    return script_call("read", "snapshot", job, _found)


def catch_up(job: str, *, after: int | None, epoch: int | None) -> Call[Catchup | None]:
    """Snapshot and missed events of one moment; None where there is no such job."""

    def parse(answer: Any) -> Catchup | None:
        record = _found(answer[0])
        if record is None:
            return None
        return Catchup(record, answer[1], tuple(Event.from_json(text) for text in answer[2]))

    return script_call("read", "catchup", job, parse, after=after, epoch=epoch)


def list_of_person(owner: str, *, limit: int, cursor: str = "", state: str = "") -> Call[Page]:
    """A person's jobs, newest first."""
    return _list(f"jobs:{owner}", limit, cursor, state)


def list_of_all(*, limit: int, cursor: str = "", state: str = "") -> Call[Page]:
    """Everybody's jobs, newest first."""
    return _list("all-jobs", limit, cursor, state)


def list_of_session(sid: str, *, limit: int) -> Call[Page]:
    """A session's jobs, newest first."""
    return _list(f"session:{sid}", limit, "", "")


def load() -> Call[tuple[ActiveJob, ...]]:
    """What has not ended, oldest first, with what tells how busy everything is."""

    def parse(answer: Any) -> tuple[ActiveJob, ...]:
        return tuple(ActiveJob(id, JobState(state), queue, worker, owner)
                     for id, state, queue, worker, owner in answer if state)  # fmt: skip

    return script_call("read", "load", "", parse)


def untended(*, stalled_seconds: float) -> Call[tuple[JobRecord, ...]]:
    """Those jobs that have not ended and are queued, lost their worker, or reported nothing for so long."""
    return script_call("read", "untended", "", _all_found, stalled_seconds=stalled_seconds)


def seqs(jobs: Sequence[str]) -> Call[dict[str, tuple[int, int]]]:
    """Epoch and seq of several jobs; jobs that do not exist are left out."""

    def parse(answer: Any) -> dict[str, tuple[int, int]]:
        return {job: (int(float(epoch)), int(seq)) for job, (epoch, seq) in zip(jobs, answer, strict=True) if seq}

    return script_call("read", "seqs", "", parse, jobs=list(jobs))


def delete(job: str) -> Call[str]:
    """Forget a job that has ended: "deleted", "running" or "gone"."""
    return script_call("read", "delete", job, str)


def manifest(job: str) -> Call[str | None]:
    """The manifest's JSON; None where it is gone."""
    return script_call("read", "manifest", job, lambda answer: None if answer is None else str(answer))


def manifest_key(job: str) -> str:
    """Where a job's manifest lies."""
    return f"job:{job}:manifest"


def log_key(job: str) -> str:
    """Where a job's log lies."""
    return f"job:{job}:log"


def control_channel(job: str) -> str:
    """The channel that wakes a job's worker."""
    return f"control:{job}"


def _list(key: str, limit: int, cursor: str, state: str) -> Call[Page]:
    def parse(answer: Any) -> Page:
        found = tuple(record for item in answer[0] if (record := _found(item)) is not None)
        return Page(found, answer[1] or None)

    return script_call("read", "list", "", parse, key=key, limit=limit, before=cursor, state=state)


def _found(answer: Any) -> JobRecord | None:
    return JobRecord.from_hash(answer[0], int(answer[1]))


def _all_found(answer: Any) -> tuple[JobRecord, ...]:
    return tuple(record for item in answer if (record := _found(item)) is not None)


def _record_or_refused(answer: Any) -> JobRecord | Refused:
    if answer[0] == "refused":
        return Refused(answer[1])
    record = JobRecord.from_hash(answer[2], int(answer[3]))
    assert record is not None, "the script returns the record it changed"
    return record


def _detail(answer: Any) -> str:
    return str(answer[0] if answer[0] not in ("refused",) else answer[1])
