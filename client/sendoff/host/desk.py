"""What one host application has going on: its list of jobs and its one session. Only the main thread comes here."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
import uuid
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from .. import Client, names, signins
from . import job_files, known_tasks
from .instance import Instance, alone
from .job_writer import JobWriter
from .jobs import Job, JobList
from .known_tasks import KnownTask
from .messages import ServerFound, ServerNotFound
from .outbox import Parcel
from .problems import Problem, Remedy
from .server_choice import ServerChoice, is_expired
from .session import Session

#: At the end, what is still to be written down is given so long; before a save, which takes its time itself, so long.
_WRITE_SECONDS, _BEGUN_SECONDS = 2.0, 0.05
#: Of a path that Windows takes, so many characters are left for the files in a folder of results.
_ROOM_FOR_FILES = 81


class HostApplication(Protocol):
    """What a desk asks of the host application that it stands in."""

    #: The kinds of scenes that it can send, as tasks name them: "blend", "usd".
    accepts: Collection[str]
    #: Under which name a server tells the version that it gives of what runs in this host: "addon", "maya".
    product: str

    def folder(self, name: str, *, create: bool = True) -> Path:
        """A folder of this user's for what is kept, by its name."""

    def server_choice(self) -> ServerChoice:
        """The server and the sign-in that are used now."""

    def forget_choice(self) -> None:
        """Have the choice made anew the next time."""

    def why_offline(self, choice: ServerChoice) -> str:
        """Why the host itself does not allow this server to be spoken to, as a sentence; "" where it does."""

    def open_path(self) -> str:
        """The path of the file that is open; "" where it was never saved."""

    def results_folder(self) -> Path | None:
        """Where the artist wants results to lie; None where that is left to Sendoff."""


