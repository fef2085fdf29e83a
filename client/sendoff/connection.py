"""One server, spoken to over HTTP: limits on every wait, retries where they are safe, problems as our errors."""

from __future__ import annotations

import contextlib
import json as json_module
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import renewal
from .encodings import IDENTITY, choose_encoding, compress
from .errors import (
    ChunksMissing,
    ConnectionFailed,
    InputError,
    NotFound,
    Rejected,
    SendoffError,
    ServerError,
    SignInRequired,
    Stopped,
    StorageFull,
)
from .patience import OnWait, Patience, is_passing
from .protocol import COMPRESSED_JSON_BYTES, PARALLEL, PROBLEM_PREFIX

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
#: A call that may be repeated is tried again for so long; `Client` waits longer, for a server that restarts.
PATIENCE_SECONDS = 2.0
#: Pauses between the tries of a refresh: the server takes the same one twice within a minute.
_REFRESH_PAUSES_SECONDS = (0.2, 0.5, 1.0)

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: They ask for another try, so the request itself is not refused.
_NOT_REJECTED = (408, 429, 502, 503, 504)


class Connection:
    """A server's URL and the token for it; may be used by several threads.

    `token` is the JWT or None, `ca_bundle` a file of certificates to trust for https instead of the usual ones. A token
    of a kept sign-in with a refresh token is replaced in time. Calls that may be repeated are tried again for
    `patience_seconds`.
    Raises InputError where the URL is none, SendoffError where this Python lacks what HTTP needs.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        ca_bundle: str | None = None,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.url = check_url(url)
        self.token = token
        self._sign_in = renewal.find(self.url, token)
        if self._sign_in is not None:  # another process may have got a newer one
            self.token = self._sign_in.token
        self._renewing = threading.Lock()
        self.ca_bundle = ca_bundle
        self.connect_seconds = connect_seconds
        self.read_seconds = read_seconds
        self.patience_seconds = patience_seconds
        #: Set it to end the pauses of all calls that have no `stop` of their own.
        self.stop = threading.Event()
        #: Told of all waits of calls that have no `on_wait` of their own.
        self.on_wait: OnWait | None = None
        #: Whether the server has answered, now or for an earlier run: its name and its certificate are right then.
        self.is_known = False
        #: What `GET /v1/server` lists as `request_encodings`: large JSON bodies are then compressed.
        self.request_encodings: tuple[str, ...] = ()
        self._session = _session(self)

    def __repr__(self) -> str:
        return f"Connection({self.url!r})"  # never the token

    @property
    def host(self) -> str:
        """The host's name in the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        return is_loopback(self.url)

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def websocket_url(self, path: str) -> str:
        """The URL of a WebSocket at a path."""
        return re.sub("^http", "ws", self.url) + path

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        stream: bool = False,
        repeatable: bool | None = None,
        patience_seconds: float | None = None,
        stop: threading.Event | None = None,
        on_sent: Callable[[int], None] | None = None,
        on_wait: OnWait | None = None,
        on_break: Callable[[str], None] | None = None,
    ) -> requests.Response:
        """Make one call and return the answer, whose status is below 300.

        `json` is sent as JSON, compressed where that pays and the server takes it; `on_sent` is told how many
        bytes that is, once per try.
        A call that is `repeatable` (by default GET, HEAD and DELETE) is tried again after a broken connection or
        an answer that says "later", for `patience_seconds` (by default the connection's). `on_wait` is told the
        reason, and "" once it is over; `on_break` of each break. Raises ConnectionFailed, or the ServerError that
        the answer stands for; Stopped if `stop` is set meanwhile.
        """
        if repeatable is None:
            repeatable = method in ("GET", "HEAD", "DELETE")
        headers = dict(headers or {})
        sent_bytes = 0
        if json is not None:
            data = self._json_body(json, headers)
            sent_bytes = len(data)
        call = {"method": method, "url": self.url + path, "data": data, "params": params, "stream": stream}
        call["headers"] = headers
        stop = stop or self.stop
        seconds = self.patience_seconds if patience_seconds is None else patience_seconds
        patience = Patience(
            seconds if repeatable else 0.0,
            stop,
            on_wait or self.on_wait,
            try_seconds=2 * self.connect_seconds + self.read_seconds,
        )

        def attempt() -> requests.Response:
            try:
                return self._send_signed_in(call, stop, sent_bytes, on_sent)
            except ConnectionFailed as error:
                if on_break:
                    on_break(str(error))
                raise

        return patience.run(attempt)

    def _send_signed_in(
        self,
        call: Mapping[str, Any],
        stop: threading.Event,
        sent_bytes: int,
        on_sent: Callable[[int], None] | None,
    ) -> requests.Response:
        """One try, and a second one with another token if the first is refused."""
        for has_renewed in (False, True):
            if stop.is_set():
                break
            token = self.fresh_token()
            try:
                if on_sent and sent_bytes:
                    on_sent(sent_bytes)
                return self._send_once(call)
            except SignInRequired:
                if has_renewed or not self.renew(token):
                    raise
        raise Stopped("The call to the server was stopped.")

    def json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Make one call as `send` does, and read the JSON object it answers with."""
        answer = self.send(method, path, **options)
        try:
            data = answer.json()
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise ServerError(
                f"{self.url} does not answer as a Sendoff server. Check the URL in the preferences or SENDOFF_URL.",
                status=answer.status_code,
            )
        return data

    def fresh_token(self) -> str | None:
        """The token, replaced first where it is about to end and that can be done; never raises."""
        sign_in = self._sign_in
        if sign_in is not None and renewal.is_due(sign_in):
            with contextlib.suppress(SendoffError):  # the call itself will tell what is wrong
                self.renew(self.token)
        return self.token

    def renew(self, stale: str | None) -> bool:
        """Have another token than the one that the server refused; False where the sign-in has no other.

        Raises SignInRequired where the server has ended the sign-in, ConnectionFailed.
        """
        with self._renewing:
            if self._sign_in is None or self.token != stale:
                return self._sign_in is not None
            made = renewal.renew(self, self._sign_in)
            if made is None:
                return False
            self._sign_in, self.token = made, made.token
            return True

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Ask the server for the next token; for `renewal`, which keeps it."""
        body = json_module.dumps({"refresh_token": refresh_token})
        headers = {"Content-Type": "application/json"}
        call = {"method": "POST", "url": self.url + "/v1/sessions/refresh", "data": body, "headers": headers}
        pauses = iter(_REFRESH_PAUSES_SECONDS)
        while True:
            try:
                answer: dict[str, Any] = self._send_once(call).json()
            except (ConnectionFailed, ServerError) as error:
                pause = next(pauses, None)
                if pause is None or not is_passing(error):
                    raise
                time.sleep(pause)
            else:
                return answer

    def _json_body(self, json: Any, headers: dict[str, str]) -> bytes:
        try:
            body = json_module.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(
                f"What is to be sent cannot be written as JSON: {error}. Use texts, finite numbers, lists and objects."
            ) from error
        headers["Content-Type"] = "application/json"
        encoding = choose_encoding(self.request_encodings)
        if encoding != IDENTITY and len(body) >= COMPRESSED_JSON_BYTES:
            headers["Content-Encoding"] = encoding
            return compress(body, encoding)
        return body

    def _send_once(self, call: Mapping[str, Any]) -> requests.Response:
        import requests

        try:
            answer = self._session.request(
                **call,
                timeout=(self.connect_seconds, self.read_seconds),
                allow_redirects=False,
                verify=self.ca_bundle,  # per call, since a session's own is overruled by REQUESTS_CA_BUNDLE
            )
        except requests.exceptions.SSLError as error:
            if not _has_cause(error, "SSLCertVerificationError"):
                raise self._broken(f"{self.url} cannot be reached: {_reason(error)}. Check the network.") from error
            raise self._broken(
                f"The certificate of {self.url} is not trusted: {_reason(error)}. "
                f"Ask your administrator for the studio's CA file and set SENDOFF_CA_BUNDLE to it.",
                is_setting=True,
            ) from error
        except requests.exceptions.ConnectTimeout as error:
            raise self._broken(
                f"{self.url} did not answer within {self.connect_seconds:g} s. Check the URL and the network."
            ) from error
        except requests.exceptions.Timeout as error:
            raise self._broken(
                f"{self.url} accepted the connection but did not answer within {self.read_seconds:g} s. "
                f"Ask your administrator whether the server is well."
            ) from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise self._broken(
                f"{self.url} cannot be reached: {_reason(error)}. Check the URL, and whether the server runs.",
                is_setting=_is_unknown_name(error),
            ) from error
        self.is_known = True
        if answer.status_code >= 300:
            try:
                raise problem_of(answer, self.url)
            finally:
                answer.close()
        return answer

    def _broken(self, detail: str, *, is_setting: bool = False) -> ConnectionFailed:
        """What a broken connection becomes. The idle ones broke with it: none of them is tried on its own.

        A name or a certificate lasts as it is until the server was seen to be right: later, a VPN or a hotel's network
        may be in between.
        """
        self._session.close()
        return ConnectionFailed(detail, is_lasting=is_setting and not self.is_known)


