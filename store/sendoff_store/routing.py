"""Which queue a job goes to: pure decisions over what workers offer.

A file of a newer Blender cannot be opened in an older one, so a job goes to the artist's own series, or to the oldest
one that is newer. What has no Blender of its own (USD, FBX, a file of an old Blender) goes to a queue that every
worker serves which can read it, so that none is idle while another is busy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import NoRuntime
from .offers import TaskInfo, WorkerOffer, offers_of
from .scene_needs import ANYTHING, SceneNeeds, order

PLAIN_QUEUE = "cpu"
#: Served by each worker with a Blender that reads what the name says.
ANY_BLENDER_QUEUE = "blender"
USD_QUEUE = "blender-usd"
BIG_ENDIAN_QUEUE = "blender-big-endian"


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


def queues_of(runtimes: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """The queues of a worker with these Blenders: each a series, and the families of files that it cannot read."""
    found = list(runtimes)
    general = {
        ANY_BLENDER_QUEUE: SceneNeeds(),
        USD_QUEUE: SceneNeeds(kind="usd"),
        BIG_ENDIAN_QUEUE: SceneNeeds(kind="blend", big_endian=True),
    }
    return [
        PLAIN_QUEUE,
        *(queue_of_series(series) for series, _ in found),
        *(queue for queue, needs in general.items() if any(needs.fit(*runtime) for runtime in found)),
    ]


def choose(task: TaskInfo, *, needs: SceneNeeds = ANYTHING, offers: Iterable[WorkerOffer]) -> Route:
    """Where a job of a task goes, by what its scene needs.

    Raises NoRuntime if workers are there, but no Blender of theirs will do.
    """
    serving = offers_of(offers, task.name)
    if not task.blender:
        if serving:
            return Route(PLAIN_QUEUE, "Queued", served=True)
        return Route(PLAIN_QUEUE, f"Waiting for a worker that offers {task.name}", served=False)
    offered = sorted({found for offer in serving for found in offer.series}, key=order)
    if not offered:
        return _waiting(task, needs)
    fitting = sorted(
        {found for offer in serving for found in offer.series if needs.fit(found, offer.lacks.get(found, ()))},
        key=order,
    )
    if not fitting:
        raise NoRuntime(why_none(needs, offered))
    served = {queue for offer in serving for queue in offer.queues}
    general = _general_queue(needs)
    if general in served and needs.is_of_old_blender and not needs.unable:
        return Route(general, "Queued", served=True)
    # A worker may serve some of its queues only; one of an older version does not say which.
    own = [found for found in fitting if queue_of_series(found) in served] or fitting
    return Route(queue_of_series(own[-1] if needs.family == "usd" else own[0]), "Queued", served=True)


def waiting_for(needs: SceneNeeds) -> Route:
    """Where a job waits if no Blender of the workers that are there will do."""
    return Route(_lonely_queue(needs), f"Waiting for a worker with {_wanted(needs)}", served=False)


def why_none(needs: SceneNeeds, offered: Sequence[str]) -> str:
    """Why none of the Blenders that there are will do, and what to do about it."""
    if not offered:
        return f"There is no Blender here. Ask an administrator for a worker with {_wanted(needs)}."
    there = f"The workers have Blender {_list(offered)}."
    if needs.series and not any(order(found) >= order(needs.series) for found in offered):
        return (
            f"The file was saved by Blender {needs.series}, and a Blender cannot open files of a newer one. {there} "
            f"Ask for a worker with Blender {needs.series}."
        )
    if needs.unable:
        return f"Blender {_list(needs.unable)} cannot open the file, and there is no other. {there}"
    if needs.big_endian:
        return (
            f"The file is in the byte order of old computers (big-endian), which Blender reads up to 4.5. {there} "
            f"Open it in Blender 4.5 or older, save it and send it again."
        )
    if needs.needs_old_head:
        return (
            f"Your Blender {needs.read_by} cannot read the .blend that comes back: Blender 5.0 and newer write files "
            f"that only Blender 4.5 and newer read. {there} Update Blender to 4.5, or ask for a worker with Blender "
            f"{needs.read_by}."
        )
    return (
        f"The workers' Blender {_list(offered)} cannot read .{needs.kind} files. "
        f"Ask for a worker with Blender 4.5 or newer."
    )


def _waiting(task: TaskInfo, needs: SceneNeeds) -> Route:
    message = f"Waiting for a worker that offers {task.name} with {_wanted(needs)}"
    return Route(_lonely_queue(needs), message, served=False)


def _lonely_queue(needs: SceneNeeds) -> str:
    """The queue of a job that nobody can take yet; the route is looked for again when a worker comes."""
    return _general_queue(needs) if needs.is_of_old_blender else queue_of_series(needs.series)


def _general_queue(needs: SceneNeeds) -> str:
    if needs.family == "usd":
        return USD_QUEUE
    return BIG_ENDIAN_QUEUE if needs.big_endian else ANY_BLENDER_QUEUE


def _wanted(needs: SceneNeeds) -> str:
    if needs.unable:
        return f"another Blender than {_list(needs.unable)}"
    least = needs.series if not needs.is_of_old_blender else "4.5" if needs.family == "usd" else "4.2"
    if needs.big_endian or needs.needs_old_head:
        return f"Blender {least} to 4.5" if least != "4.5" else "Blender 4.5"
    return f"Blender {least} or newer"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
