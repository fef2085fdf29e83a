"""The Redis that a command of an administrator works on: the one that is set, or the embedded one of a running `up`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from sendoff_store.connections import connect
from sendoff_store.errors import SettingsError

from .settings import ServerSettings


@contextmanager
def database(settings: ServerSettings) -> Iterator[redis.Redis]:
    """An open connection; raises SettingsError where no Redis is known, redis.RedisError where it does not answer."""
    with connect(settings.redis_url or _embedded_url(settings)) as client:
        client.ping()
        yield client


def _embedded_url(settings: ServerSettings) -> str:
    try:
        return str(json.loads((settings.data_dir / "up.json").read_text())["redis_url"])
    except (OSError, ValueError, KeyError):
        raise SettingsError(
            f"No Redis is known: `sendoff-server up` does not run on {settings.data_dir}, and SENDOFF_REDIS_URL is "
            "not set. People, jobs and which chunks are needed stand in Redis."
        ) from None
