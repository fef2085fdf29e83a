"""Which queue a job goes to: pure decisions over what workers offer.

A file saved by a newer Blender cannot be opened in an older one, so a job goes to the artist's own series, or
to the oldest one that is newer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import NoRuntime
from .offers import TaskInfo, WorkerOffer, offers_of

PLAIN_QUEUE = "cpu"


@dataclass(frozen=True)
class Route:
    """The queue, and the sentence that says what the job waits for."""

    queue: str
    message: str
    #: Whether a live worker serves the queue.
    served: bool


def queue_of_series(series: str) -> str:
    """The queue of the workers that have a Blender series."""
    return f"blender-{series}"


def choose(task: TaskInfo, *, series: str, offers: Iterable[WorkerOffer]) -> Route:
    """Where a job of a task goes; `series` is the least Blender series its file needs ("" for none).

    Raises NoRuntime where workers are there, but every Blender of theirs is too old for the file.
    """
    serving = offers_of(offers, task.name)
    if not task.blender:
        if serving:
            return Route(PLAIN_QUEUE, "Queued", served=True)
        return Route(PLAIN_QUEUE, f"Waiting for a worker that offers {task.name}", served=False)
    offered = sorted({found for offer in serving for found in offer.series}, key=_order)
    if not offered:
        wanted = series or "4.5"
        return Route(
            queue_of_series(wanted),
            f"Waiting for a worker that offers {task.name} with Blender {wanted} or newer",
            served=False,
        )
    fitting = [found for found in offered if not series or _order(found) >= _order(series)]
    if not fitting:
        raise NoRuntime(
            f"The file was saved by Blender {series}, and a Blender cannot open files of a newer one. The workers "
            f"have Blender {_list(offered)}. Ask for a worker with Blender {series}."
        )
    return Route(queue_of_series(fitting[0]), "Queued", served=True)


def _order(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
