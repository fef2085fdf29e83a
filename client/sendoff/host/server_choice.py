"""Which server, and who we are there: environment over preferences over kept sign-ins."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from .. import InputError, signins
from ..connection import check_url, is_loopback
from ..tokens import read_claims

_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class ServerChoice:
    """The server and the sign-in that a job would use now, and where each comes from."""

    url: str = ""
    #: Replaced now and then where it is one of a session, which stays the same (`session`).
    token: str = field(default="", repr=False, compare=False)
    session: str = field(default="", repr=False)
    #: A file of certificates to trust; "" for the usual ones.
    ca_bundle: str = ""
    #: "SENDOFF_URL", "preferences", "sign-ins" or "".
    url_from: str = ""
    #: "SENDOFF_TOKEN", "sign-ins", "this session" or "".
    signed_in_by: str = ""
    #: "SENDOFF_CA_BUNDLE", "preferences" or "".
    ca_bundle_from: str = ""
    #: Who the token says we are, and until when (Unix seconds; None where it does not say, or is replaced in time).
    person: str = ""
    expires_at: float | None = None
    #: Whether it is a kept sign-in that renews itself, and so can be signed out.
    is_renewed: bool = False
    #: Why no server can be used, as a sentence; "" where one can.
    problem: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether the server runs on this machine, so that no online access is needed."""
        return bool(self.url) and not self.problem and is_loopback(self.url)


def choose(
    preferences_url: str, session_token: str, preferences_ca_bundle: str = "", *, settings: str = "the preferences"
) -> ServerChoice:
    """Find the server, the token for it and the certificates to trust; `settings`: what the host calls its own."""
    url, url_from = _first(("SENDOFF_URL", os.environ.get("SENDOFF_URL", "")), ("preferences", preferences_url))
    ca_bundle, ca_bundle_from = _first(
        ("SENDOFF_CA_BUNDLE", os.environ.get("SENDOFF_CA_BUNDLE", "")), ("preferences", preferences_ca_bundle)
    )
    token, signed_in_by = _first(("SENDOFF_TOKEN", os.environ.get("SENDOFF_TOKEN", "")))
    problem, known = "", None
    if not url or not token:
        try:
            known = signins.find(url or None)
        except InputError as error:
            known, problem = None, str(error)
        if known is not None:
            if not url:
                url, url_from = known.url, "sign-ins"
            is_over = _is_over(known, time.time()) and bool(session_token.strip())
            if not token and known.token and not is_over:
                token, signed_in_by = known.token, "sign-ins"
    if not token:
        token, signed_in_by = _first(("this session", session_token))
    if not url:
        problem = problem or f"No server is set. Put its URL into {settings}, or set SENDOFF_URL."
        return ServerChoice(problem=problem)
    try:
        url = check_url(url)
        _check_ca_bundle(ca_bundle, ca_bundle_from, settings)
    except InputError as error:
        return ServerChoice(url=url, url_from=url_from, ca_bundle_from=ca_bundle_from, problem=str(error))
    claims = read_claims(token)
    is_renewed = known is not None and bool(known.refresh_token) and signed_in_by == "sign-ins"
    return ServerChoice(
        url=url,
        token=token,
        session=claims.sid if is_renewed else token,
        ca_bundle=ca_bundle,
        url_from=url_from,
        signed_in_by=signed_in_by,
        ca_bundle_from=ca_bundle_from,
        person=claims.person,
        expires_at=None if is_renewed else claims.expires_at,
        is_renewed=is_renewed,
        problem="" if token else problem,
    )


def sign_in_text(choice: ServerChoice, now: float | None = None) -> str:
    """Who the artist is on the server, in a sentence."""
    if choice.problem:
        return choice.problem
    if not choice.token:
        return "Not signed in: click Sign In, or Paste a token"
    who = f" as {choice.person}" if choice.person else ""
    left = None if choice.expires_at is None else choice.expires_at - (time.time() if now is None else now)
    if left is not None and left <= 0:
        return f"The sign-in{who} has expired: sign in again"
    return f"Signed in{who}, {_days(left)}" if left is not None else f"Signed in{who}"


def is_expired(choice: ServerChoice, now: float | None = None) -> bool:
    """Whether the token itself says that it is over."""
    return choice.expires_at is not None and choice.expires_at <= (time.time() if now is None else now)


def _is_over(known: signins.SignIn, now: float) -> bool:
    expires_at = None if known.refresh_token else read_claims(known.token).expires_at
    return expires_at is not None and expires_at <= now


def _first(*candidates: tuple[str, str]) -> tuple[str, str]:
    """The first value that is not empty, and where it is from."""
    return next(((value.strip(), source) for source, value in candidates if value.strip()), ("", ""))


def _check_ca_bundle(path: str, source: str, settings: str) -> None:
    if path and not Path(path).is_file():
        where = "SENDOFF_CA_BUNDLE" if source == "SENDOFF_CA_BUNDLE" else f"The CA Bundle in {settings}"
        raise InputError(f"{where} names {path}, which is no file. Choose the studio's file of certificates.")


def _days(seconds: float) -> str:
    days = int(seconds // _DAY_SECONDS)
    if days > 365:
        return "more than a year"
    if days:
        return f"{days} more day{'s' if days > 1 else ''}"
    hours = int(seconds // 3600)
    return f"{hours} more hour{'s' if hours > 1 else ''}" if hours else "less than an hour"
