"""The jobs of this Blender as the artist sees them; changed by messages alone. Nothing here knows bpy."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import messages
from .sendoff import Event, Health, JobState

#: The last events of so many jobs that are not (yet) ours are kept: an event may overtake its job's `Submitted`.
_EARLY_LIMIT = 256


@dataclass
class Job:
    """One job, from the click until its result is in the scene."""

    #: Names it from the click on; the server's id is known later.
    key: str
    task: str
    #: What the artist reads: the file's name without ".blend".
    title: str
    server_url: str
    #: Where it comes from: the file's path ("" where never saved) and this Blender's name for what it had open.
    source_path: str = ""
    source_token: str = ""
    scene_name: str = ""
    #: Vertices and faces of each mesh object as they were sent: what changed since is told at the import.
    mesh_sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    scene_bytes: int = 0
    missing_files: tuple[str, ...] = ()
    created_at: float = field(default_factory=time.time)

    id: str = ""
    #: None until the server has it.
    state: JobState | None = None
    stage: str = ""
    message: str = ""
    fraction: float | None = None
    queue_position: int | None = None
    health: Health = Health.OK
    sent_bytes: int = 0
    sending: tuple[int, int] = (0, 0)
    fetching: tuple[int, int] = (0, 0)
    #: Asked to be cancelled, and not yet answered.
    cancelling: bool = False
    #: Why it did not work out, as a sentence.
    problem: str = ""
    sign_in_required: bool = False
    warnings: tuple[str, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    #: What the job has ended with is known: a final event of a large result leaves it out.
    has_result: bool = False
    is_asked_for: bool = False
    has_files: bool = False
    #: The result is being brought here; the files once they are here.
    is_fetching: bool = False
    files: tuple[messages.FetchedFile, ...] = ()
    #: What became of the result in the scene, as a sentence.
    imported: str = ""
    ended_at: float | None = None

    @property
    def is_sending(self) -> bool:
        """Whether the scene is still on its way to the server."""
        return self.state is None and not self.problem

    @property
    def is_active(self) -> bool:
        """Whether something still goes on for it, here or on the server."""
        if self.problem:
            return False
        if self.state is None or not self.state.is_final:
            return True
        return self.wants_result or self.is_asked_for or self.wants_fetch or self.is_fetching

    @property
    def wants_result(self) -> bool:
        """Whether it has ended and the server is to be asked with what."""
        ended_somehow = self.state in (JobState.SUCCEEDED, JobState.FAILED)
        return ended_somehow and not (self.has_result or self.is_asked_for or self.problem)

    @property
    def wants_fetch(self) -> bool:
        """Whether its result is to be brought here."""
        succeeded = self.state is JobState.SUCCEEDED and self.has_files
        return succeeded and not (self.files or self.is_fetching or self.imported or self.problem)

    @property
    def wants_import(self) -> bool:
        """Whether its result is here and not yet in a scene."""
        return bool(self.files) and not self.imported and not self.problem


class JobList:
    """All jobs that this Blender knows, the newest last."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Know nothing, as at the start."""
        self.jobs: list[Job] = []
        #: The server that is set now; None while nobody said. Jobs of others are listed, and nobody waits for them.
        self.server_url: str | None = None
        self.connectivity = messages.Connectivity("online")
        self.server: messages.ServerFound | messages.ServerNotFound | None = None
        self._early: dict[str, Event] = {}

    def find(self, key_or_id: str) -> Job | None:
        """The job of that key or id; with "" none."""
        return next((job for job in reversed(self.jobs) if key_or_id and key_or_id in (job.key, job.id)), None)

    def add(self, job: Job) -> None:
        """Take up a job that is about to be sent, or one from an earlier run."""
        self.jobs.append(job)

    def remove(self, job: Job) -> None:
        """Take a job out of the artist's list; the server keeps it."""
        self.jobs.remove(job)

    @property
    def active(self) -> list[Job]:
        """Jobs of the server for which something still goes on, the newest last."""
        return [job for job in self.jobs if job.is_active and not self.is_elsewhere(job)]

    def is_elsewhere(self, job: Job) -> bool:
        """Whether a job is one of a server that is not set now."""
        return self.server_url is not None and job.server_url != self.server_url

    def apply(self, message: messages.Message) -> Job | None:
        """Change what a message changes; returns the job it is about, where there is one here."""
        if isinstance(message, messages.Connectivity):
            self.connectivity = message
            return None
        if isinstance(message, (messages.ServerFound, messages.ServerNotFound)):
            self.server = message
            return None
        if isinstance(message, messages.JobEvent):
            return self._event(message.event)
        job = self.find(message.key if hasattr(message, "key") else message.job_id)
        if job is not None:
            _CHANGES[type(message)](self, job, message)
        return job

    def _event(self, event: Event) -> Job | None:
        job = self.find(event.job)
        if job is None:
            self._early.pop(event.job, None)
            self._early[event.job] = event
            if len(self._early) > _EARLY_LIMIT:
                del self._early[next(iter(self._early))]
            return None
        _take(job, event)
        return job

    def _sending(self, job: Job, message: messages.Sending) -> None:
        job.sending = (message.done_bytes, message.total_bytes)
        job.sent_bytes = message.wire_bytes

    def _submitted(self, job: Job, message: messages.Submitted) -> None:
        job.id = message.job.id
        _take(job, message.job)
        early = self._early.pop(job.id, None)
        if early is not None:
            _take(job, early)
        if message.job.state.is_final:  # this is all that the server knows of it
            job.has_result, job.is_asked_for = True, False
            if message.job.state is JobState.FAILED:
                job.problem = message.job.error

    def _submit_failed(self, job: Job, message: messages.SubmitFailed) -> None:
        job.problem = message.detail
        job.sign_in_required = message.sign_in_required
        if message.stopped:
            job.state = JobState.CANCELLED
            job.problem = "Sending was stopped."
        job.ended_at = time.time()

    def _gone(self, job: Job, message: messages.JobGone) -> None:
        job.problem = message.detail
        job.ended_at = time.time()

    def _fetching(self, job: Job, message: messages.Fetching) -> None:
        job.fetching = (message.done_bytes, message.total_bytes)

    def _fetched(self, job: Job, message: messages.Fetched) -> None:
        job.is_fetching = False
        job.files = message.files

    def _fetch_failed(self, job: Job, message: messages.FetchFailed) -> None:
        job.is_fetching = job.is_asked_for = False
        job.problem = message.detail

    def _cancel_failed(self, job: Job, message: messages.CancelFailed) -> None:
        job.cancelling = False
        job.message = message.detail


