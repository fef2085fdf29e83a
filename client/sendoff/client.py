"""The client: one object for everything that a script, a host application or the command does with a server."""

from __future__ import annotations

import base64
import contextlib
import os
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable
from urllib.parse import quote

from . import signins, transfer
from .blendfile import parse_head
from .connection import Connection
from .downloads import PATIENCE_SECONDS as FETCH_PATIENCE_SECONDS
from .downloads import DownloadProgress, ResultFile
from .downloads import fetch as fetch_files
from .errors import ChunksMissing, InputError, JobCancelled, JobFailed, NotFound, Rejected, SignInRequired, TimedOut
from .eventstream import Connectivity, EventStream, StreamItem
from .hints import ChunkHints
from .manifest import Manifest
from .names import readable
from .patience import OnWait
from .protocol import IDEMPOTENCY_HEADER, PACK_BYTES, PARALLEL, PROTOCOL
from .states import Health, JobState
from .submission import SceneFile, Submission, scene_submission
from .transfer_body import UploadProgress

#: A job whose submit finds chunks missing is sent again so often at most: they may be collected in between.
_SUBMIT_TRIES = 4
#: Enough of a .blend to read its head, also of a compressed one.
_HEAD_BYTES = 160 * 1024
#: After a wait that took too long, the last look at the job takes no longer than this.
_LAST_LOOK_SECONDS = 2.0
#: Calls wait so long for a server that restarts.
CALL_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Job:
    """A job as the server saw it at one moment; ask the client again for a newer one."""

    id: str
    state: JobState
    task: str = ""
    title: str = ""
    stage: str = ""
    message: str = ""
    #: 0 to 1, None while unknown.
    fraction: float | None = None
    health: Health = Health.OK
    seq: int = 0
    epoch: int = 0
    #: Place in the queue from 1, while queued.
    queue_position: int | None = None
    #: Unix time in seconds.
    created_at: float = 0.0
    #: {"files": [...], "summary": {...}, "error": {...} | None, "warnings": [...]} once it has ended.
    result: Mapping[str, Any] | None = None
    #: Everything the server said, also what this version has no name for.
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def files(self) -> tuple[ResultFile, ...]:
        """The files of the result; none while the job goes on."""
        listed = (self.result or {}).get("files") or ()
        return tuple(ResultFile.from_dict(item) for item in listed)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the task found worth saying beside its result."""
        return tuple(str(text) for text in (self.result or {}).get("warnings") or ())

    @property
    def summary(self) -> Mapping[str, Any]:
        """The task's own figures."""
        summary = (self.result or {}).get("summary")
        return summary if isinstance(summary, Mapping) else {}

    @property
    def error(self) -> str:
        """Why it failed, as a sentence; "" where it did not."""
        error = (self.result or {}).get("error")
        detail = error.get("detail") if isinstance(error, Mapping) else None
        if detail or self.state is not JobState.FAILED:
            return str(detail or "")
        return self.message or "The job failed without a reason. Its log may tell more."

    def raise_for_state(self) -> None:
        """Raise JobFailed or JobCancelled where the job ended that way."""
        if self.state is JobState.FAILED:
            raise JobFailed(self.error, job=self.id)
        if self.state is JobState.CANCELLED:
            raise JobCancelled(f"The job {self.title or self.id} was cancelled.", job=self.id)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        """Read the server's JSON; raises InputError where it is no job."""
        try:
            fraction, position = data.get("fraction"), data.get("queue_position")
            result = data.get("result")
            return cls(
                id=str(data["id"]),
                state=JobState(data["state"]),
                task=str(data.get("task") or ""),
                title=str(data.get("title") or ""),
                stage=str(data.get("stage") or ""),
                message=str(data.get("message") or ""),
                fraction=None if fraction is None else float(fraction),
                health=Health(data.get("health") or "ok"),
                seq=int(data.get("seq") or 0),
                epoch=int(data.get("epoch") or 0),
                queue_position=None if position is None else int(position),
                created_at=float(data.get("created_at") or 0.0),
                result=result if isinstance(result, Mapping) else None,
                fields=dict(data),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"The server sent a job this version cannot read: {error!r}. Update Sendoff.") from error


