"""A job as Redis keeps it: one frozen value, read from the hash, written to the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sendoff.events import Event, EventKind
from sendoff.states import Health, JobState

from .scene_needs import ANYTHING, SceneNeeds

_JSON_FIELDS = ("params", "host", "missing_files")


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """What is known of a job when it is submitted."""

    id: str
    task: str
    title: str
    owner: str
    sid: str
    queue: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    host: Mapping[str, str] = field(default_factory=dict)
    missing_files: Sequence[str] = ()
    input_bytes: int = 0
    retry_of: str = ""
    max_attempts: int = 3
    #: What the scene needs of the Blender that opens it.
    needs: SceneNeeds = ANYTHING

    def fields(self) -> dict[str, str]:
        """As the hash has it."""
        return {
            "id": self.id,
            "task": self.task,
            "title": self.title,
            "owner": self.owner,
            "sid": self.sid,
            "queue": self.queue,
            "message": self.message,
            "params": json.dumps(self.params),
            "host": json.dumps(self.host),
            "missing_files": json.dumps(list(self.missing_files)),
            "input_bytes": str(self.input_bytes),
            "retry_of": self.retry_of,
            "max_attempts": str(self.max_attempts),
            "needs": self.needs.to_json(),
            "series": self.needs.series,  # for workers of an older version
        }


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """A job's snapshot; times are Unix seconds by the Redis server's clock."""

    id: str
    task: str
    title: str
    owner: str
    sid: str
    queue: str
    needs: SceneNeeds
    state: JobState
    stage: str
    message: str
    fraction: float | None
    done: int | None
    total: int | None
    eta_seconds: float | None
    health: Health
    attempt: int
    max_attempts: int
    seq: int
    epoch: int
    worker: str
    params: Mapping[str, Any]
    host: Mapping[str, str]
    missing_files: Sequence[str]
    input_bytes: int
    retry_of: str
    created_at: float
    started_at: float | None
    finished_at: float | None
    dispatched_at: float | None
    dispatches: int
    reported_at: float
    queue_position: int | None
    #: {"files": [...], "summary": {...}, "error": {...} | None, "warnings": [...]} once it has ended.
    result: Mapping[str, Any] | None

    @classmethod
    def from_hash(cls, flat: Sequence[str] | Mapping[str, str], queue_position: int) -> JobRecord | None:
        """Read the hash as Redis returns it; None where there is none."""
        data = dict(flat) if isinstance(flat, Mapping) else dict(zip(flat[::2], flat[1::2], strict=True))
        if not data:
            return None

        def number(name: str) -> float | None:
            return float(data[name]) if data.get(name) else None

        def whole(name: str) -> int | None:
            return int(float(data[name])) if data.get(name) else None

        parsed = {name: json.loads(data.get(name) or "null") for name in (*_JSON_FIELDS, "result")}
        return cls(
            **{name: data.get(name, "") for name in ("id", "task", "title", "owner", "sid", "queue", "stage")},
            needs=SceneNeeds.from_record(data),
            message=data.get("message", ""),
            worker=data.get("worker", ""),
            retry_of=data.get("retry_of", ""),
            state=JobState(data["state"]),
            health=Health(data.get("health") or "ok"),
            fraction=number("fraction"),
            done=whole("done"),
            total=whole("total"),
            eta_seconds=number("eta_seconds"),
            attempt=whole("attempt") or 0,
            max_attempts=whole("max_attempts") or 1,
            seq=whole("seq") or 0,
            epoch=whole("epoch") or 0,
            params=parsed["params"] or {},
            host=parsed["host"] or {},
            missing_files=parsed["missing_files"] or (),
            input_bytes=whole("input_bytes") or 0,
            created_at=number("created_at") or 0.0,
            started_at=number("started_at"),
            finished_at=number("finished_at"),
            dispatched_at=number("dispatched_at"),
            dispatches=whole("dispatches") or 0,
            reported_at=number("reported_at") or 0.0,
            queue_position=queue_position or None,
            result=parsed["result"],
        )

    def to_event(self, *, after: int | None = None, recovered: bool | None = None, reason: str | None = None) -> Event:
        """The snapshot event; without arguments nothing follows it but live events."""
        return Event(
            job=self.id,
            kind=EventKind.SNAPSHOT,
            state=self.state,
            seq=self.seq,
            epoch=self.epoch,
            attempt=self.attempt,
            stage=self.stage,
            message=self.message,
            fraction=self.fraction,
            done=self.done,
            total=self.total,
            eta_seconds=self.eta_seconds,
            health=self.health,
            at=self.finished_at or self.reported_at,
            after=self.seq if after is None else after,
            recovered=recovered,
            reason=reason,
            queue_position=self.queue_position,
            result=self.result,
            job_fields={
                "task": self.task,
                "title": self.title,
                "created_at": self.created_at,
                "max_attempts": self.max_attempts,
                "worker": self.worker,
                "owner": self.owner,
                "started_at": self.started_at,
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """The job as `GET /v1/jobs/{id}` gives it; chunks stay inside."""
        result: dict[str, Any] | None = None
        if self.result is not None:
            result = dict(self.result)
            result["files"] = [
                {name: value for name, value in entry.items() if name != "chunks"} for entry in result.get("files", [])
            ]
            result.setdefault("error", None)
            result.setdefault("summary", {})
            result.setdefault("warnings", [])
        return {
            "id": self.id,
            "task": self.task,
            "title": self.title,
            "state": self.state.value,
            "stage": self.stage,
            "message": self.message,
            "fraction": self.fraction,
            "done": self.done,
            "total": self.total,
            "eta_seconds": self.eta_seconds,
            "health": self.health.value,
            "attempt": self.attempt,
            "max_attempts": self.max_attempts,
            "seq": self.seq,
            "epoch": self.epoch,
            "owner": self.owner,
            "sid": self.sid,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "queue": self.queue,
            "queue_position": self.queue_position,
            "worker": self.worker,
            "retry_of": self.retry_of,
            "host": dict(self.host),
            "params": dict(self.params),
            "input_bytes": self.input_bytes,
            "missing_files": list(self.missing_files),
            "result": result,
        }
