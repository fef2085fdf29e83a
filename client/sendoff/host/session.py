"""One session with one server: threads that submit, listen and fetch, and tell the main thread by messages.

Every thread is a daemon, looks at one Event, and is joined within a second at the end.
"""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
import webbrowser
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from .. import Client, Connectivity, Event, EventStream, Job, NotFound, SendoffError, check, device
from . import known_tasks, messages, used_files
from .outbox import Parcel
from .problems import problem_of
from .stoppable import Abandonable
from .threads import Threads

#: All threads together are given so long to end.
JOIN_SECONDS = 1.0
#: After a stop, a search for files and a transfer are given so long to end by themselves.
_LOOK_STOP_SECONDS, _SEND_STOP_SECONDS = 0.3, 3.0
#: Downloads report so often at most, as the SDK's uploads do; the status bar is drawn less often still.
_REPORT_SECONDS = 0.1
#: A look at the server and at the jobs of an earlier run soon tells that nobody answers.
_LOOK_PATIENCE_SECONDS = 2.0
#: A server that never answered may restart just now; more likely its URL is wrong.
_FIRST_PATIENCE_SECONDS = 5.0


class Session:
    """The threads for one server; the methods return at once and may be called from the main thread.

    `make_client` makes the SDK's client; it is called in a thread, since that imports and reads files. What
    happens is told in `messages`.
    """

    def __init__(self, make_client: Callable[[], Client], *, accepts: Collection[str], product: str = "addon") -> None:
        # Of this kind, since taking from it never waits for a thread that holds its lock and is not run.
        self.messages: queue.SimpleQueue[messages.Message] = queue.SimpleQueue()
        self._make_client = make_client
        self._accepts = accepts
        self._product = product
        self._client: Client | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._told = threading.Event()
        self._threads = Threads("sendoff")
        self._submits: dict[str, threading.Event] = {}
        self._fetches: dict[str, threading.Event] = {}
        self._sign_in_stop: threading.Event | None = None
        #: Keys of which nothing is told yet.
        self._sending: set[str] = set()
        self._stream: EventStream | None = None
        self._listener: threading.Thread | None = None
        self._scope = "session"

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._stop.is_set()

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way: a thread other than the listening one works, or a message waits."""
        return not self.messages.empty() or any(thread is not self._listener for thread in self._threads.going)

    def submit(self, key: str, parcel: Parcel, *, is_resumed: bool = False) -> None:
        """Send a scene; repeated with the same parcel it goes on where it was, and makes one job.

        One that an earlier run began (`is_resumed`) waits for its server however long that takes.
        What is being sent is not sent twice at the same time.
        """
        before = self._submits.get(key)
        if key in self._sending and before is not None and not before.is_set():
            return
        self._sending.add(key)
        stop = threading.Event()
        self._submits[key] = stop
        self._threads.start("submit", lambda: self._submit(key, parcel, stop, is_resumed=is_resumed))

    def stop_submit(self, key: str) -> None:
        """Stop sending; what has arrived is kept by the server for the next try."""
        stop = self._submits.get(key)
        if stop is not None:
            stop.set()

    def listen(self) -> None:
        """Have one event stream for all jobs of this session, now and from now on."""
        with self._lock:
            if self._stop.is_set() or self._listener in self._threads.going:
                return
            self._listener = self._threads.start("listen", self._listen)

    def resume(self, job_ids: Iterable[str]) -> None:
        """Find jobs again that an earlier run of this host made, perhaps with another token."""
        wanted = tuple(job_ids)
        if not wanted:
            return
        self._scope = "person"
        self._threads.start("resume", lambda: self._resume(wanted))

    def ask(self, job_id: str) -> None:
        """Ask how a job has ended; told as `Submitted`, as every other snapshot."""
        self._threads.start("ask", lambda: self._ask(job_id))

    def fetch(self, job_id: str, folder: Path) -> None:
        """Bring a job's result into a folder; a fetch that broke off is continued."""
        self._fetches[job_id] = stop = threading.Event()
        self._threads.start("fetch", lambda: self._fetch(job_id, folder, stop))

    def stop_fetch(self, job_id: str) -> None:
        """Stop bringing a result; what has arrived is kept for the next try."""
        stop = self._fetches.get(job_id)
        if stop is not None:
            stop.set()

    def cancel(self, job_id: str) -> None:
        """Ask the server to cancel a job; the event stream tells when it has ended."""
        self._threads.start("cancel", lambda: self._cancel(job_id))

    def retry(self, key: str, job_id: str) -> None:
        """Have the server run a job again, as a new one with our `key`; nothing is sent again."""
        self._threads.start("retry", lambda: self._retry(key, job_id))

    def fetch_log(self, job_id: str, path: Path) -> None:
        """Bring a job's log into a file."""
        self._threads.start("log", lambda: self._fetch_log(job_id, path))

    def sign_in(self, name: str) -> None:
        """Ask for a code that signs an application of this name in, and wait until somebody approves it."""
        self.stop_sign_in()
        self._sign_in_stop = stop = threading.Event()
        self._threads.start("sign-in", lambda: self._sign_in(name, stop))

    def sign_out(self) -> None:
        """Tell the server that the session is over."""
        self._threads.start("sign-out", self._sign_out)

    def stop_sign_in(self) -> None:
        """Wait no longer."""
        if self._sign_in_stop is not None:
            self._sign_in_stop.set()

    def open_page(self, job_id: str) -> None:
        """Open a job's page in the browser, signed in."""
        self._threads.start("page", lambda: self._open_page(job_id))

    def look(self) -> None:
        """Ask the server who it is, who we are there, and which tasks its workers offer."""
        self._threads.start("look", self._look)

    def check(self) -> None:
        """Try every hop from here to a finished job, and tell each."""
        self._threads.start("check", self._check)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until a message has come since the last wait, for so long at most; for scripts, which have no timer."""
        told = self._told.wait(timeout_seconds)
        self._told.clear()
        return told

    def close(self, timeout_seconds: float = JOIN_SECONDS) -> bool:
        """End all threads; returns False where one did not end in time (it is a daemon and holds nothing)."""
        self._stop.set()
        for stop in [*self._submits.values(), *self._fetches.values()]:
            stop.set()
        self.stop_sign_in()
        with self._lock:
            stream = self._stream
        if stream is not None:
            stream.stop()
        is_ended = self._threads.close(timeout_seconds)
        if self._client is not None and is_ended:
            self._client.close()
        return is_ended

    def _tell(self, message: messages.Message) -> None:
        if not self._stop.is_set():
            self.messages.put(message)
            self._told.set()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._make_client()
                self._client.connection.stop = self._stop
            return self._client

    def _wait(self, client: Client, key: str, stop: threading.Event) -> dict[str, Any]:
        """How a transfer waits for the server: until the artist cancels it, once the server has answered."""
        return {
            "patience_seconds": math.inf if client.connection.is_known else _FIRST_PATIENCE_SECONDS,
            "stop": stop,
            "on_wait": lambda reason: self._tell(messages.Waits(key=key, reason=reason)),
        }

    def _submit(self, key: str, parcel: Parcel, stop: threading.Event, *, is_resumed: bool) -> None:
        try:
            client = self._connected()
            client.connection.is_known |= is_resumed
            client.server(**self._wait(client, key, stop))
            self.listen()
            # What a dead share holds is left to itself after a stop.
            looking = Abandonable(lambda: used_files.complete(parcel, stop))
            submission, notes = looking.run(stop, grace_seconds=_LOOK_STOP_SECONDS)
            if parcel.needs_files:
                self._tell(messages.FilesFound(key=key, missing=submission.missing_files, notes=notes))
            sending = Abandonable(
                lambda: client.submit(
                    submission,
                    on_progress=lambda *sizes: self._tell_sending(key, stop, *sizes),
                    **self._wait(client, key, stop),
                ),
                late=lambda job: self._cancel(job.id),
            )
            job = sending.run(stop, grace_seconds=_SEND_STOP_SECONDS)
        except Exception as error:
            self._end_sending(key, stop)
            self._tell(messages.SubmitFailed(key=key, problem=problem_of(error)))
        else:
            self._end_sending(key, stop)
            named = tuple(map(str, job.fields.get("missing_files") or ()))
            if set(named) > set(submission.missing_files):  # a file was left out, since it changed meanwhile
                self._tell(messages.FilesFound(key=key, missing=named, notes=notes))
            self._tell(messages.Submitted(key=key, job=job))
            if stop.is_set() and not self._stop.is_set():  # Cancel was clicked while the server made the job
                self._cancel(job.id)
        finally:
            if self._submits.get(key) is stop:  # else it was begun again meanwhile
                self._submits.pop(key, None)

    def _end_sending(self, key: str, stop: threading.Event) -> None:
        if self._submits.get(key) is stop:  # else it was begun again meanwhile
            self._sending.discard(key)

    def _retry(self, key: str, job_id: str) -> None:
        try:
            self.listen()
            job = self._connected().retry(job_id)
        except Exception as error:
            self._tell(messages.SubmitFailed(key=key, problem=problem_of(error)))
        else:
            self._tell(messages.Submitted(key=key, job=job))

    def _tell_sending(
        self, key: str, stop: threading.Event, done_bytes: int, total_bytes: int, wire_bytes: int
    ) -> None:
        if not stop.is_set():
            self._tell(messages.Sending(key=key, done_bytes=done_bytes, total_bytes=total_bytes, wire_bytes=wire_bytes))

    def _listen(self) -> None:
        try:
            stream = self._connected().events(scope=self._scope)
            with self._lock:
                self._stream = stream
            if self._stop.is_set():
                return
            for item in stream:
                if isinstance(item, Event):
                    self._tell(messages.JobEvent(item))
                elif isinstance(item, Connectivity):
                    self._tell(messages.Connectivity(item.state, item.message))
        except Exception as error:
            self._tell(messages.Connectivity("refused", problem_of(error).text))

    def _resume(self, job_ids: tuple[str, ...]) -> None:
        for job_id in job_ids:
            if self._stop.is_set():
                return
            try:
                job = self._connected().job(job_id, patience_seconds=_LOOK_PATIENCE_SECONDS)
                self._tell(messages.Submitted(key=job_id, job=job))
            except NotFound as error:
                self._tell(messages.JobGone(job_id, problem_of(error).text))
            except Exception as error:
                # The stream goes on trying where the network is down; what it needs a person for, it says itself.
                self._tell(messages.Connectivity("reconnecting", problem_of(error).text))
                break
        self.listen()

    def _ask(self, job_id: str) -> None:
        try:
            client = self._connected()
            job = client.job(job_id, **self._wait(client, job_id, self._stop))
        except Exception as error:
            self._tell(messages.FetchFailed(job_id, problem_of(error)))
        else:
            self._tell(messages.Submitted(key=job_id, job=job))

    def _fetch(self, job_id: str, folder: Path, stop: threading.Event) -> None:
        said_at = 0.0

        def report(done_bytes: int, total_bytes: int) -> None:
            nonlocal said_at
            now = time.monotonic()
            if now - said_at >= _REPORT_SECONDS or done_bytes >= total_bytes:
                said_at = now
                self._tell(messages.Fetching(job_id, done_bytes, total_bytes))

        try:
            client = self._connected()
            job: Job = client.job(job_id, **self._wait(client, job_id, stop))
            paths = client.fetch(job_id, folder, on_progress=report, **self._wait(client, job_id, stop))
        except Exception as error:
            self._tell(messages.FetchFailed(job_id, problem_of(error)))
        else:
            files = zip(paths, job.files)
            self._tell(
                messages.Fetched(
                    job_id, tuple(messages.FetchedFile(path, file.role, file.media_type) for path, file in files)
                )
            )
        finally:
            if self._fetches.get(job_id) is stop:  # else it was begun again meanwhile
                self._fetches.pop(job_id, None)

    def _cancel(self, job_id: str) -> None:
        try:
            self._connected().cancel(job_id)
        except Exception as error:
            self._tell(messages.CancelFailed(job_id, problem_of(error).text))

    def _fetch_log(self, job_id: str, path: Path) -> None:
        try:
            text = self._connected().log(job_id)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text or "The worker has written nothing yet.\n", encoding="utf-8", errors="replace")
        except OSError as error:
            self._tell(messages.AskFailed(job_id, f"The log cannot be written to {path}: {error.strerror or error}."))
        except Exception as error:
            self._tell(messages.AskFailed(job_id, problem_of(error).text))
        else:
            self._tell(messages.LogFetched(job_id, path))

    def _open_page(self, job_id: str) -> None:
        try:
            client = self._connected()
            found = webbrowser.open(client.page(job_id))
        except Exception as error:
            self._tell(messages.AskFailed(job_id, problem_of(error).text))
            return
        if not found:
            url = f"{client.connection.url}/jobs/{job_id}"
            self._tell(messages.AskFailed(job_id, f"No browser was found on this machine. The job's page is {url}"))

    def _sign_out(self) -> None:
        with contextlib.suppress(SendoffError):  # it ends by itself, and is forgotten here
            self._connected().connection.send("DELETE", "/v1/sessions/current", repeatable=False)

    def _sign_in(self, name: str, stop: threading.Event) -> None:
        try:
            connection = self._connected().connection
            code = device.begin(connection, name)
            self._tell(messages.SignInAsked(code))
            webbrowser.open(code.page)  # where there is none, the code and the page's address are shown all the same
            found = device.wait(connection, code, stop)
        except Exception as error:
            self._tell(messages.SignInFailed(problem_of(error)))
        else:
            self._tell(messages.SignedIn(found.person))

    def _look(self) -> None:
        try:
            client = self._connected()
            info = client.server(patience_seconds=_LOOK_PATIENCE_SECONDS)
            offers: tuple[dict[str, Any], ...] = tuple(client.tasks())
            # Here, since many forms take longer than the main thread has.
            tasks = known_tasks.of_offers(offers, self._accepts)
        except Exception as error:
            self._tell(messages.ServerNotFound(problem_of(error)))
        else:
            addon = info.get(self._product)
            self._tell(
                messages.ServerFound(
                    name=str(info.get("name") or client.connection.url),
                    tasks=tasks,
                    offers=offers,
                    person=str(info.get("person") or ""),
                    version=str(info.get("version") or ""),
                    addon_version=str(addon.get("version") or "") if isinstance(addon, dict) else "",
                )
            )
            if self._listener is not None:
                self.listen()  # again, where the server would not have us before

    def _check(self) -> None:
        try:
            for hop in check.check(self._connected().connection):
                self._tell(messages.HopTried(hop))
                if self._stop.is_set():
                    return
        except Exception as error:
            self._tell(messages.HopTried(check.HopResult("settings", ok=False, detail=problem_of(error).text)))
        self._tell(messages.CheckEnded())
