"""Who works, and what waits."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from sendoff.states import JobState
from sendoff_store import jobs

from ..auth import Principal, principal
from ..parts import parts_of

router = APIRouter(prefix="/v1")


@router.get("/workers")
async def workers(request: Request, caller: Annotated[Principal, Depends(principal)]) -> dict[str, Any]:
    """Live workers by name, with those of their jobs that the caller may see, and queues with how many jobs wait.

    A queue that has jobs and no worker is listed as well.
    """
    parts = parts_of(request)
    offers = await parts.offers()
    active = await parts.store.run(jobs.load())
    waiting = Counter(record.queue for record in active if record.state is JobState.QUEUED)
    serving = Counter(queue for offer in offers for queue in offer.queues)
    running: defaultdict[str, list[str]] = defaultdict(list)
    for record in active:
        if record.state is not JobState.QUEUED and caller.may_see(record.owner):
            running[record.worker].append(record.id)
    return {
        "workers": [
            {
                "name": offer.worker,
                "version": offer.version,
                "slots": offer.slots,
                "busy": offer.busy,
                "sandbox": offer.sandbox,
                "queues": list(offer.queues),
                "series": list(offer.series),
                "tasks": [{"name": task.name, "title": task.title} for task in offer.tasks],
                "jobs": running[offer.worker],
            }
            for offer in offers
        ],
        "queues": [
            {"name": name, "waiting": waiting[name], "workers": serving[name]} for name in sorted({*waiting, *serving})
        ],
    }
