"""Calls to Redis as values: built without I/O, run by a thin adapter for threads or for an event loop.

Everything is a Lua script, so that each call is one round trip and sees or changes one moment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Generic, TypeVar

import redis
import redis.asyncio
from redis.commands.core import AsyncScript, Script

T = TypeVar("T")

_SOURCES = {
    name: files("sendoff_store").joinpath(f"lua/{name}.lua").read_text("utf-8") for name in ("change", "read", "people")
}


@dataclass(frozen=True)
class Call(Generic[T]):
    """One script to run: which, its arguments, and how its answer is read."""

    script: str
    arguments: tuple[str, ...]
    parse: Callable[[Any], T]


def script_call(script: str, what: str, job: str, parse: Callable[[Any], T], **arguments: Any) -> Call[T]:
    """Build a call of one of the Lua scripts."""
    return Call(script, (what, job, json.dumps(arguments)), parse)


class SyncStore:
    """Runs calls from threads."""

    def __init__(self, client: redis.Redis) -> None:
        self.redis = client
        self._scripts: dict[str, Script] = {name: client.register_script(text) for name, text in _SOURCES.items()}

    def run(self, call: Call[T]) -> T:
        """Run one call; raises redis.RedisError where Redis does not answer."""
        return call.parse(self._scripts[call.script](args=_arguments(call.arguments)))


class AsyncStore:
    """Runs calls from an event loop."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self.redis = client
        self._scripts: dict[str, AsyncScript] = {name: client.register_script(text) for name, text in _SOURCES.items()}

    async def run(self, call: Call[T]) -> T:
        """Run one call; raises redis.RedisError where Redis does not answer."""
        return call.parse(await self._scripts[call.script](args=_arguments(call.arguments)))


def _arguments(arguments: Sequence[str]) -> list[str]:
    return list(arguments)
