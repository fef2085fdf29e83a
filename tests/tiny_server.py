"""A real HTTP server in a thread that answers what a session asks; it has no WebSocket. The whole server is
tried in tests/acceptance."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class TinyServer(ThreadingHTTPServer):
    """Jobs in a dictionary, and the bytes of their files; `token` is the one that is accepted."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = "good"
        self.jobs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.submitted: list[dict[str, Any]] = []
        self.by_key: dict[str, str] = {}
        self.tasks: list[dict[str, Any]] = [{"name": "mesh.lods", "title": "LODs", "accepts": ["blend"]}]
        self.cancelled: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def finish(self, job_id: str, name: str, content: bytes, *, role: str = "result") -> None:
        """Let a job have succeeded with one file."""
        self.files[f"/v1/jobs/{job_id}/files/{name}"] = content
        digest = hashlib.sha256(content).hexdigest()
        file = {"path": name, "size": len(content), "sha256": digest, "role": role, "media_type": "application/x"}
        self.jobs[job_id] = {
            "id": job_id,
            "state": "succeeded",
            "task": "mesh.lods",
            "result": {"files": [file], "summary": {"objects": []}, "warnings": ["one note"], "error": None},
        }


class _Handler(BaseHTTPRequestHandler):
    server: TinyServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self._may():
            return
        if self.path == "/v1/events":
            self._answer({"detail": "There are no events here."}, 503)
        elif self.path == "/v1/server":
            about = {"name": "tiny", "version": "0", "protocol": {"min": 1, "max": 1}, "limits": {}, "person": "ada"}
            self._answer(about)
        elif self.path == "/healthz":
            self._answer({})
        elif self.path == "/v1/tasks":
            self._answer({"tasks": self.server.tasks})
        elif self.path in self.server.files:
            self._send(200, self.server.files[self.path], "application/octet-stream")
        elif self.path.rsplit("/", 1)[-1] in self.server.jobs:
            self._answer(self.server.jobs[self.path.rsplit("/", 1)[-1]])
        else:
            self._answer({"detail": "There is no such job. It may have been deleted."}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._may():
            return
        if self.path == "/v1/chunks/missing":
            self._answer({"missing": []})
        elif self.path.startswith("/v1/tasks/"):
            self._answer({"task": "mesh.lods"})
        elif self.path == "/v1/jobs":
            job_id = self.server.by_key.get(self.headers["Idempotency-Key"])
            if job_id is None:
                self.server.submitted.append(json.loads(body))
                job_id = self._new_job()
                self.server.jobs[job_id]["missing_files"] = self.server.submitted[-1].get("missing_files", [])
                self.server.by_key[self.headers["Idempotency-Key"]] = job_id
            self._answer(self.server.jobs[job_id], 202)
        elif self.path == "/v1/page-codes":
            self._answer({"code": "once", "expires_seconds": 60})
        elif self.path.endswith("/retry") and self.path.split("/")[-2] in self.server.jobs:
            self._answer(self.server.jobs[self._new_job()], 202)
        elif self.path.endswith("/cancel") and self.path.split("/")[-2] in self.server.jobs:
            job_id = self.path.split("/")[-2]
            self.server.cancelled.append(job_id)
            self._answer(self.server.jobs[job_id])
        else:
            self._answer({"detail": "No."}, 404)

    def _new_job(self) -> str:
        job_id = f"job{len(self.server.jobs) + 1}"
        self.server.jobs[job_id] = {"id": job_id, "state": "queued", "task": "mesh.lods", "queue_position": 1}
        return job_id

    def _may(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {self.server.token}":
            return True
        self._answer({"detail": "Your sign-in has expired. Sign in again."}, 401)
        return False

    def _answer(self, data: dict[str, Any], status: int = 200) -> None:
        self._send(status, json.dumps(data).encode(), "application/json")

    def _send(self, status: int, body: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def tiny() -> Iterator[TinyServer]:
    """The server, for as long as the block runs."""
    server = TinyServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
