"""Where does it break: each hop between this machine and a finished job, tried one after the other."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable
from urllib.parse import quote, urlsplit

from .client import check_protocol
from .connection import Connection
from .errors import ConnectionFailed, SendoffError, SignInRequired
from .events import Event
from .eventstream import Connectivity, EventStream
from .packs import PackWriter
from .protocol import CHUNK_BYTES, PACK_MEDIA_TYPE

_UPLOAD_CHUNKS = 7
_STREAM_SECONDS = 10.0
_JOB_SECONDS = 30.0
#: A hop that does not answer is broken, also if the server only restarts.
_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class HopResult:
    """One hop: its name, whether it is well, and a sentence that says what was found and what to do."""

    name: str
    ok: bool
    detail: str
    seconds: float = 0.0
    #: Not tried, because an earlier hop is broken (or there is none: no TLS on http).
    skipped: bool = False


def check(connection: Connection) -> Iterator[HopResult]:
    """Try every hop in order; after the first broken one the others are "not tried"."""
    broken = ""
    for name, hop in _HOPS:
        if broken:
            yield HopResult(name, ok=False, detail=f"Not tried, since {broken} is broken.", skipped=True)
            continue
        begun = time.monotonic()
        try:
            detail = hop(connection)
        except (SendoffError, OSError) as error:
            broken = name
            yield HopResult(name, ok=False, detail=str(error), seconds=time.monotonic() - begun)
        else:
            seconds = time.monotonic() - begun
            yield HopResult(name, ok=True, detail=detail or "Not needed.", seconds=seconds, skipped=not detail)


def _network(connection: Connection) -> str:
    parts = urlsplit(connection.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(connection.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConnectionFailed(
            f"The name {connection.host} is not known to this network: {error}. Check the URL, or the studio's VPN."
        ) from error
    try:
        with socket.create_connection((connection.host, port), timeout=connection.connect_seconds):
            pass
    except OSError as error:
        raise ConnectionFailed(
            f"{connection.host} is known ({found[0][4][0]}), but nothing answers on port {port}: "
            f"{error.strerror or error}. Check that the server runs, and the firewall."
        ) from error
    return f"{connection.host} answers on port {port} ({found[0][4][0]})."


def _tls(connection: Connection) -> str:
    if not connection.url.startswith("https:"):
        return ""
    connection.send("GET", "/healthz", repeatable=False)
    return "The certificate is trusted."


def _http(connection: Connection) -> str:
    connection.send("GET", "/healthz", repeatable=False)
    return "The server is alive."


def _protocol(connection: Connection) -> str:
    info = connection.json("GET", "/v1/server", patience_seconds=_PATIENCE_SECONDS)
    check_protocol(info, connection.url)
    person = info.get("person")
    return f"{info.get('name') or 'Sendoff'} {info.get('version') or ''}{f', signed in as {person}' if person else ''}."


def _token(connection: Connection) -> str:
    if not connection.token:
        raise SignInRequired(
            f"There is no sign-in for {connection.url}. Run `sendoff sign-in {connection.url}`, or set SENDOFF_TOKEN.",
            status=401,
        )
    connection.json("GET", "/v1/tasks", patience_seconds=_PATIENCE_SECONDS)
    return "The sign-in is accepted."


def _websocket(connection: Connection) -> str:
    for item in _limited(EventStream(connection), _STREAM_SECONDS):
        if isinstance(item, Connectivity) and item.state == "online":
            return "Progress can be pushed here."
        if isinstance(item, Connectivity):
            raise ConnectionFailed(f"{item.message} A proxy in between must let WebSockets through.")
    raise ConnectionFailed(
        f"The WebSocket opened but told nothing in {_STREAM_SECONDS:g} s. A proxy in between may hold it back."
    )


def _upload(connection: Connection) -> str:
    writer = PackWriter()
    for _ in range(_UPLOAD_CHUNKS):
        writer.add(os.urandom(CHUNK_BYTES))
    begun = time.monotonic()
    body = writer.body()
    headers = {"Content-Type": PACK_MEDIA_TYPE}
    connection.json(
        "POST", "/v1/chunks", data=body, headers=headers, repeatable=True, patience_seconds=_PATIENCE_SECONDS
    )
    rate = len(body) / max(time.monotonic() - begun, 1e-6) / 1e6
    return f"{len(body) / 1e6:.0f} MB of random bytes were stored at {rate:.0f} MB/s."


def _worker(connection: Connection) -> str:
    tasks = connection.json("GET", "/v1/tasks", patience_seconds=_PATIENCE_SECONDS).get("tasks") or []
    if not tasks:
        raise ConnectionFailed("No worker is online. Start one: `sendoff-server worker`, or `make up`.")
    workers = max(int(task.get("workers") or 0) for task in tasks)
    return f"{workers or 'At least one'} worker(s) online, {len(tasks)} task(s) offered."


def _job(connection: Connection) -> str:
    begun = time.monotonic()
    body = {"task": "system.noop", "params": {}, "manifest": {"files": []}, "title": "sendoff check"}
    job = str(connection.json("POST", "/v1/jobs", json=body)["id"])
    state = ""
    for item in _limited(EventStream(connection, [job], until_final=True), _JOB_SECONDS):
        if isinstance(item, Event):
            state = item.state.value
    seconds = time.monotonic() - begun
    if state != "succeeded":
        raise ConnectionFailed(
            f"An empty job is {state or 'unheard of'} after {seconds:.1f} s. Look at the worker's log, "
            f"and at `sendoff log {job}`."
        )
    connection.send("DELETE", f"/v1/jobs/{quote(job, safe='')}", patience_seconds=_PATIENCE_SECONDS)
    return f"An empty job went there and back in {seconds * 1000:.0f} ms."


def _limited(stream: EventStream, seconds: float) -> Iterator[Event | Connectivity]:
    import threading

    timer = threading.Timer(seconds, stream.stop)
    timer.daemon = True
    timer.start()
    try:
        yield from stream
    finally:
        timer.cancel()
        stream.stop()


_HOPS: tuple[tuple[str, Callable[[Connection], str]], ...] = (
    ("network", _network),
    ("TLS", _tls),
    ("HTTP", _http),
    ("sign-in", _token),
    ("protocol", _protocol),
    ("WebSocket", _websocket),
    ("upload", _upload),
    ("worker", _worker),
    ("job", _job),
)
