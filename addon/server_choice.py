"""Which server, and who we are there: environment over preferences over kept sign-ins. Nothing here knows bpy."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from .sendoff import Connection, InputError, signins
from .sendoff.connection import check_url


@dataclass(frozen=True)
class ServerChoice:
    """The server and the sign-in that a job would use now, and where each comes from."""

    url: str = ""
    token: str = field(default="", repr=False)
    #: "SENDOFF_URL", "preferences", "sign-ins" or "".
    url_from: str = ""
    #: "SENDOFF_TOKEN", "sign-ins", "this session" or "".
    signed_in_by: str = ""
    #: Why no server can be used, as a sentence; "" where one can.
    problem: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether the server runs on this machine, so that no online access is needed."""
        return bool(self.url) and not self.problem and Connection(self.url).is_loopback


def choose(preferences_url: str, session_token: str) -> ServerChoice:
    """Find the server and the token for it."""
    url, url_from = "", ""
    for candidate, source in (
        (os.environ.get("SENDOFF_URL", "").strip(), "SENDOFF_URL"),
        (preferences_url.strip(), "preferences"),
    ):
        if candidate and not url:
            url, url_from = candidate, source
    token, signed_in_by = os.environ.get("SENDOFF_TOKEN", "").strip(), "SENDOFF_TOKEN"
    problem = ""
    if not url or not token:
        try:
            known = signins.find(url or None)
        except InputError as error:
            known, problem = None, str(error)
        if known is not None:
            if not url:
                url, url_from = known.url, "sign-ins"
            if not token and known.token:
                token, signed_in_by = known.token, "sign-ins"
    if not token:
        token, signed_in_by = session_token.strip(), "this session"
    if not url:
        problem = problem or "No server is set. Put its URL into the add-on's preferences, or set SENDOFF_URL."
        return ServerChoice(problem=problem)
    try:
        url = check_url(url)
    except InputError as error:
        return ServerChoice(url=url, url_from=url_from, problem=str(error))
    return ServerChoice(
        url=url,
        token=token,
        url_from=url_from,
        signed_in_by=signed_in_by if token else "",
        problem="" if token else problem,
    )
