"""The jobs of this host application as the artist sees them; changed by messages alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import Event, Health, JobState
from .. import Job as Snapshot
from ..check import HopResult
from ..device import SignInCode
from . import messages
from .missing import missing_notes
from .problems import Problem, Remedy, problem_of_job
from .progress import Bar, Rate, Way

#: The last events of so many jobs that are not (yet) ours are kept: an event may overtake its job's `Submitted`.
_EARLY_LIMIT = 256


@dataclass
class Job:
    """One job, from the click until its result is in the scene."""

    #: Names it from the click on; the server's id is known later.
    key: str
    task: str
    #: What the artist reads: the file's name without its suffix.
    title: str
    server_url: str
    #: The task's title, as the server told it.
    task_title: str = ""
    #: Where it comes from: the file's path ("" where never saved) and the host's own name for what it had open.
    source_path: str = ""
    source_token: str = ""
    scene_name: str = ""
    #: What of the scene was sent, in words; "" for the whole.
    scope_title: str = ""
    #: Each mesh object as it was sent: what changed since is told at the import.
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    scene_bytes: int = 0
    missing_files: tuple[str, ...] = ()
    #: What the artist should know of what was sent.
    notes: tuple[str, ...] = ()
    #: "BESIDE" or "OVER": where levels of detail go.
    lod_placement: str = "BESIDE"
    #: Whether there is a scene to send; a retry has none.
    sends: bool = True
    created_at: float = field(default_factory=time.time)

    id: str = ""
    #: The copy of the scene is not saved yet.
    is_saving: bool = False
    #: A thread looks for the files that the scene uses.
    is_finding_files: bool = False
    #: None until the server has it.
    state: JobState | None = None
    stage: str = ""
    message: str = ""
    fraction: float | None = None
    #: When the server thinks it will have ended, in Unix seconds by our clock; None where unknown.
    ends_at: float | None = None
    attempt: int = 0
    max_attempts: int = 0
    queue_position: int | None = None
    health: Health = Health.OK
    sent_bytes: int = 0
    sending: tuple[int, int] = (0, 0)
    fetching: tuple[int, int] = (0, 0)
    #: Why the bytes do not go now: the server cannot be reached; "" while they go.
    waits_for: str = ""
    #: Of the bytes that go now, either way.
    rate: Rate = field(default_factory=Rate)
    bar: Bar = field(default_factory=Bar)
    #: Asked to be cancelled, and not yet answered.
    cancelling: bool = False
    #: Why it did not work out.
    problem: Problem | None = None
    warnings: tuple[str, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    #: What the job has ended with is known: a final event of a large result leaves it out.
    has_result: bool = False
    is_asked_for: bool = False
    has_files: bool = False
    #: The result is being brought here; the files once they are here.
    is_fetching: bool = False
    files: tuple[messages.FetchedFile, ...] = ()
    #: It is to come into its scene by itself, whatever the preferences say.
    is_import_asked: bool = False
    #: What became of the result in the scene, as a sentence, and what else there is to know of it.
    imported: str = ""
    import_notes: tuple[str, ...] = ()
    ended_at: float | None = None
    #: The artist has seen how it ended.
    is_seen: bool = False

    @property
    def is_sending(self) -> bool:
        """Whether the scene is still on its way to the server."""
        return self.state is None and self.problem is None

    @property
    def is_active(self) -> bool:
        """Whether something still goes on for it, here or on the server."""
        if self.problem is not None:
            return False
        if self.state is None or not self.state.is_final:
            return True
        return self.wants_result or self.is_asked_for or self.wants_fetch or self.is_fetching

    @property
    def may_cancel(self) -> bool:
        """Whether there is something that a cancel would end: also a download that waits for the network."""
        is_over = self.state is not None and self.state.is_final and not self.waits_for
        return self.is_active and not self.cancelling and not is_over

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
        return bool(self.files) and not self.imported and self.problem is None

    @property
    def name(self) -> str:
        """The scene and what is done with it, to tell several jobs apart."""
        return f"{self.title} · {self.task_title or self.task}"

    def seconds_left(self, now: float) -> float | None:
        """How long the part of the way that it is on will take, at a time in Unix seconds; None where unknown."""
        if self.state is None:
            return self.rate.seconds_left(self.sending[1])
        if self.state is JobState.SUCCEEDED:
            return self.rate.seconds_left(self.fetching[1])
        if self.ends_at is None or self.state is JobState.QUEUED or self.health is not Health.OK:
            return None
        return max(0.0, self.ends_at - now)

    def way(self) -> Way:
        """How far it is on each part of its way."""
        done, total = self.sending
        sent = done / total if total else 0.0
        if self.state is None:
            return Way(sends=self.sends, sent=sent)
        if self.state is not JobState.SUCCEEDED:
            is_queued = self.state is JobState.QUEUED
            return Way(sends=self.sends, sent=1.0, worked=0.0 if is_queued else self.fraction or 0.0)
        fetched, size = self.fetching
        return Way(
            sends=self.sends, sent=1.0, worked=1.0, fetched=fetched / size if size else 0.0, is_done=not self.is_active
        )


class JobList:
    """All jobs that this host application knows, the newest last."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Know nothing, as at the start."""
        self.jobs: list[Job] = []
        #: The server that is set now; None while nobody said. Jobs of others are listed, and nobody waits for them.
        self.server_url: str | None = None
        self.connectivity = messages.Connectivity("online")
        self.server: messages.ServerFound | messages.ServerNotFound | None = None
        #: What Test Connection has found so far, and whether it still tries.
        self.hops: list[HopResult] = []
        self.is_checking = False
        #: The code that somebody has to approve while a sign-in goes on; and why the last one came to nothing.
        self.sign_in: SignInCode | None = None
        self.sign_in_problem = ""
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

    @property
    def unseen(self) -> list[Job]:
        """Jobs that have ended, or whose result waits, and that the artist has not seen; the newest end last."""
        ended = [job for job in self.jobs if not job.is_active and not job.is_seen and not self.is_elsewhere(job)]
        return sorted(ended, key=lambda job: job.ended_at or 0.0)

    def is_elsewhere(self, job: Job) -> bool:
        """Whether a job is one of a server that is not set now."""
        return self.server_url is not None and job.server_url != self.server_url

    def job_of(self, message: messages.Message) -> Job | None:
        """The job that a message is about; None where it is about none, or one that is not here."""
        if isinstance(message, messages.JobEvent):
            return self.find(message.event.job)
        return self.find(getattr(message, "key", "") or getattr(message, "job_id", ""))

    def apply(self, message: messages.Message, now: float | None = None) -> Job | None:
        """Change what a message changes, at a time in Unix seconds; returns the job it is about, where one is here."""
        now = time.time() if now is None else now
        general = _GENERAL.get(type(message))
        if general is not None:
            general(self, message)
            return None
        if isinstance(message, messages.JobEvent):
            job = self._event(message.event, now)
        else:
            job = self.job_of(message)
            if job is not None:
                _OF_A_JOB[type(message)](self, job, message, now)
        if job is not None:
            job.bar.follow(job.way(), job.attempt)
        return job

    def _event(self, event: Event, now: float) -> Job | None:
        job = self.find(event.job)
        if job is None:
            self._early.pop(event.job, None)
            self._early[event.job] = event
            if len(self._early) > _EARLY_LIMIT:
                del self._early[next(iter(self._early))]
            return None
        _take(job, event, now)
        return job

    def _connectivity(self, message: messages.Connectivity) -> None:
        self.connectivity = message

    def _server(self, message: messages.ServerFound | messages.ServerNotFound) -> None:
        self.server = message

    def _hop_tried(self, message: messages.HopTried) -> None:
        self.hops.append(message.hop)

    def _check_ended(self, _message: messages.CheckEnded) -> None:
        self.is_checking = False

    def _sign_in_asked(self, message: messages.SignInAsked) -> None:
        self.sign_in, self.sign_in_problem = message.code, ""

    def _sign_in_ended(self, message: messages.SignedIn | messages.SignInFailed) -> None:
        self.sign_in, self.sign_in_problem = None, ""
        if isinstance(message, messages.SignInFailed) and not message.problem.is_stop:
            self.sign_in_problem = message.problem.text

    def _sending(self, job: Job, message: messages.Sending, now: float) -> None:
        job.sending = (message.done_bytes, message.total_bytes)
        job.sent_bytes = message.wire_bytes
        job.rate.note(message.done_bytes, now)

    def _files_found(self, job: Job, message: messages.FilesFound, _now: float) -> None:
        before = {*missing_notes(job.missing_files), *message.notes}  # a retry looks again
        job.is_finding_files = False
        job.missing_files = message.missing
        others = (note for note in job.notes if note not in before)
        job.notes = (*missing_notes(message.missing), *others, *message.notes)

    def _waits(self, job: Job, message: messages.Waits, _now: float) -> None:
        job.waits_for = message.reason
        job.rate = Rate()

    def _submitted(self, job: Job, message: messages.Submitted, now: float) -> None:
        job.waits_for = ""
        job.is_finding_files = False
        if not job.id:
            job.id, job.rate = message.job.id, Rate()
        _take_snapshot(job, message.job, now)
        early = self._early.pop(job.id, None)
        if early is not None:
            _take(job, early, now)
        if message.job.state.is_final:  # this is all that the server knows of it
            job.has_result, job.is_asked_for = True, False
            if message.job.state is JobState.FAILED and job.problem is None:
                job.problem = problem_of_job(message.job.error, "", misses_files=bool(job.missing_files))

    def _submit_failed(self, job: Job, message: messages.SubmitFailed, now: float) -> None:
        job.problem = message.problem
        job.cancelling = job.is_finding_files = False
        if message.problem.is_stop:
            job.state = JobState.CANCELLED
            job.problem = Problem("Sending was stopped.", (Remedy.RETRY,), is_stop=True)
        job.ended_at = now

    def _gone(self, job: Job, message: messages.JobGone, now: float) -> None:
        job.problem = Problem(message.detail)
        job.ended_at = now

    def _fetching(self, job: Job, message: messages.Fetching, now: float) -> None:
        job.fetching = (message.done_bytes, message.total_bytes)
        job.rate.note(message.done_bytes, now)

    def _fetched(self, job: Job, message: messages.Fetched, now: float) -> None:
        job.is_fetching, job.waits_for = False, ""
        job.files = message.files
        job.ended_at = now

    def _fetch_failed(self, job: Job, message: messages.FetchFailed, now: float) -> None:
        job.is_fetching = job.is_asked_for = job.cancelling = False
        job.problem, job.waits_for = message.problem, ""
        if message.problem.is_stop:
            job.problem = Problem("The download was stopped.", (Remedy.RETRY,), is_stop=True)
        job.ended_at = now

    def _cancel_failed(self, job: Job, _message: messages.CancelFailed, _now: float) -> None:
        job.cancelling = False  # why is told at the mouse: the worker's own words stay

    def _no_change(self, _job: Job, _message: messages.LogFetched | messages.AskFailed, _now: float) -> None:
        """The pump shows these; the job stays as it is."""


