"""The next token of a kept sign-in, before the one there is ends: once for all processes of a person.

The server replaces a refresh token each time it is used, so only one process may use it; the others read what that one
has kept.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from . import file_lock, signins
from .errors import InputError, SignInRequired
from .signins import SignIn
from .tokens import read_claims

if TYPE_CHECKING:
    from .connection import Connection

_LOCK_NAME = "sign-ins.lock"
_LOCK_SECONDS = 20.0
_LOOK_SECONDS = 0.05


def find(url: str, token: str | None) -> SignIn | None:
    """The kept sign-in whose session a token is of, where it can be renewed."""
    try:
        kept = signins.find(url)
    except InputError:  # it is told where sign-ins are chosen
        return None
    sid = read_claims(token or "").sid
    return kept if kept is not None and kept.refresh_token and sid and read_claims(kept.token).sid == sid else None


def is_due(sign_in: SignIn) -> bool:
    """Whether its token is over, or nearly."""
    return 0 < sign_in.renew_at <= time.time()


def renew(connection: Connection, stale: SignIn) -> SignIn | None:
    """The sign-in with another token than `stale` has: from another process, or new from the server.

    Returns None where it is kept no more. Raises SignInRequired where the server has ended it, ConnectionFailed.
    """
    with _lock():
        kept = find(connection.url, stale.token)
        if kept is None:
            return None
        if kept.token != stale.token and not is_due(kept):
            return kept
        try:
            answer = connection.refresh(kept.refresh_token)
        except SignInRequired:  # it is over: nobody has to try again
            signins.keep(replace(kept, refresh_token="", renew_at=0.0), default=False)
            raise
        made = replace(signins.from_answer(connection.url, answer), local=kept.local)
        signins.keep(made, default=False)
        return made


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    """One process after another; after a while without the lock, since that is better than not at all."""
    folder = signins.config_folder()
    deadline = time.monotonic() + _LOCK_SECONDS
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / _LOCK_NAME).open("ab+")
    except OSError:
        yield
        return
    with file:
        while not file_lock.take(file) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        yield
