"""Send a scene to the studio's Sendoff server, watch its progress live, get the result back.

>>> from sendoff import Client
>>> client = Client()  # doctest: +SKIP
>>> job = client.submit("car.blend", task="mesh.lods")  # doctest: +SKIP
>>> client.fetch(client.wait(job.id).id, "result")  # doctest: +SKIP
"""

from __future__ import annotations

from .client import Client, Job
from .connection import Connection
from .errors import (
    BlendFileError,
    ChunksMissing,
    ConnectionFailed,
    EncodingError,
    InputError,
    IntegrityError,
    JobCancelled,
    JobFailed,
    ManifestError,
    NotFound,
    PackError,
    Rejected,
    SendoffError,
    ServerError,
    SignInRequired,
    Stopped,
    StorageFull,
    TimedOut,
)
from .events import Event, EventKind
from .eventstream import Connectivity, EventStream
from .scope import Scope
from .states import Health, JobState
from .submission import HostInfo, SceneFile, Submission

__version__ = "0.1.0"

__all__ = [
    "BlendFileError",
    "ChunksMissing",
    "Client",
    "Connection",
    "ConnectionFailed",
    "Connectivity",
    "EncodingError",
    "Event",
    "EventKind",
    "EventStream",
    "Health",
    "HostInfo",
    "InputError",
    "IntegrityError",
    "Job",
    "JobCancelled",
    "JobFailed",
    "JobState",
    "ManifestError",
    "NotFound",
    "PackError",
    "Rejected",
    "SceneFile",
    "Scope",
    "SendoffError",
    "ServerError",
    "SignInRequired",
    "Stopped",
    "StorageFull",
    "Submission",
    "TimedOut",
    "__version__",
]
