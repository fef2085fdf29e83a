"""A small real server in a thread, for the faults that a good server cannot be asked for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from sendoff.connection import Connection
from sendoff.encodings import available_encodings, decompress
from sendoff.packs import PackDecoder

TOKEN = "the-token"


class WebSocketSession:
    """The server's side of one WebSocket."""

    def __init__(self, handler: Handler, query: dict[str, list[str]]) -> None:
        self.query = query
        self.path = urlsplit(handler.path).path
        self._in, self._out = handler.rfile, handler.wfile

    def send(self, **event: Any) -> None:
        defaults = {"job": "j1", "kind": "progress", "state": "running"}
        self.send_text(json.dumps(defaults | event))

    def send_text(self, text: str) -> None:
        data = text.encode()
        head = struct.pack("!BB", 0x81, len(data)) if len(data) < 126 else struct.pack("!BBH", 0x81, 126, len(data))
        self._out.write(head + data)

    def heartbeat(self) -> None:
        self.send(job="", kind="heartbeat", state="queued")

    def close(self, code: int) -> None:
        self._out.write(struct.pack("!BBH", 0x88, 2, code))

    def receive(self) -> dict[str, Any]:
        second = self._in.read(2)[1] & 127
        size = struct.unpack("!H", self._in.read(2))[0] if second == 126 else second
        mask = self._in.read(4)
        data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self._in.read(size)))
        return json.loads(data)  # type: ignore[no-any-return]

    def wait_until_gone(self) -> None:
        with suppress(OSError):
            while self._in.read(1):
                pass


