"""What this Blender has going on: its list of jobs and its one session. Only the main thread comes here."""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import bpy

from . import job_files, known_tasks, preferences
from .instance import Instance
from .job_writer import JobWriter
from .jobs import Job, JobList
from .known_tasks import KnownTask
from .messages import ServerFound
from .outbox import Parcel
from .problems import Problem
from .sendoff import Client
from .server_choice import ServerChoice
from .session import Session

ONLINE_SENTENCE = "Online Access is off, and the server is on another machine"
#: The pump looks at the disk for kept sign-ins so rarely.
_CHOICE_SECONDS = 10.0
#: At the end, what is still to be written down is given so long; before a save, which takes its time itself, so long.
_WRITE_SECONDS, _BEGUN_SECONDS = 2.0, 0.05

jobs = JobList()
#: The tasks that the server that is set now offers, or offered last.
tasks: tuple[KnownTask, ...] = ()
_session: Session | None = None
_choice: ServerChoice | None = None
_tasks_of = ""
_parcels: dict[str, Parcel] = {}
_instance: Instance | None = None
_writer: JobWriter | None = None
#: Whether the server that is set now was asked for its tasks.
_has_looked = False
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
        url, token, ca_bundle = choice.url, choice.token, choice.ca_bundle
        _session = Session(lambda: Client(url, token or None, ca_bundle=ca_bundle or None))
        _choice = choice
        jobs.is_checking = False
        _take_up(_session, url)
    return _session


def _take_up(with_whom: Session, url: str) -> None:
    """Have a new session follow the jobs that go on, and go on sending what has not arrived."""
    own = [job for job in jobs.jobs if job.is_active and job.server_url == url]
    with_whom.resume([job.id for job in own if job.id])
    for job in own:
        job.is_fetching = job.is_asked_for = False
        if not job.id and job.key in _parcels:
            with_whom.submit(job.key, _parcels[job.key].submission)


def running_session() -> Session | None:
    """The session, where there is one."""
    return _session


def server_choice() -> ServerChoice:
    """The server and the sign-in that are used now."""
    return preferences.server_choice(fresh_seconds=_CHOICE_SECONDS)


def server_url() -> str:
    """The URL of the server that is set now; "" where none is."""
    return server_choice().url


def server_changed() -> None:
    """To be called where another server or sign-in is chosen: what was known of the old one is forgotten."""
    global _has_looked  # noqa: PLW0603
    preferences.forget_choice()
    jobs.server = None
    jobs.hops.clear()
    jobs.is_checking = False
    _has_looked = False


def why_offline() -> str:
    """Why the server may not be spoken to, as a sentence; "" where it may."""
    choice = server_choice()
    if choice.problem:
        return choice.problem
    if not bpy.app.online_access and not choice.is_loopback:
        return f"{ONLINE_SENTENCE}. Allow it in Preferences > System > Network"
    return ""


def wants_look() -> bool:
    """Whether the server should be asked for its tasks: it may be spoken to and was not asked yet."""
    return not _has_looked and bool(server_url()) and not why_offline()


def look() -> None:
    """Ask the server who it is and what it offers."""
    global _has_looked  # noqa: PLW0603
    _has_looked = True
    session().look()


def refresh_tasks() -> bool:
    """Take over the tasks of the server that is set now; returns whether they are others than before."""
    global tasks, _tasks_of
    url, server = server_url(), jobs.server
    before, found = tasks, None
    if isinstance(server, ServerFound):
        if server.tasks is tasks and url == _tasks_of:
            return False
        found, offers = server.tasks, server.offers
        if found != before or url != _tasks_of:
            folder = _folder("server")
            _writing().do(lambda: known_tasks.write_offers(folder, url, offers))
    elif url != _tasks_of:
        found = known_tasks.of_offers(known_tasks.read_offers(_folder("server"), url))
    if found is not None:
        tasks, _tasks_of = found, url
        for job in jobs.jobs:
            known = find_task(job.task)
            if known is not None and job.server_url == url:
                job.task_title = known.title
    return tasks != before