_GENERAL: Mapping[type, Any] = {
    messages.Connectivity: JobList._connectivity,
    messages.ServerFound: JobList._server,
    messages.ServerNotFound: JobList._server,
    messages.HopTried: JobList._hop_tried,
    messages.CheckEnded: JobList._check_ended,
    messages.SignInAsked: JobList._sign_in_asked,
    messages.SignedIn: JobList._sign_in_ended,
    messages.SignInFailed: JobList._sign_in_ended,
}
_OF_A_JOB: Mapping[type, Any] = {
    messages.Sending: JobList._sending,
    messages.Waits: JobList._waits,
    messages.FilesFound: JobList._files_found,
    messages.Submitted: JobList._submitted,
    messages.SubmitFailed: JobList._submit_failed,
    messages.JobGone: JobList._gone,
    messages.Fetching: JobList._fetching,
    messages.Fetched: JobList._fetched,
    messages.FetchFailed: JobList._fetch_failed,
    messages.CancelFailed: JobList._cancel_failed,
    messages.LogFetched: JobList._no_change,
    messages.AskFailed: JobList._no_change,
}


def _take_snapshot(job: Job, snapshot: Snapshot, now: float) -> None:
    """Take over what the server answered about the job."""
    event = {**snapshot.fields, "job": snapshot.id, "kind": "snapshot", "job_fields": snapshot.fields}
    _take(job, Event.from_dict(event), now)