class Client:
    """A server, as its user sees it; may be used by several threads.

    `url` and `token` come from the arguments, else from SENDOFF_URL and SENDOFF_TOKEN, else from the kept
    sign-ins (`sendoff sign-in`, `make up`). Raises InputError if no server is named anywhere.

    A server that restarts, or asks for a pause (`Retry-After`), is called again for `patience_seconds`; 0 gives up at
    the first error. `submit` and `fetch` have a longer patience of their own. `on_wait` is told why a call waits, and
    "" once it is over.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        ca_bundle: str | None = None,
        patience_seconds: float = CALL_PATIENCE_SECONDS,
        on_wait: OnWait | None = None,
    ) -> None:
        url, token = resolve(url, token)
        ca_bundle = ca_bundle or os.environ.get("SENDOFF_CA_BUNDLE") or None
        self.connection = Connection(url, token, ca_bundle, patience_seconds=patience_seconds)
        self.connection.on_wait = on_wait
        self._server: dict[str, Any] | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def server(
        self,
        *,
        patience_seconds: float | None = None,
        stop: threading.Event | None = None,
        on_wait: OnWait | None = None,
    ) -> dict[str, Any]:
        """What `GET /v1/server` says; raises Rejected if client and server speak no common version."""
        info = self.connection.json("GET", "/v1/server", patience_seconds=patience_seconds, stop=stop, on_wait=on_wait)
        check_protocol(info, self.connection.url)
        self.connection.request_encodings = _names(info, "request_encodings")
        self._server = info
        return info

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that live workers offer, sorted by name; `params` is a JSON Schema."""
        return list(self.connection.json("GET", "/v1/tasks").get("tasks") or ())

    def submit(
        self,
        scene: str | Path | Submission,
        *,
        task: str = "",
        params: Mapping[str, Any] | None = None,
        externals: str | Path | Sequence[str | Path] = (),
        title: str = "",
        on_progress: UploadProgress | None = None,
        stop: threading.Event | None = None,
        patience_seconds: float = transfer.PATIENCE_SECONDS,
        on_wait: OnWait | None = None,
    ) -> Job:
        """Send a scene (a path, or a ready `Submission`) and make a job of it; returns the queued job.

        `on_progress(done_bytes, total_bytes, wire_bytes)` is called from other threads. Once the server has answered,
        a break of `patience_seconds` is waited out; `on_wait` is told the reason, and "" once it is over. Raises
        InputError before a byte is sent if a file cannot be used, Rejected naming the field, ConnectionFailed, Stopped.

        An external file that another program writes meanwhile is waited for some seconds, then left out; it is in the
        job's `missing_files`.
        """
        if isinstance(scene, Submission):
            submission = scene
        else:
            if not task:
                raise InputError("Name the task to run, for example task='mesh.lods'.")
            submission = scene_submission(scene, task=task, params=params, externals=externals, title=title)
        submission.check()
        info = self._server or self.server(stop=stop, on_wait=on_wait)
        on_wait = on_wait or self.connection.on_wait
        wait: dict[str, Any] = {"stop": stop, "patience_seconds": patience_seconds, "on_wait": on_wait}
        self._check(submission, wait)
        progress = _LastProgress(on_progress)
        hints = ChunkHints(self.connection.url)
        known = hints.read()
        tries = _SUBMIT_TRIES
        left_out: dict[str, str] = {}

        def leave_out(file: SceneFile, reason: str) -> None:
            left_out[file.path] = f"{file.source} ({reason})"

        while True:
            tries -= 1
            left_out.clear()
            manifest = transfer.upload(
                self.connection,
                submission.files,
                known=known,
                encodings=_names(info, "pack_encodings"),
                parallel=_limit(info, "parallel", PARALLEL),
                pack_bytes=_limit(info, "pack_bytes", PACK_BYTES),
                on_progress=progress.tell,
                on_left_out=leave_out,
                **wait,
            )
            try:
                job = self._create(submission, manifest, progress, wait, left_out.values())
            except ChunksMissing:
                hints.forget()
                known = frozenset()
                if not tries:
                    raise
                progress.start_anew()
            else:
                hints.add(manifest.chunks)
                return job

    def _check(self, submission: Submission, wait: Mapping[str, Any]) -> None:
        """Have the server refuse what it would refuse anyhow before a long upload."""
        if submission.files:
            body = _question(submission)
            path = f"/v1/tasks/{quote(submission.task, safe='')}/check"
            with contextlib.suppress(NotFound):  # an older server; it says the same after the upload
                self.connection.json("POST", path, json=body, repeatable=True, **wait)

    def _create(
        self,
        submission: Submission,
        manifest: Manifest,
        progress: _LastProgress,
        wait: Mapping[str, Any],
        left_out: Iterable[str],
    ) -> Job:
        body = {
            "task": submission.task,
            "params": dict(submission.params),
            "manifest": manifest.to_dict(),
            "host": submission.host.to_dict(),
            "title": submission.title,
            "missing_files": [*submission.missing_files, *map(readable, left_out)],
        }
        headers = {IDEMPOTENCY_HEADER: submission.idempotency_key}
        answer = self.connection.json(
            "POST", "/v1/jobs", json=body, headers=headers, repeatable=True, on_sent=progress.sent, **wait
        )
        return Job.from_dict(answer)

    def job(
        self,
        id: str,
        *,
        patience_seconds: float | None = None,
        stop: threading.Event | None = None,
        on_wait: OnWait | None = None,
    ) -> Job:
        """A job as it is now."""
        return Job.from_dict(
            self.connection.json("GET", _path(id), patience_seconds=patience_seconds, stop=stop, on_wait=on_wait)
        )

    def jobs(self, *, state: str | JobState | None = None, limit: int = 50) -> list[Job]:
        """The person's newest jobs first, at most `limit`."""
        found: list[Job] = []
        cursor: str | None = None
        while len(found) < limit:
            params: dict[str, Any] = {"limit": min(100, limit - len(found))}
            if state:
                params["state"] = JobState(state).value
            if cursor:
                params["cursor"] = cursor
            page = self.connection.json("GET", "/v1/jobs", params=params)
            found += [Job.from_dict(item) for item in page.get("jobs") or ()]
            cursor = page.get("next")
            if not cursor:
                break
        return found[:limit]

    def cancel(self, id: str) -> Job:
        """Ask for a job to be cancelled; nothing happens to one that has ended."""
        return Job.from_dict(self.connection.json("POST", f"{_path(id)}/cancel", repeatable=True))

    def retry(self, id: str) -> Job:
        """A new job with the same files and parameters; nothing is uploaded again."""
        headers = {IDEMPOTENCY_HEADER: uuid.uuid4().hex}  # a repeated call makes no second one
        return Job.from_dict(self.connection.json("POST", f"{_path(id)}/retry", headers=headers, repeatable=True))

    def delete(self, id: str) -> None:
        """Delete a job that has ended, with its result."""
        breaks: list[str] = []
        try:
            self.connection.send("DELETE", _path(id), on_break=breaks.append)
        except NotFound:
            if not breaks:  # else the first call may have done it, and its answer was lost
                raise

    def events(
        self,
        jobs: Sequence[str] | None = None,
        after: Mapping[str, int | tuple[int, int]] | None = None,
        *,
        scope: str = "session",
    ) -> EventStream:
        """The stream of all jobs of the session (or of some), which goes on until it is stopped."""
        return EventStream(self.connection, jobs, after, scope=scope)

    def watch(self, id: str, after: int | tuple[int, int] | None = None) -> Iterator[StreamItem]:
        """Events of a job until it has ended, with a `Connectivity` in between where the connection changes.

        Raises SignInRequired where the server will not have us, NotFound where it has no such job.
        """
        stream = EventStream(self.connection, [id], None if after is None else {id: after}, until_final=True)
        yield from self._watched(stream, id)

    def _watched(self, stream: EventStream, id: str) -> Iterator[StreamItem]:
        for item in stream:
            if isinstance(item, Connectivity) and item.state == "refused":
                self.job(id)  # says why as an error of its own
                raise SignInRequired(item.message, status=401)
            yield item

    def wait(
        self,
        id: str,
        timeout_seconds: float | None = None,
        on_event: Callable[[StreamItem], None] | None = None,
    ) -> Job:
        """Wait until a job has ended and return it; raises TimedOut, JobFailed, JobCancelled."""
        stream = EventStream(self.connection, [id], until_final=True)
        timer = None
        if timeout_seconds is not None:
            timer = threading.Timer(max(0.0, timeout_seconds), stream.stop)
            timer.daemon = True
            timer.start()
        try:
            for item in self._watched(stream, id):
                if on_event:
                    on_event(item)
        finally:
            if timer:
                timer.cancel()
        if stream.stopped:
            job = self.job(id, patience_seconds=_LAST_LOOK_SECONDS)
            if not job.state.is_final:
                raise TimedOut(
                    f"The job {job.title or id} is still {job.state.value} after {timeout_seconds:g} s. It goes on; "
                    f"`sendoff watch {id}` shows it."
                )
        else:
            job = self.job(id)
        job.raise_for_state()
        return job

    def fetch(
        self,
        id: str,
        folder: str | Path,
        *,
        on_progress: DownloadProgress | None = None,
        stop: threading.Event | None = None,
        roles: Sequence[str] | None = None,
        patience_seconds: float = FETCH_PATIENCE_SECONDS,
        on_wait: OnWait | None = None,
    ) -> list[Path]:
        """Bring a job's files (or those of some roles) into a folder; returns where they lie.

        A break of `patience_seconds` is waited out; `on_wait` is told the reason, and "" once it is over. Raises
        InputError while the job goes on, IntegrityError, ConnectionFailed, Stopped.
        """
        patience = patience_seconds if self.connection.is_known else None
        job = self.job(id, patience_seconds=patience, stop=stop, on_wait=on_wait)
        if not job.state.is_final:
            raise InputError(f"The job {job.title or id} is still {job.state.value}; wait until it has ended.")
        files = [file for file in job.files if roles is None or file.role in roles]
        return fetch_files(
            self.connection, id, files, Path(folder), on_progress=on_progress, stop=stop,
            patience_seconds=patience_seconds, on_wait=on_wait or self.connection.on_wait,
        )  # fmt: skip

    def log(self, id: str) -> str:
        """The worker's log of a job, as far as it is written."""
        return self.connection.send("GET", f"{_path(id)}/log").content.decode("utf-8", "replace")

    def page(self, id: str = "") -> str:
        """The address of a job's page, or without an id of that of all jobs, to be opened in a browser.

        It signs the browser in: once, and within a minute.
        """
        code = self.connection.json("POST", "/v1/page-codes", repeatable=True).get("code")
        path = f"jobs/{quote(id, safe='')}" if id else ""
        return f"{self.connection.url}/{path}#code={quote(str(code), safe='')}"


