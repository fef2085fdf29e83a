"""What SENDOFF_ENV=production does not start with: settings that are only good on one's own machine."""

from __future__ import annotations

from urllib.parse import urlsplit

from sendoff.connection import is_loopback
from sendoff_store.errors import SettingsError

from .settings import ServerSettings

#: Passwords that examples and fresh installations have.
_KNOWN = ("guest", "sendoff", "password", "changeme", "secret", "redis", "admin")


def check(settings: ServerSettings) -> None:
    """Raises SettingsError naming the first setting that has to change, and how."""
    if settings.env != "production":
        return
    if not settings.secret:
        raise SettingsError(
            "SENDOFF_ENV=production needs a SENDOFF_SECRET of its own, the same for all servers. Make one with: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    if len(set(settings.secret)) < 8 or any(known in settings.secret.lower() for known in ("changeme", "example")):
        raise SettingsError("SENDOFF_SECRET is one that can be guessed. Make another one that is random.")
    if not is_loopback(f"http://{_bracketed(settings.host)}") and not settings.behind_proxy:
        raise SettingsError(
            f"SENDOFF_ENV=production does not speak plain http on {settings.host}. Put a proxy in front that speaks "
            "https and set SENDOFF_BEHIND_PROXY=true, or listen on 127.0.0.1."
        )
    for name, url in (("SENDOFF_REDIS_URL", settings.redis_url), ("SENDOFF_BROKER_URL", settings.broker)):
        _check_password(name, url)


def _check_password(name: str, url: str) -> None:
    parts = urlsplit(url)
    password = parts.password or ""
    if parts.hostname is None or is_loopback(f"http://{_bracketed(parts.hostname)}"):
        return
    if not password:
        raise SettingsError(
            f"{name} has no password, so that everybody in the network may read and change all jobs. Give "
            f"{parts.hostname} one and write it into the URL."
        )
    if password.lower() in _KNOWN:
        raise SettingsError(f"The password in {name} is one that everybody knows. Give {parts.hostname} another one.")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