def _take(job: Job, event: Event, now: float) -> None:
    """Take over what an event says; a final state stays."""
    was_final = job.state is not None and job.state.is_final
    if was_final and not event.state.is_final:
        return
    job.state = event.state
    if event.attempt > job.attempt:
        job.stage = ""
    job.stage, job.message = event.stage or job.stage, event.message or job.message
    job.fraction = event.fraction
    job.ends_at = None if event.eta_seconds is None else now + event.eta_seconds
    job.attempt = event.attempt or job.attempt
    job.health = event.health
    job.queue_position = event.queue_position
    _take_fields(job, event.job_fields)
    if not event.state.is_final:
        return
    job.cancelling = False
    if not was_final:
        job.ended_at = now
        job.rate = Rate()
    _take_end(job, event)


def _take_fields(job: Job, fields: Mapping[str, Any]) -> None:
    most = fields.get("max_attempts")
    if isinstance(most, int):
        job.max_attempts = most


def _take_end(job: Job, event: Event) -> None:
    if event.state is JobState.CANCELLED:
        job.problem = Problem("Cancelled.", (Remedy.RETRY,), is_stop=True)
    result = event.result or {}
    error = result.get("error") or {}
    if event.state is JobState.FAILED and error.get("detail"):
        job.problem = problem_of_job(
            str(error["detail"]), str(error.get("kind") or ""), misses_files=bool(job.missing_files)
        )
    if not result or result.get("truncated"):
        return
    job.has_result, job.is_asked_for = True, False
    job.warnings = tuple(str(text) for text in result.get("warnings") or ())
    job.summary = result.get("summary") or {}
    job.has_files = bool(result.get("files"))