class _LastProgress:
    """Passes the progress of an upload on, and adds the bytes of the manifest that follows it."""

    def __init__(self, callback: UploadProgress | None) -> None:
        self._callback = callback
        self._before = 0
        self._last = (0, 0, 0)

    def tell(self, done: int, total: int, wire: int) -> None:
        # What has to be sent once more, since the server has lost it, does not make the number go back.
        self._last = (max(done, min(self._last[0], total)), total, self._before + wire)
        if self._callback:
            self._callback(*self._last)

    def sent(self, wire: int) -> None:
        done, total, before = self._last
        self._before = before
        self.tell(done, total, wire)

    def start_anew(self) -> None:
        self._before = self._last[2]


def _question(submission: Submission) -> dict[str, Any]:
    """What the server has to know of a submission to say whether it will take it."""
    scene = next((file for file in submission.files if file.role == "scene"), None)
    body: dict[str, Any] = {
        "params": dict(submission.params),
        "scene": None if scene is None else scene.path,
        "host": submission.host.to_dict(),
        "files": len(submission.files),
    }
    try:
        body["bytes"] = sum(file.source.stat().st_size for file in submission.files)
        if scene is not None and scene.path.lower().endswith(".blend"):
            with scene.source.open("rb") as file:
                start = file.read(_HEAD_BYTES)
            head = parse_head(start, f"The file {scene.source.name}")
            if head.version:
                body |= {"series": head.series, "big_endian": not head.little_endian}
            else:  # compressed in a way that this Python cannot read; the server can
                body["head"] = base64.b64encode(start).decode()
    except OSError as error:
        raise InputError(f"The file {error.filename or ''} cannot be read: {error.strerror or error}.") from error
    if any(file.role == "scope" for file in submission.files):
        body["scoped"] = True
    return body


