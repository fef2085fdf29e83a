"""The end of what runs beside the requests."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

log = logging.getLogger("sendoff.server")

_AGAIN_SECONDS = 0.5
_TIMES = 10


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they have ended: a library below one may take a cancellation for an error of its own."""
    waiting = set(tasks)
    for _ in range(_TIMES):
        for task in waiting:
            task.cancel()
        if waiting:
            _, waiting = await asyncio.wait(waiting, timeout=_AGAIN_SECONDS)
    for task in waiting:
        log.warning("%s does not end", task, extra={"action": "server.task_left"})
