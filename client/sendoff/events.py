"""Job events: the one message format that a worker writes, Redis keeps, the server fans out and a host draws."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .errors import InputError
from .states import Health, JobState


class EventKind(str, Enum):
    """What an event tells."""

    SNAPSHOT = "snapshot"
    STATE = "state"
    PROGRESS = "progress"
    LOG = "log"
    FILE = "file"
    HEARTBEAT = "heartbeat"


@dataclass(frozen=True)
class Event:
    """One thing that happened to one job.

    `seq` counts the job's events from 1; `epoch` changes when that numbering had to start anew. Clients
    ignore an event whose `seq` is not above the last one they saw in the same epoch (G6). In a snapshot
    `after` is the seq from which the events that follow continue, `recovered` says whether all events
    missed since the client's own `after` follow, and `reason` why not. `conflated` counts the progress
    events of this job that this one stands for besides itself, so that `seq == last + 1 + conflated`.
    """

    job: str
    kind: EventKind
    state: JobState
    seq: int = 0
    epoch: int = 0
    attempt: int = 0
    #: What is being done, in a word or two: "Uploading", "Blender".
    stage: str = ""
    #: The sentence for the status bar.
    message: str = ""
    #: 0 to 1; never goes back within an attempt. None while unknown.
    fraction: float | None = None
    #: Steps done and in all, in the stage's own unit.
    done: int | None = None
    total: int | None = None
    eta_seconds: float | None = None
    health: Health = Health.OK
    #: When it happened, as Unix time in seconds by the server's clock.
    at: float = 0.0
    recovered: bool | None = None
    reason: str | None = None
    after: int | None = None
    conflated: int = 0
    #: Place in the queue from 1, in snapshots and state events of queued jobs.
    queue_position: int | None = None
    #: Who runs it, in state events.
    worker: str | None = None
    #: In final events and snapshots: {"files": [...], "error": {...} | None, "summary": {...}}.
    result: Mapping[str, Any] | None = None
    #: Anything else the job's record holds, in snapshots (title, task, created_at, owner, max_attempts...).
    job_fields: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As the wire has it, without what is unset."""
        out: dict[str, Any] = {
            "job": self.job,
            "seq": self.seq,
            "epoch": self.epoch,
            "attempt": self.attempt,
            "kind": self.kind.value,
            "state": self.state.value,
            "stage": self.stage,
            "message": self.message,
            "fraction": self.fraction,
            "done": self.done,
            "total": self.total,
            "eta_seconds": self.eta_seconds,
            "health": self.health.value,
            "at": self.at,
        }
        for name in ("recovered", "reason", "after", "queue_position", "worker", "result"):
            value = getattr(self, name)
            if value is not None:
                out[name] = value
        if self.conflated:
            out["conflated"] = self.conflated
        if self.job_fields:
            out["job_fields"] = dict(self.job_fields)
        return out

    def to_json(self) -> str:
        """As one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Event:
        """Read one event; fields that this version does not know are ignored.

        Raises InputError where a field that every event has is missing or of the wrong type.
        """
        try:
            return cls(
                job=str(data["job"]),
                kind=EventKind(data["kind"]),
                state=JobState(data["state"]),
                seq=int(data.get("seq") or 0),
                epoch=int(data.get("epoch") or 0),
                attempt=int(data.get("attempt") or 0),
                stage=str(data.get("stage") or ""),
                message=str(data.get("message") or ""),
                fraction=_number(data.get("fraction")),
                done=_whole(data.get("done")),
                total=_whole(data.get("total")),
                eta_seconds=_number(data.get("eta_seconds")),
                health=Health(data.get("health") or "ok"),
                at=float(data.get("at") or 0.0),
                recovered=data.get("recovered"),
                reason=data.get("reason"),
                after=_whole(data.get("after")),
                conflated=int(data.get("conflated") or 0),
                queue_position=_whole(data.get("queue_position")),
                worker=str(data["worker"]) if data.get("worker") else None,
                result=_mapping(data.get("result")),
                job_fields=_mapping(data.get("job_fields")) or {},
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(f"The server sent an event this version cannot read: {error!r}") from error

    @classmethod
    def from_json(cls, text: str | bytes) -> Event:
        """Read one event from JSON; raises InputError where it is none."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"The server sent an event that is not JSON: {error}") from error
        if not isinstance(data, dict):
            raise InputError("The server sent an event that is not a JSON object.")
        return cls.from_dict(data)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _mapping(value: Any) -> Mapping[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value
