"""`sendoff-server up`: Valkey, the API server and a worker on one machine, looked after until Ctrl-C."""

from __future__ import annotations

import contextlib
import getpass
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from sendoff import signins
from sendoff.errors import SendoffError
from sendoff_store.connections import connect, wait_until_ready
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.errors import EmbeddedUnavailable, SettingsError, StoreError
from sendoff_store.processes import END_WITH_STDIN, set_up_logging

from .auth import mint
from .listening import listen
from .settings import ServerSettings, signing_secret

log = logging.getLogger("sendoff.up")

_READY_SECONDS = 60.0
_WATCH_SECONDS = 0.2
_WORKER_STOP_SECONDS = 20.0
_SERVER_STOP_SECONDS = 8.0
_LONGEST_PAUSE_SECONDS = 30.0
_QUIET_SECONDS = 60.0
_TOKEN_DAYS = 365
_LOG_BYTES = 20_000_000


def up(settings: ServerSettings, ready_file: Path | None) -> int:
    """Start everything, say how to use it, keep it running; returns the exit status when told to stop.

    Raises StoreError with what to do where a part cannot start.
    """
    if sys.platform == "win32":
        raise EmbeddedUnavailable(
            "`sendoff-server up` runs on Linux, macOS and in WSL. On Windows set SENDOFF_REDIS_URL to a Redis and run "
            "`sendoff-server serve`; the workers run on Linux or macOS."
        )
    set_up_logging(level=logging.WARNING)
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"The data folder {settings.data_dir} cannot be made ({error.strerror}). Choose another with --data-dir."
        ) from error
    with contextlib.ExitStack() as stack:
        stack.enter_context(_only_one(settings.data_dir))
        if settings.port:
            _free_port(settings)  # to be told before anything is started
        valkey: EmbeddedValkey | None = None
        redis_url = settings.redis_url
        if not redis_url:
            valkey = stack.enter_context(EmbeddedValkey(settings.data_dir / "valkey"))
            redis_url = valkey.url
        port = _free_port(settings)  # now: Valkey might have been given the same free one
        url = f"http://{_reachable(settings.host)}:{port}"
        environment = os.environ | {
            "SENDOFF_REDIS_URL": redis_url,
            "SENDOFF_DATA_DIR": str(settings.data_dir.resolve()),
            "SENDOFF_HOST": settings.host,
            "SENDOFF_PORT": str(port),
            END_WITH_STDIN: "1",
        }
        environment.pop("SENDOFF_TOKEN", None)
        logs = settings.data_dir / "logs"
        server = _Child("server", [sys.executable, "-m", "sendoff_server", "serve"], environment, logs)
        worker_name = f"local-{os.getpid()}"
        worker = _Child("worker", [sys.executable, "-m", "sendoff_worker", "--name", worker_name], environment, logs)
        stack.callback(server.stop, _SERVER_STOP_SECONDS)
        stack.callback(worker.stop, _WORKER_STOP_SECONDS)
        server.start()
        worker.start()
        if not _wait_until_ready(
            server, worker, url=url, redis_url=redis_url, worker_name=worker_name, stopping=stopping
        ):
            return 130
        token = _local_token(settings)
        _sign_in(url, token)
        about = {"url": url, "token": token, "pid": os.getpid(), "data_dir": str(settings.data_dir.resolve()),
                 "redis_url": redis_url}  # fmt: skip
        own_file = settings.data_dir / "up.json"
        stack.callback(lambda: own_file.unlink(missing_ok=True))
        _write_private(own_file, about)
        if ready_file is not None:
            _write_private(ready_file, about)
        _say(settings, url, embedded=valkey is not None)
        _look_after(stopping, [server, worker], valkey)
        print("Stopping ...", flush=True)
    print("Stopped. Jobs, results and uploads are kept.", flush=True)
    return 0


