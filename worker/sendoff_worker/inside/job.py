"""The job as a script inside Blender sees it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from .channel import Channel

PROGRESS_INTERVAL_SECONDS = 0.1


class JobFailed(Exception):
    """The job cannot be done. The message is one sentence for the artist: what happened and what to do."""


class CannotOpen(JobFailed):
    """This Blender cannot open the scene; another one may."""


class Job:
    """What a script's ``run(job)`` gets: its parameters, its folder, and the way to say how far it is."""

    def __init__(self, channel: Channel, *, params: Mapping[str, Any], folder: Path, scene: Path | None) -> None:
        self.params = dict(params)
        """The task's parameters, checked by the server."""
        self.folder = folder
        """The folder for the job's output files."""
        self.scene = scene
        """The file that is open, a .blend or one that was imported, or None."""
        self.origin: Any = None
        """Set where the open file was imported (see origin.py): its units, its axes, and where its objects stood."""
        self.external_paths: Any = None
        """Set by scene.py once the scene is open: the way back to the artist's own paths."""
        self.screen: Any = None
        """Set by scene.py: the scene and view layer on the artist's screen (see screen.py)."""
        self.scope: Any = None
        """The objects that the artist chose (see scope.py); None if the job is about the whole scene."""
        self.missing_files: list[str] = []
        """The files that the scene names and that did not come along, each with what names it."""
        self.untold_files: list[str] = []
        """Those of them of which the artist does not know yet."""
        self._channel = channel
        self._waiting: dict[str, Any] | None = None
        self._stage: str | None = None
        self._next_send = 0.0

    def progress(
        self,
        fraction: float | None,
        message: str,
        *,
        done: int | None = None,
        total: int | None = None,
        stage: str | None = None,
    ) -> None:
        """Say how far the job is; cheap enough for inner loops, as at most ten messages a second are sent.

        Args:
            fraction: 0 to 1, or None where it is not known.
            message: One line for the artist's status bar.
            done: Finished parts, with ``total``.
            total: All parts.
            stage: Name of the part of the job, as the artist reads it; None goes on with the one before. A new one
                is sent at once. The fraction is of the whole job all the same.
        """
        stage = self._stage if stage is None else str(stage)
        self._waiting = {
            "kind": "progress",
            "fraction": _unit(fraction),
            "message": str(message),
            "stage": stage,
            "done": done,
            "total": total,
        }
        at_once = stage != self._stage or (fraction is not None and fraction >= 1)
        if at_once or time.monotonic() >= self._next_send:
            self._stage = stage
            self.flush()

    def in_scope(self, one: Any) -> bool:
        """Whether the job is about this object: chosen, or shown by a chosen collection instance; else all are."""
        return self.scope is None or one in self.scope

    def library_path(self, block: Any) -> str | None:
        """The path of a datablock's library as the artist's scene has it; None for the scene's own."""
        if block.library is None:
            return None
        path = self.original_path(block.library)
        return str(block.library.filepath) if path is None else path

    def original_path(self, block: Any) -> str | None:
        """The path of a datablock's file as the artist's scene has it; None if the scene was not pointed elsewhere."""
        return None if self.external_paths is None else self.external_paths.original(block)

    def missing(self, path: str, what: str, *, is_told: bool = False) -> None:
        """Note a file that the scene names and that did not come along.

        Args:
            path: The file, as the scene names it.
            what: What names it, for example ``library “props.blend”``.
            is_told: The artist was told of it when the scene was sent.
        """
        entry = f"{path} ({what})"
        if entry not in self.missing_files:
            self.missing_files.append(entry)
            if not is_told:
                self.untold_files.append(entry)

    def warn(self, text: str) -> None:
        """Tell the artist of something the result lacks; the job goes on."""
        self.flush()
        print(f"warning: {text}", flush=True)
        self._channel.send({"kind": "warning", "text": str(text)})

    def add_file(self, path: str | Path, role: str = "result", media_type: str = "application/octet-stream") -> None:
        """Hand in a finished output file, which lies in the job's folder."""
        file = Path(path)
        file = (file if file.is_absolute() else self.folder / file).resolve()
        if not file.is_file():
            raise FileNotFoundError(f"the output file {file} does not exist")
        if not file.is_relative_to(self.folder.resolve()):
            raise ValueError(f"the output file {file} does not lie in the job's folder")
        self.flush()
        self._channel.send({"kind": "file", "path": str(file), "role": role, "media_type": media_type})

    def fail(self, sentence: str) -> NoReturn:
        """End the job as failed, with one sentence that an artist can act on."""
        raise JobFailed(sentence)

    def flush(self) -> None:
        """Send the progress that is waiting for its turn, so that later messages stand after it."""
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._channel.send(waiting)
            self._next_send = time.monotonic() + PROGRESS_INTERVAL_SECONDS


def _unit(fraction: float | None) -> float | None:
    if fraction is None or not math.isfinite(fraction):
        return None
    return min(1.0, max(0.0, float(fraction)))