_CHANGES: Mapping[type, Any] = {
    messages.Sending: JobList._sending,
    messages.Submitted: JobList._submitted,
    messages.SubmitFailed: JobList._submit_failed,
    messages.JobGone: JobList._gone,
    messages.Fetching: JobList._fetching,
    messages.Fetched: JobList._fetched,
    messages.FetchFailed: JobList._fetch_failed,
    messages.CancelFailed: JobList._cancel_failed,
}


def _take(job: Job, news: Any) -> None:
    """Take over what an event, or a snapshot of the job, says; a final state stays."""
    if job.state is not None and job.state.is_final and not news.state.is_final:
        return
    was_final = job.state is not None and job.state.is_final
    job.state = news.state
    job.stage, job.message = news.stage or job.stage, news.message or job.message
    job.fraction = news.fraction
    job.health = news.health
    job.queue_position = news.queue_position
    if not news.state.is_final:
        return
    job.cancelling = False
    if not was_final:
        job.ended_at = time.time()
    if news.state is JobState.CANCELLED:
        job.problem = "Cancelled."
    result = news.result or {}
    error = result.get("error") or {}
    if news.state is JobState.FAILED and error.get("detail"):
        job.problem = str(error["detail"])
    if not result or result.get("truncated"):
        return
    job.has_result, job.is_asked_for = True, False
    job.warnings = tuple(str(text) for text in result.get("warnings") or ())
    job.summary = result.get("summary") or {}
    job.has_files = bool(result.get("files"))