class FakeServer:
    """What it has been asked and told, and the faults that it is about to make."""

    def __init__(self) -> None:
        self.chunks: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.tasks: list[dict[str, Any]] = [{"name": "system.noop", "title": "Nothing", "workers": 1}]
        self.encodings: list[str] = list(available_encodings())
        #: Content-Encoding of each request that had a body.
        self.seen_encodings: list[str] = []
        self.calls: list[str] = []
        self.posted: list[dict[str, Any]] = []
        #: Whether each pack is cut, as by a proxy with a limit of its own.
        self.cuts_packs = False
        #: A longer pack is cut, as by a line that is cut every few seconds.
        self.longest_pack_bytes = 1 << 40
        #: The path and the Idempotency-Key of each call.
        self.keys: list[tuple[str, str]] = []
        #: What was asked before an upload.
        self.asked: list[dict[str, Any]] = []
        #: Path prefix and what to do instead: a problem's status (0: nothing), "cut", "silence" or ("part", bytes).
        self.faults: deque[tuple[str, Any]] = deque()
        self.scripts: deque[Callable[[WebSocketSession], None]] = deque()
        self.received_bytes = 0
        self.lock = threading.Lock()
        self.released = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.sendoff = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def fault(self, path: str) -> Any:
        with self.lock:
            for fault in self.faults:
                if path.startswith(fault[0]):
                    self.faults.remove(fault)
                    return fault[1]
        return None

    def add_job(self, **fields: Any) -> dict[str, Any]:
        job = {"id": "j1", "state": "queued", "task": "system.noop", "title": "car", "seq": 1, "epoch": 0} | fields
        self.jobs[job["id"]] = job
        return job

    def add_file(self, path: str, data: bytes) -> dict[str, Any]:
        self.files[path] = data
        return {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "role": "result"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    @property
    def fake(self) -> FakeServer:
        return self.server.sendoff  # type: ignore[attr-defined, no-any-return]

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        fake = self.fake
        path = unquote(urlsplit(self.path).path)
        fake.calls.append(f"{self.command} {path}")
        fake.keys.append((path, self.headers.get("Idempotency-Key", "")))
        fault = fake.fault(path) or None  # 0: this call is to go well
        length = int(self.headers.get("Content-Length") or 0)
        if fault == "cut" or (path == "/v1/chunks" and (fake.cuts_packs or length > fake.longest_pack_bytes)):
            self.rfile.read(min(1000, int(self.headers.get("Content-Length") or 0)))
            self._hang_up()
            return
        if fault == "silence":
            fake.released.wait(20)
            self._hang_up()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fake.received_bytes += len(body)
        if body:
            encoding = self.headers.get("Content-Encoding", "identity")
            fake.seen_encodings.append(encoding)
            if self.headers.get("Content-Type") == "application/json":
                body = bytes(decompress(body, encoding, 50_000_000))
        if isinstance(fault, int):
            self._problem(fault)
        elif isinstance(fault, dict):
            self._problem(**fault)
        elif isinstance(fault, bytes):
            self._send(200, fault, "text/html")
        elif path == "/healthz":
            self._json({"ok": True})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._problem(401, type="urn:sendoff:problem:sign-in-required", detail="Your sign-in has expired.")
        elif self.headers.get("Upgrade") == "websocket":
            job = re.fullmatch(r"/v1/jobs/([^/]+)/events", path)
            if job and job.group(1) not in fake.jobs and not fake.scripts:
                self._problem(404, detail="There is no such job.")
            else:
                self._websocket()
        else:
            self._route(path, body, fault)

    def _route(self, path: str, body: bytes, fault: Any) -> None:
        fake = self.fake
        if path == "/v1/server":
            limits = {"parallel": 4, "pack_bytes": 8 << 20}
            info = {"name": "fake", "version": "0", "protocol": {"min": 1, "max": 1}, "person": "ann"}
            info |= {"pack_encodings": fake.encodings, "request_encodings": fake.encodings}
            self._json(info | {"limits": limits})
        elif path == "/v1/page-codes":
            self._json({"code": f"code-{len(fake.calls)}", "expires_seconds": 60})
        elif path == "/v1/tasks":
            self._json({"tasks": fake.tasks})
        elif path == "/v1/chunks/missing":
            asked = json.loads(body)["chunks"]
            self._json({"missing": [sha256 for sha256 in asked if sha256 not in fake.chunks]})
        elif path == "/v1/chunks":
            decoder = PackDecoder(self.headers.get("Content-Encoding", "identity"))
            decoder.feed(body)
            stored = {hashlib.sha256(raw).hexdigest(): raw for raw in decoder.finish()}
            fake.chunks.update(stored)
            self._json({"stored": len(stored), "known": 0, "chunks": list(stored)})
        elif path.startswith("/v1/tasks/") and path.endswith("/check"):
            fake.received_bytes -= len(body)  # a question beside the upload
            fake.asked.append(json.loads(body))
            self._json({"task": path.split("/")[3]})
        elif path == "/v1/jobs" and self.command == "POST":
            fake.posted.append(json.loads(body) | {"key": self.headers.get("Idempotency-Key")})
            asked = fake.posted[-1]
            self._json(fake.add_job(title=asked["title"], missing_files=asked.get("missing_files", [])), 202)
        elif path == "/v1/jobs":
            self._json({"jobs": list(fake.jobs.values()), "next": None})
        else:
            self._job(path, fault)

    def _job(self, path: str, fault: Any) -> None:
        fake = self.fake
        found = re.fullmatch(r"/v1/jobs/([^/]+)(/.*)?", path)
        job = fake.jobs.get(found.group(1)) if found else None
        if found is None or job is None:
            self._problem(404, detail="There is no such job.")
        elif self.command == "DELETE":
            del fake.jobs[job["id"]]
            self._send(204, b"", "text/plain")
        elif found.group(2) in (None, "/cancel", "/retry"):
            if found.group(2) == "/cancel":
                job["state"] = "cancelled"
            self._json(job)
        elif found.group(2) == "/log":
            self._send(200, b"one line\n", "text/plain")
        else:
            self._file(fake.files[str(found.group(2)).removeprefix("/files/")], fault)

    def _file(self, data: bytes, fault: Any) -> None:
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        start = 0
        wanted = re.fullmatch(r"bytes=([0-9]+)-", self.headers.get("Range") or "")
        if wanted and self.headers.get("If-Range") == etag:
            start = int(wanted.group(1))
        self.send_response(206 if start else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if isinstance(fault, tuple):
            self.wfile.write(data[start : start + fault[1]])
            self._hang_up()
        else:
            self.wfile.write(data[start:])

    def _websocket(self) -> None:
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        script = self.fake.scripts.popleft() if self.fake.scripts else WebSocketSession.wait_until_gone
        script(WebSocketSession(self, parse_qs(urlsplit(self.path).query)))
        self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _json(self, data: Any, status: int = 200) -> None:
        self._send(status, json.dumps(data).encode(), "application/json")

    def _problem(self, status: int, retry_after: int | None = None, **fields: Any) -> None:
        body = json.dumps({"status": status} | fields).encode()
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._send(status, body, "application/problem+json", headers)

    def _send(self, status: int, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.close()


@pytest.fixture
def connection(fake: FakeServer) -> Iterator[Connection]:
    made = Connection(fake.url, TOKEN, connect_seconds=2, read_seconds=5)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees this person's sign-ins, server or proxy."""
    for name in ("SENDOFF_URL", "SENDOFF_TOKEN", "SENDOFF_CA_BUNDLE", "SENDOFF_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    monkeypatch.setenv("SENDOFF_HOME", str(home))
    return home


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        pause.wait(0.005)


def blend_block(code: bytes, body: bytes, address: int = 0, *, modern: bool = False) -> bytes:
    if modern:
        return struct.pack("<4siQqq", code, 0, address, len(body), 1) + body
    return struct.pack("<4siQii", code, len(body), address, 0, 1) + body


def blend_file(*blocks: tuple[bytes, bytes, int], modern: bool = False) -> bytes:
    """A small .blend of given blocks (code, body, address)."""
    head = b"BLENDER17-01v0500" if modern else b"BLENDER-v405"
    return (
        head
        + b"".join(blend_block(*block, modern=modern) for block in blocks)
        + blend_block(b"ENDB", b"", modern=modern)
    )


@pytest.fixture(scope="session")
def make_blend() -> Callable[..., bytes]:
    return blend_file


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    return wait_until


@pytest.fixture(scope="session")
def token() -> str:
    return TOKEN
