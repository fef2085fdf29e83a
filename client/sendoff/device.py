"""Signing in by a short code, which somebody who is signed in approves (the device flow of RFC 8628)."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from . import signins
from .connection import Connection
from .errors import ConnectionFailed, SendoffError, ServerError, Stopped, TimedOut
from .eventstream import TICK_SECONDS, connect_socket, next_text, shut

_WAITING = ("authorization-pending", "slow-down")


@dataclass(frozen=True)
class SignInCode:
    """What a person sees, and what the application waits with."""

    #: "BCDF-GHJK".
    user_code: str
    #: By time.monotonic().
    ends_at: float
    interval_seconds: float
    device_code: str = field(default="", repr=False)
    #: Where a person lets it in.
    page: str = ""

    @property
    def address(self) -> str:
        """The page's address without the code, to be typed."""
        return self.page.partition("#")[0]

    @property
    def advice(self) -> str:
        """What to do with it, in a sentence."""
        return f"let it in on the page that your browser shows, {self.address}"


def begin(connection: Connection, name: str) -> SignInCode:
    """Ask a server for a code, for an application that calls itself `name`. Raises SendoffError."""
    made = connection.json("POST", "/v1/device", json={"name": name}, repeatable=False)
    return SignInCode(
        user_code=str(made["user_code"]),
        ends_at=time.monotonic() + float(made["expires_seconds"]),
        interval_seconds=float(made["interval_seconds"]),
        device_code=str(made["device_code"]),
        page=f"{connection.url}/device#code={made['user_code']}",
    )


def wait(connection: Connection, code: SignInCode, stop: threading.Event) -> signins.SignIn:
    """Wait until a code is approved, and keep the sign-in, readable by this user alone.

    The server tells at once; where no WebSocket gets through, it is asked every few seconds.
    Raises TimedOut where nobody approves it, Stopped where `stop` is set, SendoffError for anything else.
    """
    while time.monotonic() < code.ends_at:
        made = _told(connection, code, stop)
        if made is not None:
            return _kept(connection, made)
        if stop.wait(code.interval_seconds):
            raise Stopped("The sign-in was stopped.")
        try:
            made = connection.json("POST", "/v1/device/token", json={"device_code": code.device_code})
        except ServerError as error:
            if error.kind in _WAITING:
                continue
            raise
        except ConnectionFailed:  # a server that is started anew knows the code still
            continue
        return _kept(connection, made)
    raise TimedOut("Nobody approved the sign-in within ten minutes. Begin it again.")


def _told(connection: Connection, code: SignInCode, stop: threading.Event) -> dict[str, Any] | None:
    """What the server says once the code is approved; None where the socket ends before, or `stop` is set."""
    try:
        ws = connect_socket(connection, "/v1/device/events")
    except SendoffError:
        return None
    try:
        ws.send(json.dumps({"device_code": code.device_code}))
        ws.settimeout(TICK_SECONDS)
        while not stop.is_set() and time.monotonic() < code.ends_at:
            text = next_text(ws, connection.url)
            if text is not None:
                made = json.loads(text)
                return made if isinstance(made, dict) and made.get("token") else None
    except Exception:  # whatever it is, asking will tell
        return None
    finally:
        shut(ws)
        if ws.sock is not None:
            ws.sock.close()
    return None


def _kept(connection: Connection, made: dict[str, Any]) -> signins.SignIn:
    found = signins.from_answer(connection.url, made)
    signins.keep(found)
    return found
