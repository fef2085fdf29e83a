"""Clients of Redis (or Valkey) with limits that fit their use.

redis-py 8 gives every client a socket timeout of 5 s. A client that waits for messages gets none, but a health
check, so that a dead connection is noticed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import redis
import redis.asyncio
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from .errors import RedisUnavailable

log = logging.getLogger("sendoff.store")

_SAY_AFTER_SECONDS = 2.0
#: A call takes well under a millisecond, so that thousands of sockets get by with these.
_ASYNC_CONNECTIONS = 5
_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 10
_SHARED_CONNECTIONS = 4


def connect(url: str) -> redis.Redis:
    """A client for short calls from threads."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), 3),
        health_check_interval=15,
    )


def connect_async(url: str) -> redis.asyncio.Redis:
    """A client for short calls from an event loop; of few connections, for which calls wait in turn."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        retry=redis.asyncio.retry.Retry(ExponentialBackoff(cap=1, base=0.05), 3),
        health_check_interval=15,
        max_connections=_ASYNC_CONNECTIONS,
        timeout=_ANSWER_SECONDS,
    )
    return redis.asyncio.Redis.from_pool(pool)


def connect_listening(url: str) -> redis.Redis:
    """A client that waits for messages in a thread; the caller gives `get_message` its own time limit."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=None,
        health_check_interval=15,
    )


def connect_listening_async(url: str) -> redis.asyncio.Redis:
    """A client that waits for messages in an event loop; it never reconnects behind the caller's back."""
    return redis.asyncio.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=None,
        health_check_interval=15,
    )


def wait_until_ready(url: str, *, timeout_seconds: float, is_alive: Callable[[], bool] = lambda: True) -> None:
    """Wait until Redis answers; raises RedisUnavailable when the time is over, or it is known not to live."""
    begun = time.monotonic()
    deadline = begun + timeout_seconds
    is_said = False
    with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
        while True:
            try:
                client.ping()
            except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
                if time.monotonic() > deadline or not is_alive():
                    raise RedisUnavailable(
                        f"Redis does not answer at {_without_password(url)} ({error}). Check SENDOFF_REDIS_URL and "
                        "that the server runs."
                    ) from error
                if not is_said and time.monotonic() - begun > _SAY_AFTER_SECONDS:
                    is_said = True
                    log.warning("Redis does not answer yet at %s; waiting for up to %g s", _without_password(url),
                                timeout_seconds, extra={"action": "redis.waiting"})  # fmt: skip
                time.sleep(0.05)
            else:
                return


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
