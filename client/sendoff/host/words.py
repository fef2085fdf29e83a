"""What is said of a job: one line for the status bar and the panel."""

from __future__ import annotations

from dataclasses import dataclass

from .. import Health, JobState
from .jobs import Job
from .messages import Connectivity
from .progress import time_left

_MEGA = 1e6
_PLAIN_WORDS = {
    JobState.QUEUED: "waiting for a worker",
    JobState.STARTING: "starting",
    JobState.RUNNING: "running",
}


@dataclass(frozen=True)
class Line:
    """What happens to a job, or has become of it: the words, the place on the bar (None: none), the time left."""

    text: str
    fraction: float | None = None
    time_left: str = ""

    @property
    def bar_text(self) -> str:
        """What stands in the bar."""
        percent = f"{int((self.fraction or 0.0) * 100)} %"
        return f"{percent}, {self.time_left}" if self.time_left else percent


def line(job: Job, connectivity: Connectivity, now: float) -> Line:
    """What to say of a job at a time in Unix seconds."""
    if not job.is_active:
        return Line(_ended(job))
    text = _doing(job)
    left = "" if job.cancelling else time_left(job.seconds_left(now))
    if job.waits_for and not job.cancelling:
        text, left = f"reconnecting to the server, it goes on by itself: {text}", ""
    elif job.state is not None and connectivity.state == "reconnecting":
        text, left = f"reconnecting to the server, the job goes on: {text}", ""  # first, since the end may be cut off
    elif job.state is not None and connectivity.state == "refused":
        text, left = f"{connectivity.detail} (the job goes on: {text})", ""
    # A thousandth is what the bar can show; less would only cost redraws.
    return Line(text, round(job.bar.value, 3), left)


def _doing(job: Job) -> str:
    if job.state is None:
        return _sending(job)
    if job.state.is_final:
        done, total = job.fetching
        return f"bringing the result, {_sizes(done, total)}" if total else "done, the result is on its way"
    return _on_the_server(job)


def _on_the_server(job: Job) -> str:
    if job.cancelling or job.state is JobState.CANCELLING:
        return "cancelling"
    again = f"attempt {job.attempt} of {job.max_attempts}" if job.max_attempts >= job.attempt > 1 else ""
    if job.health is Health.WORKER_LOST:
        coming = job.attempt + (1 if job.state is JobState.QUEUED else 0)
        counted = f", attempt {coming} of {job.max_attempts}" if job.max_attempts >= coming > 1 else ""
        return f"worker lost{counted}: another worker takes over"
    text = job.message or job.stage or _PLAIN_WORDS.get(job.state or JobState.RUNNING, "running")
    if job.state is JobState.QUEUED and job.queue_position and job.queue_position > 1:
        text += f", place {job.queue_position} in the queue"
    if again:
        text += f" ({again})"
    if job.health is Health.STALLED:
        text += " (no word from the worker for a while; it may still be well)"
    return text


def _sending(job: Job) -> str:
    done, total = job.sending
    if job.cancelling:
        return "stopping"
    if job.is_saving:
        return "saving a copy to send"
    if not job.sends:
        return "asking the server to run it again"
    if not total:
        return "looking for the files the scene uses" if job.is_finding_files else "preparing to send"
    if done >= total:
        return "sent, waiting for the server's word"
    return f"sending, {_sizes(done, total)}"


def _ended(job: Job) -> str:
    if job.problem is not None:
        return job.problem.text
    if job.imported:
        return job.imported
    if job.wants_import:
        return "the result is here"
    return f"done. {job.warnings[0]}" if job.warnings else "done"


def _sizes(done: int, total: int) -> str:
    if total < _MEGA:
        return f"{done / 1e3:.0f} of {total / 1e3:.0f} kB"
    return f"{done / _MEGA:.1f} of {total / _MEGA:.1f} MB"
