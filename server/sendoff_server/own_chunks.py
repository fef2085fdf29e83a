"""Which chunks a person has sent: nobody gets at what others have sent by naming it.

A chunk is named by its sha256, and a job that names it is given its bytes. Whoever knows only the name must not get
them, so a chunk counts as missing for a person who has not sent it, or not for a while. Sent again, it is kept once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from .parts import Parts

#: What was neither sent nor asked for in one to two generations is forgotten.
_GENERATION_SECONDS = 7 * 86400
#: Of a sha256, so many bytes are kept: 2**80 tries would be needed to meet somebody else's.
_NAME_BYTES = 10


async def missing(parts: Parts, person: str, names: Sequence[str]) -> list[str]:
    """Those of the named chunks (sha256 in hex) that a person has to send, in order; the others stay for longer."""
    gone = set(await run_in_threadpool(parts.blobs.missing, list(names)))
    if parts.settings.shared_chunks or not names:
        return [name for name in names if name in gone]
    now, before = _keys(person)
    members = [_member(name) for name in names]
    async with parts.redis.pipeline(transaction=False) as both:
        both.smismember(now, members)
        both.smismember(before, members)
        newly, formerly = await both.execute()
    owned = [bool(one or other) for one, other in zip(newly, formerly, strict=True)]
    renewed = [member for member, was, is_now in zip(members, formerly, newly, strict=True) if was and not is_now]
    if renewed:
        await _remember(parts, now, renewed)
    return [name for name, own in zip(names, owned, strict=True) if name in gone or not own]


async def remember(parts: Parts, person: str, names: Sequence[str]) -> None:
    """Note that a person has sent these chunks."""
    if names and not parts.settings.shared_chunks:
        await _remember(parts, _keys(person)[0], [_member(name) for name in names])


async def _remember(parts: Parts, key: str, members: list[bytes]) -> None:
    async with parts.redis.pipeline(transaction=True) as both:
        both.sadd(key, *members)
        both.expire(key, 2 * _GENERATION_SECONDS)
        await both.execute()


def _keys(person: str) -> tuple[str, str]:
    """This generation's and the one before."""
    generation = int(time.time() // _GENERATION_SECONDS)
    return f"sent:{generation}:{person}", f"sent:{generation - 1}:{person}"


def _member(name: str) -> bytes:
    return bytes.fromhex(name)[:_NAME_BYTES]
