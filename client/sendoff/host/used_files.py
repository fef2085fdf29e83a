"""The files that a saved scene uses are looked for in a thread of their own.

A share that answers slowly takes that thread's time alone. One that never answers keeps it for ever: whoever waits
for it stops waiting on a stop, and the thread, a daemon, holds nobody.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable

from .. import Submission, scene_files
from ..blend_caches import keep_simulations
from ..errors import InputError, Stopped
from ..names import readable
from .outbox import Parcel

_LOOK_SECONDS = 0.05
#: After a stop the thread is given so long to end by itself.
_STOP_SECONDS = 0.3

#: A submission, and sentences on what could not be looked up.
Complete = tuple[Submission, tuple[str, ...]]


def complete(parcel: Parcel, stop: threading.Event) -> Complete:
    """The submission with all files that its scene uses, and with the names of those that are not there.

    May wait for a share for as long as `stop` is not set. Raises Stopped, InputError, OSError.
    """
    if not parcel.needs_files:
        return parcel.submission, ()
    outcomes: list[Complete | BaseException] = []
    ended = threading.Event()

    def look() -> None:
        try:
            outcomes.append(_look(parcel, stop))
        except BaseException as error:
            outcomes.append(error)
        finally:
            ended.set()

    threading.Thread(target=look, name="sendoff-files", daemon=True).start()
    _wait(ended.wait, stop)
    if not outcomes:
        raise Stopped("The search for the scene's files was stopped. Nothing was sent.")
    found = outcomes[0]
    if isinstance(found, BaseException):
        raise found
    return found


def _wait(wait: Callable[[float], bool], stop: threading.Event) -> None:
    until = None
    while not wait(_LOOK_SECONDS):
        now = time.monotonic()
        if stop.is_set():
            until = now + _STOP_SECONDS if until is None else until
            if now >= until:
                return


def _look(parcel: Parcel, stop: threading.Event) -> Complete:
    submission = parcel.submission
    scene = next((file for file in submission.files if file.role == "scene"), None)
    if scene is None:
        raise InputError("The submission has no scene whose files could be looked for.")
    own = parcel.artist_file
    if scene.source.suffix.lower() == ".blend":
        keep_simulations(scene.source)
    found = scene_files.collect(
        scene.source,
        base=own.parent if own is not None else None,
        folder=parcel.folder,
        place=scene.path,
        stem=own.stem if own is not None else "",
        stop=stop.is_set,
    )
    missing = tuple(dict.fromkeys(readable(text) for text in (*submission.missing_files, *found.missing)))
    files = (*submission.files, *found.files)
    return dataclasses.replace(submission, files=files, missing_files=missing), found.notes
