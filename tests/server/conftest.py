"""The real server on a real Valkey; the tests play the worker, through the store that workers use."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from tests.stack import wait_for
from websockets.sync.client import ClientConnection, connect

from sendoff_server.auth import mint
from sendoff_store import jobs, offers
from sendoff_store.calls import SyncStore
from sendoff_store.connections import connect as connect_redis
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.offers import TaskInfo, WorkerOffer

SECRET = "a-secret-of-the-tests-with-more-than-32-characters"
NUMBER = {"type": "integer", "minimum": 1, "maximum": 8, "default": 3}
TASKS = [
    TaskInfo(name="test.plain", params={"type": "object", "properties": {"levels": NUMBER},
                                        "additionalProperties": False}),
    TaskInfo(name="test.blend", accepts=["blend"], blender=True, params={"type": "object"}),
    TaskInfo(name="test.scoped", accepts=["blend"], blender=True, scoped=True, params={"type": "object"}),
]  # fmt: skip


@dataclass(eq=False)
class Server:
    """A running server process, and what a test needs to talk to it and to play its worker."""

    url: str
    redis_url: str
    data_dir: Path
    store: SyncStore
    process: subprocess.Popen[bytes]

    def token(self, person: str = "ada", *, sid: str = "session1", days: float = 1) -> str:
        return mint(SECRET, person=person, days=days, sid=sid)

    def http(self, **token: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token(**token)}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, trust_env=False)

    def socket(self, path: str, **token: Any) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self.token(**token)}"}
        return connect(self.url.replace("http", "ws") + path, additional_headers=headers, proxy=None, open_timeout=10)

    def submit(self, *, task: str = "test.plain", **token: Any) -> str:
        with self.http(**token) as http:
            answer = http.post("/v1/jobs", json={"task": task, "params": {}, "manifest": {"files": []}})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def take(self, job: str, token: str = "attempt1", *, lease_seconds: float = 25) -> None:
        record = self.store.run(
            jobs.take_lease(job, token=token, worker="w", lease_seconds=lease_seconds, retention_seconds=1000)
        )
        assert not isinstance(record, jobs.Refused), record

    def report(self, job: str, fraction: float, token: str = "attempt1", **more: Any) -> int:
        answer = self.store.run(jobs.report(job, token=token, lease_seconds=25, fraction=fraction, **more))
        assert isinstance(answer, jobs.Reported), answer
        return answer.seq


def events(socket: ClientConnection, *, until: Any, seconds: float = 15) -> list[dict[str, Any]]:
    """What a socket says until `until(event)` is true of an event, that one included."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    while True:
        event = json.loads(socket.recv(timeout=max(deadline - time.monotonic(), 0.01)))
        found.append(event)
        if until(event):
            return found


def pack(*chunks: bytes) -> bytes:
    """A pack with these chunks."""
    return b"".join(len(chunk).to_bytes(4, "little") + b"\0" + chunk for chunk in chunks)


def entry(path: str, *chunks: bytes, role: str = "scene") -> dict[str, Any]:
    """A manifest's entry for a file of these chunks."""
    whole = b"".join(chunks)
    return {
        "path": path,
        "size": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "chunks": [[hashlib.sha256(chunk).hexdigest(), len(chunk)] for chunk in chunks],
        "role": role,
    }


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey


@contextlib.contextmanager
def serving(
    redis_url: str, data_dir: Path, port: int = 0, *, program: Sequence[str] = ("-m", "sendoff_server"), **settings: str
) -> Iterator[Server]:
    """A server process for as long as the block runs; `program` is what Python starts."""
    if not port:
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SENDOFF_")}
    environment = kept | {
        "SENDOFF_REDIS_URL": redis_url, "SENDOFF_DATA_DIR": str(data_dir), "SENDOFF_PORT": str(port),
        "SENDOFF_SECRET": SECRET, **settings,
    }  # fmt: skip
    data_dir.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    with (data_dir / "server.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, *program, "serve"], env=environment, stdout=log, stderr=log)
    try:

        def answers() -> bool:
            assert process.poll() is None, (data_dir / "server.log").read_text()
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == 200
            return False

        wait_for(answers, "the server's readiness")
        with connect_redis(redis_url) as client:
            yield Server(url, redis_url, data_dir, SyncStore(client), process)
    finally:
        process.terminate()
        process.wait(15)


@pytest.fixture(scope="session")
def server(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a worker that announces two tasks and never takes a message: the tests do its work."""
    with serving(valkey.url, tmp_path_factory.mktemp("server")) as server, announced(server.store.redis):
        yield server


@contextlib.contextmanager
def announced(client: redis.Redis) -> Iterator[None]:
    """A worker's offer, kept alive for as long as the block runs."""
    offer = WorkerOffer(worker="w", tasks=TASKS, queues=["cpu", "blender-4.5"], series=["4.5"], slots=1, busy=1)
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(2):
            offers.announce(client, offer)

    offers.announce(client, offer)
    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)
        offers.withdraw(client, "w")
