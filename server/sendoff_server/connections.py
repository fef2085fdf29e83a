"""Connections that cost no more than they bring: how many there may be, and how long each may keep the server waiting.

Whoever opens a connection and says nothing, sends a request a byte at a time, or does not take its answer, holds a
socket and memory for nothing. What is limited is how long nothing comes of it, never how long something takes that
goes on. The same for the bodies of requests is in bodies.py, for WebSockets in sockets.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from .problems import Problem

log = logging.getLogger("sendoff.server")

#: Within the seconds of SENDOFF_CONNECTION_STALL_SECONDS so many bytes have to pass, for each of these seconds.
LEAST_BYTES_PER_SECOND = 256
#: Files that a server opens besides its connections: chunks, Redis, logs.
_OTHER_FILES = 200
_WARN_SECONDS = 60.0
_LINGER_SECONDS = 1.0
_RETRY_SECONDS = 5


def most_connections(wanted: int) -> int:
    """As many as wanted, or as this process may open; raises the process's own limit where it may."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    fewer = max(soft - _OTHER_FILES, 1)
    log.warning("Of the %d connections of SENDOFF_CONNECTIONS only %d can be had: this process may open %d files. "
                "Raise its limit (ulimit -n)", wanted, fewer, soft, extra={"action": "server.few_files"})  # fmt: skip
    return fewer


class BoundedConnection(HttpToolsProtocol):
    """A connection of a server that has at most `most`, and closes one that keeps it waiting for `stall_seconds`."""

    most = 10_000
    stall_seconds = 30.0
    _warned_at = float("-inf")

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], **more: Any) -> None:
        super().__init__(config, server_state, app_state, **more)
        self._is_refused = self._is_upgraded = self._is_in_head = False
        self._unsent = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is new."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse()
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._forget_head()
        self._forget_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._is_refused:
            return
        super().data_received(data)
        if self.transport.is_closing():
            self._expect_writing()
        elif not self._is_upgraded and (self.cycle is None or self.cycle.response_complete):
            self._expect_head()  # or what is left of a body that nobody waits for

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        """All of its head."""
        self._is_in_head = False
        self._forget_head()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """It is a WebSocket from now on, which has limits of its own."""
        self._is_upgraded = True
        self._forget_head()
        self._forget_writing()
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """The last of an answer is on its way."""
        super().on_response_complete()
        self._expect_writing()

    def pause_writing(self) -> None:
        """What was sent is not taken as quickly as it comes."""
        super().pause_writing()
        self._expect_writing()

    def resume_writing(self) -> None:
        """It was taken."""
        super().resume_writing()
        self._forget_writing()

    def _refuse(self) -> None:
        """Say that it is full, and forget the connection once that is on its way."""
        self._is_refused = True
        self.connections.discard(self)
        cls = type(self)
        if time.monotonic() - cls._warned_at > _WARN_SECONDS:
            cls._warned_at = time.monotonic()
            log.warning("There are %d connections, the most that this server takes: more are refused. "
                        "SENDOFF_CONNECTIONS is the limit", self.most, extra={"action": "server.full"})  # fmt: skip
        self._answer(Problem(
            503, "unavailable", "Not available right now",
            "The server has as many connections as it takes. Try again in a moment.",
            retry_after_seconds=_RETRY_SECONDS,
        ))  # fmt: skip

    def _answer(self, problem: Problem) -> None:
        """An answer to what was never read as a request; what comes in meanwhile is dropped."""
        self._is_refused = True
        response = problem.response()
        body = bytes(response.body)
        response.headers["Connection"] = "close"
        head = [f"HTTP/1.1 {problem.status} {problem.title}"]
        head += [f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in response.raw_headers]
        self.transport.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        if self.transport.can_write_eof():  # closed at once, what came in unread would make the answer be lost
            self.transport.write_eof()
        self._head_timer = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.stall_seconds, self._lose_patience)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _lose_patience(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._answer(too_slow("The request"))
        else:
            self.transport.abort()

    def _expect_writing(self) -> None:
        self._forget_writing()
        if self.transport.get_write_buffer_size() and sys.platform == "linux":
            self._unsent = _unsent_bytes(self.transport)
            self._write_timer = self.loop.call_later(self.stall_seconds, self._look_at_writing)

    def _forget_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _look_at_writing(self) -> None:
        self._write_timer = None
        if not self.transport.get_write_buffer_size():
            return
        if self._unsent - _unsent_bytes(self.transport) < self.stall_seconds * LEAST_BYTES_PER_SECOND:
            self.transport.abort()
        else:
            self._expect_writing()


def _unsent_bytes(transport: asyncio.Transport) -> int:
    """What waits here and in the system, which holds megabytes and takes more only when much of it is gone."""
    import fcntl
    import termios

    with contextlib.suppress(OSError):
        waiting = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        return transport.get_write_buffer_size() + int.from_bytes(waiting, sys.byteorder)
    return transport.get_write_buffer_size()


def too_slow(what: str) -> Problem:
    """408: it does not come."""
    return Problem(408, "too-slow", "Too slow", f"{what} did not come in time. Check the network and send it again.")


def bounded(*, most: int, stall_seconds: float) -> type[BoundedConnection]:
    """The connections of a server with these limits."""
    return type("Connection", (BoundedConnection,), {"most": most, "stall_seconds": stall_seconds})
