"""Where a person's sign-ins are kept: one file, which nobody else can read.

`sign-ins.json` is `{"default": url, "servers": {url: {"token": ..., "person": ..., ...}}}` in the folder SENDOFF_HOME,
or else the platform's folder for settings; the entries of a server are the fields of `SignIn`.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .errors import InputError

FILE_NAME = "sign-ins.json"
#: A token is replaced so long before its end.
_EARLY_SECONDS = 60.0


@dataclass(frozen=True)
class SignIn:
    """One server this person is signed in to."""

    url: str
    token: str = field(repr=False)
    person: str = ""
    #: Whether it is the server that runs on this machine for this person alone.
    local: bool = False
    #: What gives the next token; "" for a token that stands for itself.
    refresh_token: str = field(default="", repr=False)
    #: When the token is to be replaced, by this machine's clock (Unix seconds); 0 for never.
    renew_at: float = 0.0


def config_folder() -> Path:
    """SENDOFF_HOME, or `sendoff` in the platform's folder for settings."""
    home = os.environ.get("SENDOFF_HOME")
    if home:
        return Path(home)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "sendoff"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "sendoff"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "sendoff"


def from_answer(url: str, answer: Mapping[str, Any]) -> SignIn:
    """The sign-in that a server's answer to one, or to a refresh, makes."""
    seconds = _number(answer.get("expires_seconds"))
    early = min(_EARLY_SECONDS, seconds / 4)
    return SignIn(
        url=normal_url(url),
        token=str(answer["token"]),
        person=str(answer.get("person") or ""),
        refresh_token=str(answer.get("refresh_token") or ""),
        renew_at=round(time.time() + seconds - early, 3) if seconds else 0.0,
    )


def sign_ins() -> tuple[SignIn, ...]:
    """All sign-ins, the default one first.

    Raises InputError where the file can be read by others or is damaged.
    """
    data = _read()
    default = data.get("default")
    found = [
        SignIn(
            url=url,
            token=str(entry.get("token") or ""),
            person=str(entry.get("person") or ""),
            local=bool(entry.get("local")),
            refresh_token=str(entry.get("refresh_token") or ""),
            renew_at=_number(entry.get("renew_at")),
        )
        for url, entry in data["servers"].items()
        if isinstance(entry, dict)
    ]
    return tuple(sorted(found, key=lambda sign_in: sign_in.url != default))


def find(url: str | None = None) -> SignIn | None:
    """The sign-in of a server, or the default one; None where there is none."""
    every = sign_ins()
    if url is None:
        return every[0] if every else None
    return next((sign_in for sign_in in every if sign_in.url == normal_url(url)), None)


def keep(sign_in: SignIn, *, default: bool = True) -> Path:
    """Keep a sign-in, by default as the one that is used when no server is named; returns the file."""
    data = _read()
    url = normal_url(sign_in.url)
    data["servers"][url] = {name: value for name, value in asdict(sign_in).items() if name != "url"}
    if default or not data.get("default"):
        data["default"] = url
    return _write(data)


def forget(url: str) -> bool:
    """Forget a server; False where it was not known."""
    data = _read()
    known = data["servers"].pop(normal_url(url), None) is not None
    if known:
        if data.get("default") == normal_url(url):
            data["default"] = next(iter(data["servers"]), None)
        _write(data)
    return known


def normal_url(url: str) -> str:
    """A server's URL as it is compared: no white space around it, no slash at its end."""
    return url.strip().rstrip("/")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _read() -> dict[str, Any]:
    path = config_folder() / FILE_NAME
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read()
    except FileNotFoundError:
        return {"default": None, "servers": {}}
    except OSError as error:
        raise InputError(
            f"The file of your sign-ins {path} cannot be read: {error.strerror or error}. Set SENDOFF_HOME to another "
            f"folder, or change its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"The file of your sign-ins {path} is damaged. Delete it and sign in again.") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise InputError(
            f"Other people on this machine can read your sign-ins in {path}. "
            f"Run `chmod 600 {path}`, and sign in again if somebody else may have read it."
        )
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not isinstance(data.get("servers"), dict):
        raise InputError(f"The file of your sign-ins {path} is damaged. Delete it and sign in again.")
    return data


def _write(data: dict[str, Any]) -> Path:
    folder = config_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".sign-ins-")  # made with mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(data, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(folder / FILE_NAME)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"Your sign-in cannot be kept in {folder}: {error.strerror or error}. Set SENDOFF_HOME to a folder "
            f"that can be written."
        ) from error
    return folder / FILE_NAME
