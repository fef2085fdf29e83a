"""Chunks: which are missing, and packs of them coming in."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Annotated, Any
from weakref import WeakValueDictionary

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool

from sendoff.packs import PackDecoder
from sendoff.protocol import MISSING_PER_CALL, PACK_BYTES
from sendoff_store.blobs import BlobStore

from .. import own_chunks
from ..auth import Principal, principal
from ..bodies import content_encoding, read_body, read_json
from ..parts import parts_of
from ..problems import invalid

router = APIRouter(prefix="/v1/chunks")
Caller = Annotated[Principal, Depends(principal)]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_QUESTION_BYTES = 2 * 1024 * 1024
#: Packs in memory at the same time, in all of this process.
_packs_at_once = asyncio.Semaphore(16)
#: Of these one person's, who may be slow, by name; as long as somebody waits or sends.
_PACKS_OF_PERSON = 8
_of_persons: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()


@router.post("/missing")
async def missing(request: Request, caller: Caller) -> dict[str, Any]:
    """Those of the named chunks that the caller has to send; the others stay for a while longer."""
    body = await read_json(request, _QUESTION_BYTES, "The question")
    names = body.get("chunks") if isinstance(body, dict) else None
    if not isinstance(names, list) or len(names) > MISSING_PER_CALL:
        raise invalid(f"Send a list of at most {MISSING_PER_CALL} chunks.", field="chunks")
    for name in names:
        if not isinstance(name, str) or not _SHA256.fullmatch(name):
            raise invalid("A chunk's name is 64 lower-case hexadecimal digits: its sha256.", field="chunks")
    return {"missing": await own_chunks.missing(parts_of(request), caller.person, names)}


@router.post("")
async def store(request: Request, caller: Caller) -> dict[str, Any]:
    """Keep the chunks of a pack; answers with their names in order, as this server computed them."""
    of_person = _of_persons.setdefault(caller.person, asyncio.Semaphore(_PACKS_OF_PERSON))
    async with of_person, _packs_at_once:
        body = await read_body(request, PACK_BYTES, "The pack")
        decoder = PackDecoder(content_encoding(request))
        decoder.feed(body)
        parts = parts_of(request)
        kept = await run_in_threadpool(_keep, parts.blobs, decoder)
        await own_chunks.remember(parts, caller.person, kept["chunks"])
        return kept


def _keep(blobs: BlobStore, decoder: PackDecoder) -> dict[str, Any]:
    names: list[str] = []
    stored = 0
    for chunk in decoder.finish():
        name = hashlib.sha256(chunk).hexdigest()
        stored += blobs.put(name, chunk)
        names.append(name)
    return {"chunks": names, "stored": stored}