def find_task(name: str) -> KnownTask | None:
    """A task of the server that is set now, by its name."""
    return next((task for task in tasks if task.name == name and _tasks_of == server_url()), None)


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
    """Where the files of a job's result lie on this machine; made by whoever writes there."""
    chosen = preferences.results_folder()
    return _folder("results", create=False) / job.key if chosen is None else chosen / f"{job.title}-{job.id or job.key}"


def log_path(job: Job) -> Path:
    """Where a job's log is put for reading."""
    return _folder("results", create=False) / job.key / "worker-log.txt"


def post(job: Job, parcel: Parcel) -> None:
    """Hand what belongs to a job over to be sent; it is kept until the server has it, also over a restart."""
    _parcels[job.key] = parcel
    _writing().save_sent(job, parcel)
    remember(job)
    session().submit(job.key, parcel.submission)


def post_again(job: Job) -> bool:
    """Go on sending what did not arrive; False where its copy is gone."""
    parcel = _parcels.get(job.key)
    if parcel is None or not all(file.source.is_file() for file in parcel.submission.files):
        return False
    session().submit(job.key, parcel.submission)
    return True


def has_arrived(job: Job) -> None:
    """To be called once the server has the job: the copy of the scene may go."""
    parcel = _parcels.pop(job.key, None)
    if parcel is not None:
        _writing().discard(parcel.folder)


def remember(job: Job) -> None:
    """Keep a job for the time after a restart; the artist goes on also where that cannot be written."""
    if not job.is_saving:
        _writing().save(job, keeper=_instance.name if _instance is not None else "")


def remember_begun(job: Job) -> None:
    """Keep a job whose copy is about to be saved: where Blender does not outlive that, the artist is told so."""
    remember(job)
    _writing().flush(_BEGUN_SECONDS)


def forget(job: Job) -> None:
    """Take a job and its files out of this machine; the server keeps it."""
    jobs.remove(job)
    has_arrived(job)
    _writing().remove(job)
    _writing().discard(_folder("results") / job.key)


def begin() -> None:
    """Take up the jobs of an earlier run, and clear away results that are too old."""
    global _instance  # noqa: PLW0603
    jobs.clear()
    _parcels.clear()
    _writing().flush(_WRITE_SECONDS)
    if _instance is None:
        with contextlib.suppress(OSError):
            _instance = Instance(_folder("instances"))
    is_kept = _instance.is_alive if _instance is not None else lambda _name: False
    with contextlib.suppress(OSError):
        for job in job_files.load_all(_folder("jobs"), is_kept=is_kept):
            jobs.add(job)
            _take_parcel(job)
            remember(job)
        for folder in _folder("results").iterdir():
            if time.time() - folder.stat().st_mtime > job_files.KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _take_parcel(job: Job) -> None:
    """Find what an earlier run had not sent yet, or say that it is gone."""
    if job.id or job.state is not None:
        return
    parcel = job_files.load_parcel(job, _folder("jobs"))
    if parcel is not None:
        _parcels[job.key] = parcel
    elif job.problem is None and job.sends:
        job.problem = Problem("It was not sent: Blender was closed, and the copy is gone. Process the scene again.")


def end() -> None:
    """End the session and its threads."""
    global _session, _choice, _instance, _has_looked, _writer  # noqa: PLW0603
    if _session is not None:
        _session.close()
    _session, _choice = None, None
    _has_looked = False
    if _writer is not None:
        _writer.close(_WRITE_SECONDS)
        _writer = None
    if _instance is not None:
        _instance.close()
        _instance = None


def parcels() -> Mapping[str, Parcel]:
    """What is on its way to the server, by the job's key."""
    return dict(_parcels)


def _writing() -> JobWriter:
    """The one that writes down jobs, made when it is first needed."""
    global _writer  # noqa: PLW0603
    if _writer is None:
        _writer = JobWriter(_folder("jobs", create=False))
    return _writer


def _folder(name: str, *, create: bool = True) -> Path:
    return Path(bpy.utils.extension_path_user(__package__, path=name, create=create))
