"""How often something may be tried: a count in Redis for each who tries, which begins anew after a while."""

from __future__ import annotations

from dataclasses import dataclass

import redis.asyncio

from .problems import Problem


@dataclass(frozen=True)
class RateLimit:
    """So many times within so many seconds, counted from the first."""

    name: str
    most: int
    seconds: int
    #: For the person who tried too often: what it is, and what to do.
    detail: str

    async def count(self, client: redis.asyncio.Redis, who: str) -> None:
        """One more time; raises Problem 429 where that was too often."""
        key = self._key(who)
        async with client.pipeline(transaction=True) as both:
            both.set(key, 0, ex=self.seconds, nx=True)
            both.incr(key)
            both.ttl(key)
            _, tries, left = await both.execute()
        if tries > self.most:
            raise self._problem(left)

    async def check(self, client: redis.asyncio.Redis, who: str) -> None:
        """Without counting: raises Problem 429 where it was tried too often already."""
        key = self._key(who)
        if int(await client.get(key) or 0) >= self.most:
            raise self._problem(await client.ttl(key))

    async def forget(self, client: redis.asyncio.Redis, who: str) -> None:
        """Begin anew: it went well."""
        await client.delete(self._key(who))

    def _key(self, who: str) -> str:
        return f"limit:{self.name}:{who}"

    def _problem(self, left: int) -> Problem:
        seconds = max(int(left), 1)
        return Problem(429, "too-many", "Too many tries", self.detail, retry_after_seconds=seconds)