def check_url(url: str) -> str:
    """A server's URL without a slash at its end; raises InputError with a sentence where it is none."""
    url = url.strip().rstrip("/")
    example = "Write it like http://render01:8780 or https://sendoff.studio.example."
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InputError(f"The server's URL {url!r} cannot be read. {example}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or any(one.isspace() for one in url):
        raise InputError(f"The server's URL {url!r} does not begin with http:// or https:// and a name. {example}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError(f"The server's URL must hold no user, '?' or '#': a token does not belong into it. {example}")
    return url


def is_loopback(url: str) -> bool:
    """Whether a server's URL is of this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def problem_of(answer: requests.Response, url: str) -> ServerError:
    """The error that an answer of status 300 or above stands for."""
    status = answer.status_code
    try:
        problem = answer.json()
    except Exception:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    error = make_problem(status, problem, url)
    error.retry_after_seconds = parse_retry_after(answer.headers.get("Retry-After"))
    return error


def parse_retry_after(text: str | None) -> float | None:
    """The seconds of a `Retry-After` header, which has them or a date; None if there is none that can be read."""
    text = (text or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def make_problem(status: int, problem: Mapping[str, Any], url: str) -> ServerError:
    """The error for a status and a problem document, which may be empty."""
    kind = str(problem.get("type") or "")
    kind = kind[len(PROBLEM_PREFIX) :] if kind.startswith(PROBLEM_PREFIX) else ""
    detail = problem.get("detail") or problem.get("title")
    detail = str(detail) if detail else _default_detail(status, url)
    field = str(problem["field"]) if problem.get("field") else None
    missing = problem.get("missing")
    if kind == "chunks-missing" and isinstance(missing, list):
        return ChunksMissing(detail, missing=tuple(str(item) for item in missing))
    tree: dict[int, type[ServerError]] = {401: SignInRequired, 404: NotFound, 507: StorageFull}
    found = tree.get(status) or (Rejected if 400 <= status < 500 and status not in _NOT_REJECTED else ServerError)
    return found(detail, status=status, field=field, kind=kind)


def _default_detail(status: int, url: str) -> str:
    if status == 401:
        return f"{url} does not accept your sign-in. Sign in again."
    if status == 404:
        return f"{url} does not know what was asked for. Check the URL and the job's id."
    if status < 400:
        return f"{url} sends callers elsewhere (status {status}). Use the URL that it leads to."
    if status == 413:
        return f"{url} says the upload is too large. A proxy may limit it: see client_max_body_size."
    return f"{url} answered with status {status} and no explanation. Ask your administrator for the server's log."


def _session(connection: Connection) -> requests.Session:
    try:
        import requests
        from requests.adapters import HTTPAdapter
    except ImportError as error:
        raise SendoffError(
            f"This Python cannot speak HTTP: {error}. Install the package `requests` for it (in Maya on Linux "
            f"the system's OpenSSL libraries may be missing)."
        ) from error
    if connection.url.startswith("https:"):
        _check_ssl(connection.url)
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=2 * PARALLEL)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    # A callable, since requests would otherwise prefer a ~/.netrc to our header.
    session.auth = _bearer(connection)
    if connection.is_loopback:
        session.trust_env = False  # a studio's proxy is never the way to this machine
    return session


def _check_ssl(url: str) -> None:
    """Whether this Python has `ssl`: that of some applications lacks a library of the system."""
    try:
        import ssl  # noqa: F401 - whether it is there
    except ImportError as error:
        raise ConnectionFailed(
            f"{url} needs https, and this application's Python cannot load its `ssl` module: {error}. Have the "
            f"system's OpenSSL libraries installed that it was made for, or use the server's http:// URL in the studio."
        ) from error


def _bearer(connection: Connection) -> Any:
    def add(request: Any) -> Any:
        if connection.token:
            request.headers["Authorization"] = f"Bearer {connection.token}"
        return request

    return add


def _is_unknown_name(error: BaseException) -> bool:
    """Whether a name server says that there is no such name; one that does not answer says nothing of it."""
    return any(isinstance(one, socket.gaierror) and one.errno == socket.EAI_NONAME for one in _causes(error))


def _has_cause(error: BaseException, name: str) -> bool:
    """By its name, since a Python may lack the module `ssl`."""
    return any(type(one).__name__ == name for one in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it was raised from or holds."""
    left, seen = [error], set()
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        held = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        left += [other for other in held if isinstance(other, BaseException)]


def _reason(error: BaseException) -> str:
    """The innermost reason of an error of requests, in its own words but without its packaging."""
    seen = 0
    while seen < 8:
        seen += 1
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((item for item in error.args if isinstance(item, BaseException)), None)
        if inner is None:
            break
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = re.sub(r"^.*?: (Failed to establish a new connection: )?(\[Errno -?[0-9]+\] )?(?=[A-Z])", "", str(error))
    return text.rstrip(".") or type(error).__name__