class Desk:
    """The jobs of this run of the host application, the session with the server that is set, and what is kept of both.

    A job's copy of the scene and its record on disk go by the job's key; a job of an earlier run is found by `begin`.
    """

    def __init__(self, host: HostApplication) -> None:
        self.host = host
        self.jobs = JobList()
        #: The tasks that the server that is set now offers, or offered last.
        self.tasks: tuple[KnownTask, ...] = ()
        #: The host's name for the file that is open; a new one each time a file is loaded.
        self.open_file = uuid.uuid4().hex
        #: The session, where there is one.
        self.running_session: Session | None = None
        self._choice: ServerChoice | None = None
        self._tasks_of = ""
        self._parcels: dict[str, Parcel] = {}
        #: Keys of the jobs that an earlier run began to send.
        self._resumed: set[str] = set()
        self._instance: Instance | None = None
        self._writer: JobWriter | None = None
        self._has_looked = False

    # The server

    def session(self) -> Session:
        """The session with the server that is set now; the one with another server is ended."""
        choice = self.host.server_choice()
        running = self.running_session
        if running is not None and (choice != self._choice or running.is_closed):
            running.close(0.0)
            running = None
        if running is None:
            url, token, ca_bundle = choice.url, choice.token, choice.ca_bundle
            running = Session(
                lambda: Client(url, token or None, ca_bundle=ca_bundle or None),
                accepts=self.host.accepts,
                product=self.host.product,
            )
            self.running_session, self._choice = running, choice
            self.jobs.is_checking = False
            self._take_up(running, url)
        return running

    def _take_up(self, session: Session, url: str) -> None:
        """Have a new session follow the jobs that go on, and go on sending what has not arrived."""
        own = [job for job in self.jobs.jobs if job.is_active and job.server_url == url]
        session.resume([job.id for job in own if job.id])
        for job in own:
            job.is_fetching = job.is_asked_for = False
            if not job.id and job.key in self._parcels:
                self._submit(session, job, self._parcels[job.key])

    def _submit(self, session: Session, job: Job, parcel: Parcel) -> None:
        job.is_finding_files = parcel.needs_files
        session.submit(job.key, parcel, is_resumed=job.key in self._resumed)

    def server_url(self) -> str:
        """The URL of the server that is set now; "" where none is."""
        return self.host.server_choice().url

    def server_changed(self) -> None:
        """To be called where another server or sign-in is chosen: what was known of the old one is forgotten."""
        self.host.forget_choice()
        self.jobs.server = None
        self.jobs.hops.clear()
        self.jobs.is_checking = False
        self._has_looked = False

    def why_offline(self) -> str:
        """Why the server may not be spoken to, as a sentence; "" where it may."""
        choice = self.host.server_choice()
        return choice.problem or self.host.why_offline(choice)

    def wants_look(self) -> bool:
        """Whether the server should be asked for its tasks: it may be spoken to and was not asked yet."""
        return not self._has_looked and bool(self.server_url()) and not self.why_offline()

    def look(self) -> None:
        """Ask the server who it is and what it offers."""
        self._has_looked = True
        self.session().look()

    def check(self) -> None:
        """Try every hop to the server; `jobs.hops` tells what was found."""
        self.jobs.hops.clear()
        self.jobs.is_checking = True
        session = self.session()
        session.check()
        session.look()

    def sign_in(self, name: str) -> None:
        """Begin to sign in as an application of this name; `jobs.sign_in` has the code once the server gave one."""
        self.jobs.sign_in_problem = ""
        self.session().sign_in(name)

    def why_no_sign_in(self) -> str:
        """Why nobody can sign in from here, as a sentence; "" where somebody can."""
        if self.host.server_choice().signed_in_by == "SENDOFF_TOKEN":
            return "SENDOFF_TOKEN decides who you are on the server: ask your TD for another token"
        return self.why_offline()

    def needs_sign_in(self) -> bool:
        """Whether there is no sign-in, or one that is over or that the server would not take."""
        choice, server = self.host.server_choice(), self.jobs.server
        refused = isinstance(server, ServerNotFound) and Remedy.SIGN_IN in server.problem.remedies
        return not choice.token or is_expired(choice) or refused or self.jobs.connectivity.state == "refused"

    def sign_out(self) -> None:
        """End the kept sign-in that is used, here at once and then on the server."""
        url = self.server_url()
        self.session().sign_out()
        signins.forget(url)
        self.server_changed()

    def stop_sign_in(self) -> None:
        """Wait for nobody's approval any longer."""
        self.jobs.sign_in = None
        if self.running_session is not None:
            self.running_session.stop_sign_in()

    def refresh_tasks(self) -> bool:
        """Take over the tasks of the server that is set now; returns whether they are others than before."""
        url, server = self.server_url(), self.jobs.server
        before, found = self.tasks, None
        if isinstance(server, ServerFound):
            if server.tasks is self.tasks and url == self._tasks_of:
                return False
            found, offers = server.tasks, server.offers
            if found != before or url != self._tasks_of:
                folder = self.host.folder("server")
                self.writing().do(lambda: known_tasks.write_offers(folder, url, offers))
        elif url != self._tasks_of:
            found = known_tasks.of_offers(known_tasks.read_offers(self.host.folder("server"), url), self.host.accepts)
        if found is not None:
            self.tasks, self._tasks_of = found, url
            for job in self.jobs.jobs:
                known = self.find_task(job.task)
                if known is not None and job.server_url == url:
                    job.task_title = known.title
        return self.tasks != before

    def find_task(self, name: str) -> KnownTask | None:
        """A task of the server that is set now, by its name."""
        return next((task for task in self.tasks if task.name == name and self._tasks_of == self.server_url()), None)

    # The open file

    def came_from_open_file(self, job: Job) -> bool:
        """Whether the open file is the one that the job was made from."""
        path = self.host.open_path()
        return job.source_token == self.open_file or bool(job.source_path and job.source_path == path)

    def another_file_is_open(self) -> None:
        """To be called after each load of a file."""
        self.open_file = uuid.uuid4().hex

    # Jobs and what is kept of them

    def results_folder(self, job: Job) -> Path:
        """Where the files of a job's result lie on this machine; made by whoever writes there."""
        chosen = self.host.results_folder()
        if chosen is None:
            return self.host.folder("results", create=False) / job.key
        room = names.LONGEST_NAME_BYTES
        if sys.platform == "win32":
            room = names.LONGEST_WINDOWS_PATH - names.utf16_units(str(chosen)) - _ROOM_FOR_FILES
        return chosen / names.folder_name(job.title, job.id or job.key, room)

    def log_path(self, job: Job) -> Path:
        """Where a job's log is put for reading."""
        return self.host.folder("results", create=False) / job.key / "worker-log.txt"

    def post(self, job: Job, parcel: Parcel) -> None:
        """Hand what belongs to a job over to be sent; it is kept until the server has it, also over a restart."""
        self._parcels[job.key] = parcel
        self.writing().save_sent(job, parcel)
        self.remember(job)
        self._submit(self.session(), job, parcel)

    def post_again(self, job: Job) -> bool:
        """Go on sending what did not arrive; False where its copy is gone."""
        parcel = self._parcels.get(job.key)
        if parcel is None or not parcel.is_here:
            return False
        self._submit(self.session(), job, parcel)
        return True

    def has_arrived(self, job: Job) -> None:
        """To be called once the server has the job: the copy of the scene may go."""
        parcel = self._parcels.pop(job.key, None)
        if parcel is not None:
            self.writing().discard(parcel.folder)

    def remember(self, job: Job) -> None:
        """Keep a job for the time after a restart; the artist goes on also where that cannot be written."""
        if not job.is_saving:
            self.writing().save(job, keeper=self._instance.name if self._instance is not None else "")

    def remember_begun(self, job: Job) -> None:
        """Keep a job whose copy is about to be saved: where the host does not outlive that, the artist is told so."""
        self.remember(job)
        self.writing().flush(_BEGUN_SECONDS)

    def forget(self, job: Job) -> None:
        """Take a job and its files out of this machine; the server keeps it."""
        self.jobs.remove(job)
        self.has_arrived(job)
        self.writing().remove(job)
        self.writing().discard(self.host.folder("results") / job.key)

    def parcels(self) -> Mapping[str, Parcel]:
        """What is on its way to the server, by the job's key."""
        return dict(self._parcels)

    # The beginning and the end

    def begin(self) -> None:
        """Take up the jobs of an earlier run, and clear away results that are too old."""
        self.jobs.clear()
        self._parcels.clear()
        self.writing().flush(_WRITE_SECONDS)
        if self._instance is None:
            with contextlib.suppress(OSError):
                self._instance = Instance(self.host.folder("instances"))
        instance = self._instance
        is_kept = instance.is_alive if instance is not None else lambda _name: False
        with contextlib.suppress(OSError), alone(self.host.folder("instances"), _WRITE_SECONDS):
            for job in job_files.load_all(self.host.folder("jobs"), is_kept=is_kept):
                self.jobs.add(job)
                self._take_parcel(job)
                self.remember(job)
            self.writing().flush(_WRITE_SECONDS)  # the next one reads whose they are
            for folder in self.host.folder("results").iterdir():
                if time.time() - folder.stat().st_mtime > job_files.KEPT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)

    def _take_parcel(self, job: Job) -> None:
        """Find what an earlier run had not sent yet, or say that it is gone."""
        if job.id or job.state is not None:
            return
        parcel = job_files.load_parcel(job, self.host.folder("jobs"))
        if parcel is not None:
            self._parcels[job.key] = parcel
            self._resumed.add(job.key)
        elif job.problem is None and job.sends:
            job.problem = Problem(
                "It was not sent: the program was closed, and the copy is gone. Process the scene again."
            )

    def end(self) -> None:
        """End the session and its threads."""
        if self.running_session is not None:
            self.running_session.close()
        self.running_session, self._choice = None, None
        self._has_looked = False
        if self._writer is not None:
            self._writer.close(_WRITE_SECONDS)
            self._writer = None
        if self._instance is not None:
            self._instance.close()
            self._instance = None

    def writing(self) -> JobWriter:
        """The one that writes down jobs, made when it is first needed."""
        if self._writer is None:
            self._writer = JobWriter(self.host.folder("jobs", create=False))
        return self._writer