class _Child:
    """A process that is started again when it ends, with longer and longer pauses."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], logs: Path) -> None:
        self.name = name
        self.log_path = logs / f"{name}.log"
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause_seconds = 1.0
        self._again_at: float | None = None

    def start(self) -> None:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        with self.log_path.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.PIPE, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        self._started_at = time.monotonic()
        self._again_at = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def look_after(self) -> None:
        """Start it again once it has ended and its pause is over."""
        now = time.monotonic()
        if self.is_running:
            if now - self._started_at > _QUIET_SECONDS:
                self._pause_seconds = 1.0
            return
        if self._again_at is None:
            self._again_at = now + self._pause_seconds
            self._pause_seconds = min(self._pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
            status = self._process.returncode if self._process else "?"
            log.warning("The %s ended (status %s) and is started again; its log is %s", self.name, status,
                        self.log_path, extra={"action": f"up.{self.name}_ended"})  # fmt: skip
        if now >= self._again_at:
            self._close_input()
            self.start()

    def stop(self, limit_seconds: float) -> None:
        """End it: kindly first."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(limit_seconds)
            except subprocess.TimeoutExpired:
                log.warning("The %s did not end within %g s and is killed", self.name, limit_seconds,
                            extra={"action": f"up.{self.name}_killed"})  # fmt: skip
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
        self._close_input()

    def last_words(self) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return self.log_path.read_text(errors="replace")[-1500:].strip()
        return ""

    def _close_input(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder; raises SettingsError naming who has it."""
    import fcntl  # not on Windows, where `up` says so before

    with (data_dir / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SettingsError(
                f"Sendoff already runs on the data in {data_dir} (process {file.read().strip() or 'unknown'}). Stop it "
                "first, or choose another folder with --data-dir and another port with --port."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _free_port(settings: ServerSettings) -> int:
    with listen(settings.host, settings.port) as probe:
        return int(probe.getsockname()[1])


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _wait_until_ready(
    server: _Child, worker: _Child, *, url: str, redis_url: str, worker_name: str, stopping: threading.Event
) -> bool:
    """Wait until both answer; False where it is to stop before. Raises StoreError with a child's last words."""
    deadline = time.monotonic() + _READY_SECONDS
    wait_until_ready(redis_url, timeout_seconds=_READY_SECONDS)
    with connect(redis_url) as client, httpx.Client(timeout=5, trust_env=False) as http:
        while not stopping.is_set():
            for child in (server, worker):
                if not child.is_running:
                    raise StoreError(f"The {child.name} did not start. The end of its log:\n{child.last_words()}")
            with contextlib.suppress(httpx.HTTPError):
                if http.get(f"{url}/readyz").status_code == 200 and client.exists(f"worker:{worker_name}"):
                    return True
            if time.monotonic() > deadline:
                raise StoreError(
                    f"The server and the worker were not ready after {_READY_SECONDS:g} s. Their logs are in "
                    f"{server.log_path.parent}."
                )
            stopping.wait(0.05)
    return False


def _look_after(stopping: threading.Event, children: list[_Child], valkey: EmbeddedValkey | None) -> None:
    while not stopping.wait(_WATCH_SECONDS):
        for child in children:
            child.look_after()
        if valkey is not None and not valkey.pid:
            log.warning("Valkey ended and is started again", extra={"action": "up.valkey_ended"})
            try:
                valkey.start_again()
            except StoreError as error:
                log.error("%s", error, extra={"action": "up.valkey_failed"})  # noqa: TRY400 - the sentence says it
                stopping.wait(1.0)


def _local_token(settings: ServerSettings) -> str:
    """A token for this person; the session is the same after a restart, so that its jobs are found."""
    path = settings.data_dir / "session"
    if not path.exists():
        _write_private_text(path, secrets.token_hex(8))
    person = getpass.getuser()
    sid = path.read_text().strip()
    return mint(signing_secret(settings), person=person, days=_TOKEN_DAYS, sid=sid, scope="jobs admin")


def _sign_in(url: str, token: str) -> None:
    """Keep the token where the command and the add-on find it; never in the place of a studio's server."""
    try:
        for old in signins.sign_ins():
            if old.local and old.url != url and not _answers(old.url):
                signins.forget(old.url)
        known = signins.sign_ins()
        is_default = not known or known[0].local
        signins.keep(signins.SignIn(url=url, token=token, person=getpass.getuser(), local=True), default=is_default)
    except SendoffError as error:
        log.warning("%s", error, extra={"action": "up.sign_in_not_kept"})


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/healthz", timeout=1, trust_env=False).status_code == 200
    return False


def _write_private(path: Path, data: dict[str, Any]) -> None:
    _write_private_text(path, json.dumps(data))


def _write_private_text(path: Path, text: str) -> None:
    """Write a file that nobody else can read; it is there as a whole or not at all."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)


def _say(settings: ServerSettings, url: str, *, embedded: bool) -> None:
    redis = "an embedded Valkey" if embedded else "the Redis of SENDOFF_REDIS_URL"
    print(
        f"Sendoff is up at {url}\n"
        f"  Signed in   {getpass.getuser()}: `sendoff` and the add-on on this machine find it by themselves.\n"
        f"              For others: sendoff-server token NAME --data-dir {settings.data_dir}\n"
        f"  Jobs        {url} shows them in a browser; `sendoff page` opens it signed in.\n"
        f"  Data        {settings.data_dir.resolve()} ({redis})\n"
        f"  Logs        {(settings.data_dir / 'logs').resolve()}\n"
        f"  Stop        Ctrl-C",
        flush=True,
    )