def _names(info: Mapping[str, Any], key: str) -> tuple[str, ...]:
    listed = info.get(key)
    return tuple(str(name) for name in listed) if isinstance(listed, list) else ()


def _limit(info: Mapping[str, Any], name: str, default: int) -> int:
    limits = info.get("limits")
    limit = limits.get(name) if isinstance(limits, Mapping) else None
    return limit if isinstance(limit, int) and limit > 0 else default


def resolve(url: str | None, token: str | None) -> tuple[str, str | None]:
    """URL and token from arguments, environment and kept sign-ins, in this order; InputError without a URL."""
    url = url or os.environ.get("SENDOFF_URL") or None
    token = token or os.environ.get("SENDOFF_TOKEN") or None
    if url is None or token is None:
        known = signins.find(url)
        if known is not None:
            url = url or known.url
            if token is None and signins.normal_url(url) == known.url:
                token = known.token
    if url is None:
        raise InputError(
            "No Sendoff server is set. Run `sendoff sign-in URL`, or set SENDOFF_URL, or start one here with `make up`."
        )
    return url, token or None


def check_protocol(info: Mapping[str, Any], url: str) -> None:
    """Raise Rejected where a server (its `GET /v1/server`) does not speak this client's version."""
    offered = info.get("protocol")
    low, high = (offered.get("min", 0), offered.get("max", 0)) if isinstance(offered, Mapping) else (0, 0)
    if not isinstance(low, int) or not isinstance(high, int):
        low = high = 0
    if low <= PROTOCOL <= high:
        return
    older = "the server" if high < PROTOCOL else "this client"
    raise Rejected(
        f"{url} speaks versions {low} to {high} of the protocol and this client version {PROTOCOL}. Update {older}.",
        status=400,
        field="protocol",
    )


def _path(job: str) -> str:
    return f"/v1/jobs/{quote(job, safe='')}"
