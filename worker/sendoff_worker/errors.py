"""What can go wrong in a worker, as one tree, and what makes a task stop from outside.

WorkerError
├── TaskFailed           the job cannot be done; the message is a sentence for the artist
│   └── SceneNotOpened   no Blender of this worker opens the scene; another worker's may
├── TaskDefinitionError  a task is declared in a way that cannot work
└── BlenderUnavailable   a Blender runtime cannot be started

JobInterrupted           the job has to stop now (cancelled, given back, lost, too long); not an Exception, so
                         that a task's `except Exception` does not swallow it
"""

from __future__ import annotations

from enum import Enum


class WorkerError(Exception):
    """Base of everything the worker raises on purpose."""


class TaskFailed(WorkerError):
    """The job cannot be done; raise it in a task with one sentence that says what the artist can do."""


class SceneNotOpened(TaskFailed):
    """A Blender does not open the scene; the message is the cause that it gives. `tried` are the series that tried."""

    def __init__(self, cause: str, *, tried: tuple[str, ...], is_crash: bool = False) -> None:
        super().__init__(cause)
        self.tried = tried
        #: Blender crashed, and so gave no cause.
        self.is_crash = is_crash


class TaskDefinitionError(WorkerError):
    """A task is declared in a way that cannot work; the message names the task and what to change."""


class BlenderUnavailable(WorkerError):
    """A Blender runtime cannot be started."""


class StopReason(Enum):
    """Why a job has to stop before its task returns."""

    CANCELLED = "cancelled"
    #: The worker shuts down; the job goes back to its queue.
    RELEASED = "released"
    #: Another attempt has the lease, or the job has ended: nothing may be written any more.
    LEASE_LOST = "lease_lost"
    TOO_LONG = "too_long"


class JobInterrupted(BaseException):
    """The job has to stop now."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason
