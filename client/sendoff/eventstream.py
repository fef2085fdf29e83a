"""One WebSocket of events that survives what networks do; the client's side of the promises G1 to G7.

No event is told twice, none is missing without a word: after a broken connection the stream asks for what
follows the last event it saw, and where the server cannot give that, a snapshot with `recovered` False says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

from .connection import Connection, make_problem, parse_retry_after
from .errors import InputError, NotFound, Rejected, SendoffError, ServerError, SignInRequired
from .events import Event, EventKind
from .patience import LONGEST_RETRY_AFTER_SECONDS
from .protocol import CLOSE_NOT_FOUND, CLOSE_SIGN_IN_REQUIRED, SILENCE_SECONDS

if TYPE_CHECKING:
    import websocket

_REFUSALS = (SignInRequired, NotFound, Rejected)
_HANDSHAKE_SECONDS = 10.0
TICK_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True)
class Connectivity:
    """How the stream itself is doing.

    `state` is "online"; "reconnecting" (said once per outage; the stream goes on trying); or "refused": the
    server will not have it (sign in, or no such job), after which the stream ends. `message` is a sentence.
    """

    state: str
    message: str = ""


StreamItem = Union[Event, Connectivity]


class EventStream:
    """Events of one job, of some, or of all of this session; iterate over it in one thread, stop it from any.

    `jobs` None means all jobs of the session (or, with scope "person", of the person), also those that are made
    later. `after` says of each job how far the caller got: `{job: seq}` or `{job: (epoch, seq)}`. With
    `until_final` the stream ends when each of `jobs` has ended.
    """

    def __init__(
        self,
        connection: Connection,
        jobs: Sequence[str] | None = None,
        after: Mapping[str, int | tuple[int, int]] | None = None,
        *,
        scope: str = "session",
        until_final: bool = False,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._connection = connection
        self._jobs = None if jobs is None else tuple(jobs)
        self._scope = scope
        self._until_final = until_final
        self._silence_seconds = silence_seconds
        self._places = {job: _place(place) for job, place in (after or {}).items()}
        self._unexplained: dict[str, tuple[int, int] | None] = {}
        self._final: set[str] = set()
        self._has_renewed = False
        #: Ended by their snapshot's word, while events that were missed on the way still follow it.
        self._ending: set[str] = set()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._socket: websocket.WebSocket | None = None

    @property
    def after(self) -> dict[str, tuple[int, int]]:
        """Epoch and seq of the last event seen of each job: what a later stream may be given as `after`."""
        return dict(self._places)

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End the stream at once; may be called from any thread, more than once."""
        self._stop.set()
        with self._lock:
            shut(self._socket)

    def __iter__(self) -> Iterator[StreamItem]:
        """The items; ends after `stop`, after "refused" and, with `until_final`, when all is over."""
        online: bool | None = None
        pause = _FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                for event in self._one_connection():
                    if not online:
                        online = True
                        yield Connectivity("online", f"Connected to {self._connection.url}.")
                    pause, self._has_renewed = _FIRST_PAUSE_SECONDS, False
                    if event.kind is not EventKind.HEARTBEAT or event.job:
                        yield event
                    if self._over(event):
                        return
            except _REFUSALS as error:
                if isinstance(error, SignInRequired) and self._renews():
                    continue
                yield Connectivity("refused", str(error))
                return
            except SendoffError as error:
                if self._stop.is_set():
                    return
                if online is not False:
                    online = False
                    yield Connectivity("reconnecting", str(error))
                asked = error.retry_after_seconds if isinstance(error, ServerError) else None
                least = min(asked or 0.0, LONGEST_RETRY_AFTER_SECONDS)
                self._stop.wait(max(pause * random.uniform(0.5, 1.0), least))
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _renews(self) -> bool:
        """Whether the sign-in that was refused has another token; if that is refused too, it is over."""
        if self._has_renewed:
            return False
        try:
            self._has_renewed = self._connection.renew(self._connection.token)
        except SignInRequired:
            return False
        except SendoffError:  # the server is away just now
            return not self._stop.wait(_LONGEST_PAUSE_SECONDS)
        return self._has_renewed

    def _one_connection(self) -> Iterator[Event]:
        """Events of one connection; returns when stopped, raises when it is over."""
        ws = self._open()
        try:
            yield from self._receive(ws)
        finally:
            self._close(ws)

    def _over(self, event: Event) -> bool:
        if event.kind is EventKind.HEARTBEAT:
            self._final |= self._ending  # nothing that was missed is still to come
            self._ending.clear()
        elif event.state.is_final:
            more = event.kind is EventKind.SNAPSHOT and self._places[event.job][1] < event.seq
            (self._ending if more else self._final).add(event.job)
        return self._until_final and self._jobs is not None and self._final >= set(self._jobs)

    def _open(self) -> websocket.WebSocket:
        single = self._jobs is not None and len(self._jobs) == 1
        path = self._single_path() if single else "/v1/events"
        ws = connect_socket(self._connection, path)
        with self._lock:
            self._socket = ws
        if self._stop.is_set():
            shut(ws)
        try:
            if not single:
                ws.send(json.dumps(self._hello()))
            ws.settimeout(TICK_SECONDS)
        except Exception as error:
            self._close(ws)
            raise _Broken("The connection for progress broke. It is being made again.") from error
        return ws

    def _single_path(self) -> str:
        from urllib.parse import quote

        job = (self._jobs or ("",))[0]
        path = f"/v1/jobs/{quote(job, safe='')}/events"
        place = self._places.get(job)
        return path if place is None else f"{path}?after={place[1]}&epoch={place[0]}"

    def _hello(self) -> dict[str, Any]:
        hello: dict[str, Any] = {"scope": self._scope}
        if self._jobs is not None:
            hello["jobs"] = list(self._jobs)
        if self._places:
            keep = self._places if self._jobs is not None else self._places.keys() - self._final
            hello["after"] = {job: list(self._places[job]) for job in keep}
        return hello

    def _receive(self, ws: websocket.WebSocket) -> Iterator[Event]:
        """Events of one connection, old ones left out; returns when stopped, raises when it is over."""
        heard_at = time.monotonic()
        while not self._stop.is_set():
            text = next_text(ws, self._connection.url)
            if text is None:
                if time.monotonic() - heard_at > self._silence_seconds:
                    raise _Broken(f"{self._connection.url} has been silent for {self._silence_seconds:g} s.")
                continue
            heard_at = time.monotonic()
            try:
                event = Event.from_json(text)
            except InputError:
                continue  # from a newer server; the gap it may leave is noticed below
            if self._takes(event):
                yield event

    def _takes(self, event: Event) -> bool:
        """Whether the event is news; raises _Broken at a hole that nothing explains."""
        if event.kind is EventKind.HEARTBEAT:
            return True
        if self._jobs is not None and event.job not in self._jobs:
            return False
        place = self._places.get(event.job)
        if event.kind is EventKind.SNAPSHOT:
            after = event.seq if event.after is None else event.after
            if place is not None and place[0] == event.epoch and event.recovered is not False:
                after = max(after, place[1])  # what was told is not told again
            self._places[event.job] = (event.epoch, after)
            return True
        if place is None:
            self._places[event.job] = (event.epoch, event.seq)
            return True
        epoch, last = place
        if event.epoch == epoch and event.seq <= last:
            return False
        explained = event.epoch == epoch and event.seq <= last + 1 + event.conflated
        if not explained and self._unexplained.get(event.job) != place:
            self._unexplained[event.job] = place  # once per place: a server that insists is believed
            raise _Broken("Some progress was missed on the way. It is being asked for again.")
        self._places[event.job] = (event.epoch, event.seq)
        return True

    def _close(self, ws: websocket.WebSocket) -> None:
        with self._lock:
            if self._socket is ws:
                self._socket = None
        shut(ws)
        if ws.sock is not None:
            ws.sock.close()


class _Broken(SendoffError):
    """This connection is over; another is worth a try."""


def _place(place: int | tuple[int, int]) -> tuple[int, int]:
    if isinstance(place, int):
        return (0, place)
    return (int(place[0]), int(place[1]))


def connect_socket(connection: Connection, path: str) -> websocket.WebSocket:
    """An open WebSocket to a path of a server; raises SendoffError."""
    try:
        import websocket
    except ImportError as error:
        raise SendoffError(f"Live progress needs the package `websocket-client`: {error}.") from error

    options: dict[str, Any] = {"timeout": _HANDSHAKE_SECONDS, "suppress_origin": True, "redirect_limit": 0}
    token = connection.fresh_token()
    if token:
        options["header"] = [f"Authorization: Bearer {token}"]
    if connection.url.startswith("https:"):
        options["sslopt"] = {"ca_certs": _certificates(connection)}
    if connection.is_loopback:
        options["http_no_proxy"] = [connection.host]
    else:
        options |= _proxy(connection.url)
    try:
        return websocket.create_connection(connection.websocket_url(path), **options)
    except websocket.WebSocketBadStatusException as error:
        problem = make_problem(error.status_code, _problem(error), connection.url)
        headers = {str(name).lower(): str(value) for name, value in (error.resp_headers or {}).items()}
        problem.retry_after_seconds = parse_retry_after(headers.get("retry-after"))
        raise problem from error
    except (websocket.WebSocketException, OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _Broken(f"No connection for progress to {connection.url}: {reason}. It is being tried again.") from error


def _certificates(connection: Connection) -> str:
    """What `requests` trusts too; a socket by itself would ask this Python's OpenSSL, which in Maya may have none."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    named = (connection.ca_bundle, os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("CURL_CA_BUNDLE"))
    return next((path for path in named if path), None) or str(DEFAULT_CA_BUNDLE_PATH)


def _proxy(url: str) -> dict[str, Any]:
    """The proxy that `requests` would take, for a socket that does not look for itself."""
    from urllib.parse import urlsplit

    from requests.utils import get_environ_proxies, select_proxy

    found = urlsplit(select_proxy(url, get_environ_proxies(url)) or "")
    if not found.hostname:
        return {}
    options: dict[str, Any] = {
        "http_proxy_host": found.hostname,
        "http_proxy_port": found.port or 80,
        "proxy_type": found.scheme if found.scheme.startswith("socks") else "http",
    }
    if found.username:
        options["http_proxy_auth"] = (found.username, found.password or "")
    return options


def _problem(error: Any) -> dict[str, Any]:
    try:
        problem = json.loads(error.resp_body or b"{}")
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return problem if isinstance(problem, dict) else {}


def next_text(ws: websocket.WebSocket, url: str) -> str | bytes | None:
    """The next message, or None where none came within a tick."""
    import websocket

    try:
        opcode, data = ws.recv_data()
    except websocket.WebSocketTimeoutException:
        return None
    except (websocket.WebSocketException, OSError, ValueError, AttributeError) as error:
        raise _Broken(f"The connection for progress to {url} broke. It is being made again.") from error
    if opcode != websocket.ABNF.OPCODE_CLOSE:
        text: str | bytes = data
        return text
    code = int.from_bytes(data[:2], "big") if len(data) >= 2 else 1005
    if code == CLOSE_SIGN_IN_REQUIRED:
        raise make_problem(401, {}, url)
    if code == CLOSE_NOT_FOUND:
        raise make_problem(404, {"detail": f"{url} has no such job, or it is not yours."}, url)
    raise _Broken(f"{url} closed the connection for progress (code {code}). It is being made again.")


def shut(ws: websocket.WebSocket | None) -> None:
    """Wake whoever reads the socket; closing it alone would not."""
    inner = ws.sock if ws is not None else None
    if inner is not None:
        with contextlib.suppress(OSError):  # already gone
            inner.shutdown(socket.SHUT_RDWR)
