"""What the threads tell the main thread: plain frozen values on one queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from .. import Event, Job
from ..check import HopResult
from ..device import SignInCode
from .known_tasks import KnownTask
from .problems import Problem


@dataclass(frozen=True)
class Sending:
    """An upload goes on: bytes that the server has of all bytes, and bytes that went over the wire."""

    key: str
    done_bytes: int
    total_bytes: int
    wire_bytes: int


@dataclass(frozen=True)
class FilesFound:
    """The files that the scene of `key` uses are known; `missing` are named by the scene and not there."""

    key: str
    missing: tuple[str, ...]
    #: What else the artist should know of them.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waits:
    """What is sent or fetched waits for the server, which cannot be reached; "" once it goes on.

    `key` is the job's key, or the server's id of it.
    """

    key: str
    reason: str


@dataclass(frozen=True)
class Submitted:
    """The server has made a job of what was sent under `key`, or has told how a job is now."""

    key: str
    job: Job


@dataclass(frozen=True)
class SubmitFailed:
    """Nothing became of a submit or of a retry."""

    key: str
    problem: Problem


@dataclass(frozen=True)
class JobEvent:
    """Something happened to a job."""

    event: Event


@dataclass(frozen=True)
class JobGone:
    """The server does not know a job any more that was remembered here."""

    job_id: str
    detail: str


@dataclass(frozen=True)
class Connectivity:
    """The stream of events is "online", "reconnecting" or "refused"."""

    state: str
    detail: str = ""


@dataclass(frozen=True)
class Fetching:
    """A result is on its way here."""

    job_id: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class FetchedFile:
    """A file of a result, as it lies on this machine."""

    path: Path
    role: str
    media_type: str


@dataclass(frozen=True)
class Fetched:
    """A result is here."""

    job_id: str
    files: tuple[FetchedFile, ...]


@dataclass(frozen=True)
class FetchFailed:
    """A result could not be brought here; it stays on the server."""

    job_id: str
    problem: Problem


@dataclass(frozen=True)
class CancelFailed:
    """The server could not be asked to cancel a job."""

    job_id: str
    detail: str


@dataclass(frozen=True)
class LogFetched:
    """The worker's log of a job is here."""

    job_id: str
    path: Path


@dataclass(frozen=True)
class AskFailed:
    """A log or a page that the artist asked for could not be had."""

    job_id: str
    detail: str


@dataclass(frozen=True)
class ServerFound:
    """The server answered: its name, who we are there, the tasks that its workers offer, the add-on it has."""

    name: str
    tasks: tuple[KnownTask, ...] = ()
    #: The same as the server gave them, to be kept.
    offers: tuple[Mapping[str, Any], ...] = ()
    person: str = ""
    version: str = ""
    addon_version: str = ""


@dataclass(frozen=True)
class ServerNotFound:
    """The server did not answer, or not as it should."""

    problem: Problem

    @property
    def detail(self) -> str:
        """The sentence."""
        return self.problem.text


@dataclass(frozen=True)
class HopTried:
    """One hop of Test Connection was tried."""

    hop: HopResult


@dataclass(frozen=True)
class CheckEnded:
    """Test Connection has tried all hops."""


@dataclass(frozen=True)
class SignInAsked:
    """The server has given a code, which somebody has to approve."""

    code: SignInCode


@dataclass(frozen=True)
class SignedIn:
    """It was approved, and the sign-in is kept."""

    person: str


@dataclass(frozen=True)
class SignInFailed:
    """Nothing came of it; a stop is the artist's own."""

    problem: Problem


Message = Union[
    Sending,
    Waits,
    FilesFound,
    Submitted,
    SubmitFailed,
    JobEvent,
    JobGone,
    Connectivity,
    Fetching,
    Fetched,
    FetchFailed,
    CancelFailed,
    LogFetched,
    AskFailed,
    ServerFound,
    ServerNotFound,
    HopTried,
    CheckEnded,
    SignInAsked,
    SignedIn,
    SignInFailed,
]
