"""What this Blender has going on: its list of jobs and its one session. Only the main thread comes here."""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from pathlib import Path

import bpy

from . import job_files
from .jobs import Job, JobList
from .preferences import server_choice
from .sendoff import Client
from .server_choice import ServerChoice
from .session import Session

jobs = JobList()
_session: Session | None = None
_choice: ServerChoice | None = None
#: This Blender's name for the file that is open; a new one each time a file is loaded.
_open_file = uuid.uuid4().hex


def session() -> Session:
    """The session with the server that is set now; the one with another server is ended."""
    global _session, _choice  # noqa: PLW0603
    choice = server_choice()
    if _session is not None and (choice != _choice or _session.is_closed):
        _session.close(0.0)
        _session = None
    if _session is None:
        url, token = choice.url, choice.token
        _session, _choice = Session(lambda: Client(url, token or None)), choice
        _session.resume([job.id for job in jobs.jobs if job.id and job.is_active and job.server_url == url])
    return _session


def running_session() -> Session | None:
    """The session, where there is one."""
    return _session


def server_url() -> str:
    """The URL of the server that is set now; "" where none is."""
    return server_choice().url


def why_offline() -> str:
    """Why the server may not be spoken to, as a sentence; "" where it may."""
    choice = server_choice()
    if choice.problem:
        return choice.problem
    if not bpy.app.online_access and not choice.is_loopback:
        return "Allow Online Access in Preferences > System: the server is on another machine"
    return ""


def open_file() -> str:
    """This Blender's name for the file that is open."""
    return _open_file


def came_from_open_file(job: Job) -> bool:
    """Whether the open file is the one that the job was made from."""
    return job.source_token == _open_file or bool(job.source_path and job.source_path == bpy.data.filepath)


def another_file_is_open() -> None:
    """To be called after each load of a file."""
    global _open_file  # noqa: PLW0603
    _open_file = uuid.uuid4().hex


def results_folder(job: Job) -> Path:
    """Where the files of a job's result lie on this machine."""
    return _folder("results") / job.key


def remember(job: Job) -> None:
    """Keep a job for the time after a restart; the artist goes on also where that cannot be written."""
    with contextlib.suppress(OSError):
        job_files.save(job, _folder("jobs"))


def forget(job: Job) -> None:
    """Take a job and its files out of this machine; the server keeps it."""
    jobs.remove(job)
    with contextlib.suppress(OSError):
        job_files.remove(job, _folder("jobs"))
    shutil.rmtree(results_folder(job), ignore_errors=True)


def begin() -> None:
    """Take up the jobs of an earlier run, and clear away results that are too old."""
    jobs.clear()
    with contextlib.suppress(OSError):
        for job in job_files.load_all(_folder("jobs")):
            jobs.add(job)
        for folder in _folder("results").iterdir():
            if time.time() - folder.stat().st_mtime > job_files.KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def end() -> None:
    """End the session and its threads."""
    global _session, _choice
    if _session is not None:
        _session.close()
    _session, _choice = None, None


def _folder(name: str) -> Path:
    return Path(bpy.utils.extension_path_user(__package__, path=name, create=True))
