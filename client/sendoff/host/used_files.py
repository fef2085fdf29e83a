"""The files that a saved scene uses, found in the thread that sends: they may lie on a slow share."""

from __future__ import annotations

import dataclasses
import threading

from .. import Submission, scene_files
from ..blend_caches import keep_simulations
from ..errors import InputError
from ..names import readable
from .outbox import Parcel


def complete(parcel: Parcel, stop: threading.Event) -> tuple[Submission, tuple[str, ...]]:
    """The submission with all files that its scene uses and the names of missing ones; and sentences on the search.

    Takes as long as the shares take that the files lie on. Raises Stopped, InputError, BlendFileError.
    """
    submission = parcel.submission
    if not parcel.needs_files:
        return submission, ()
    scene = next((file for file in submission.files if file.role == "scene"), None)
    if scene is None:
        raise InputError("The submission has no scene whose files could be looked for.")
    own = parcel.artist_file
    try:
        keep_simulations(scene.source)
        found = scene_files.collect(
            scene.source,
            base=own.parent if own is not None else None,
            folder=parcel.folder,
            place=scene.path,
            stem=own.stem if own is not None else "",
            is_saved=own is not None,
            stop=stop.is_set,
        )
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"The files that the scene uses cannot be listed in {parcel.folder}: {reason}. Is the disk full?"
        ) from error
    missing = tuple(dict.fromkeys(readable(text) for text in (*submission.missing_files, *found.missing)))
    files = (*submission.files, *found.files)
    return dataclasses.replace(submission, files=files, missing_files=missing), found.notes
