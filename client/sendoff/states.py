"""The life of a job: its states, the changes that are allowed between them, and its health."""

from __future__ import annotations

from enum import Enum


class JobState(str, Enum):
    """Where a job is in its life."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended; a final state never changes again."""
        return self in FINAL_STATES


class Health(str, Enum):
    """How the job's worker is doing."""

    OK = "ok"
    STALLED = "stalled"
    WORKER_LOST = "worker_lost"


FINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})

#: Every change of state that may happen. The Lua script in sendoff_store is tested against this table.
TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.STARTING, JobState.CANCELLED, JobState.FAILED}),
    JobState.STARTING: frozenset(
        {JobState.RUNNING, JobState.QUEUED, JobState.CANCELLING, JobState.SUCCEEDED, JobState.FAILED}
    ),
    JobState.RUNNING: frozenset({JobState.QUEUED, JobState.CANCELLING, JobState.SUCCEEDED, JobState.FAILED}),
    JobState.CANCELLING: frozenset({JobState.CANCELLED, JobState.SUCCEEDED, JobState.FAILED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


def may_change(before: JobState, after: JobState) -> bool:
    """Whether a job may go from `before` to `after`; staying is allowed while the state is not final."""
    if before is after:
        return not before.is_final
    return after in TRANSITIONS[before]
