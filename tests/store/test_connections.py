"""Connections to Redis: few, shared, and honest about a Redis that is not there."""

from __future__ import annotations

import asyncio

import pytest

from sendoff_store.connections import connect, connect_async, wait_until_ready
from sendoff_store.errors import RedisUnavailable


def test_a_thousand_calls_at_once_share_few_connections(valkey_url: str) -> None:
    async def call_at_once() -> int:
        client = connect_async(valkey_url)
        try:
            await asyncio.gather(*(client.ping() for _ in range(1000)))
            return len(await client.client_list())
        finally:
            await client.aclose()

    with connect(valkey_url) as client:
        before = len(client.client_list())
    assert asyncio.run(call_at_once()) - before <= 6


def test_a_redis_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(RedisUnavailable, match=r"127\.0\.0\.1:1/0") as error:
        wait_until_ready("redis://:hunter2@127.0.0.1:1/0", timeout_seconds=0.2)
    assert "hunter2" not in str(error.value)


def test_a_process_that_has_ended_is_not_waited_for() -> None:
    with pytest.raises(RedisUnavailable):
        wait_until_ready("redis://127.0.0.1:1/0", timeout_seconds=60, is_alive=lambda: False)
