"""From the click to the thread that sends: at once a job that the artist sees, then the copy, then the way out.

Saving a copy of a large scene takes the main thread a moment. A click therefore only makes the job; the copy is
saved after the status bar was drawn with it.
"""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import Submission
from ..names import readable
from ..scope import Scope
from .desk import Desk
from .jobs import Job
from .outbox import Parcel
from .problems import Problem


class ExportFailed(Exception):
    """The scene could not be saved; the text is a sentence for the artist."""


class ExportStopped(ExportFailed):
    """The artist stopped it."""


@dataclass(frozen=True)
class Export:
    """What is handed to the thread that sends, and what the host application remembers of the scene."""

    submission: Submission
    #: The temporary folder; it may go once the submission is sent.
    folder: Path
    scene_bytes: int
    #: Each mesh object as it was sent.
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    #: What the artist should know before the job runs.
    notes: tuple[str, ...] = ()
    #: Whether the thread that sends looks for the files that the scene uses.
    needs_files: bool = False
    #: The artist's own file, of which a copy is sent; None if it was never saved.
    artist_file: Path | None = None


@dataclass(frozen=True)
class Order:
    """What the artist asked for."""

    task: str
    params: Mapping[str, Any]
    #: None for the whole scene.
    scope: Scope | None = None
    lod_placement: str = "BESIDE"
    #: What was on screen at the click; "" for the host's own choice.
    scene_name: str = ""
    view_layer_name: str = ""


class Submitting:
    """The orders whose copy is not saved yet.

    Args:
        desk: Whose jobs they become.
        export: Saves a copy of the open scene for an order; raises ExportFailed.
    """

    def __init__(self, desk: Desk, export: Callable[[Order], Export]) -> None:
        self._desk = desk
        self.export = export
        self._orders: dict[str, Order] = {}

    def begin(self, order: Order, *, title: str, scene_name: str = "") -> Job:
        """Make the job that an order becomes; the first sign of life, before anything takes time."""
        known = self._desk.find_task(order.task)
        job = Job(
            key=uuid.uuid4().hex,
            task=order.task,
            task_title=known.title if known is not None else order.task,
            title=title,
            server_url=self._desk.server_url(),
            source_path=self._desk.host.open_path(),
            source_token=self._desk.open_file,
            scene_name=scene_name,
            scope_title=order.scope.title if order.scope is not None else "",
            lod_placement=order.lod_placement,
            is_saving=True,
        )
        self._orders[job.key] = order
        self._desk.jobs.add(job)
        return job

    def due(self) -> Job | None:
        """The job whose copy is to be saved next."""
        return next((job for job in self._desk.jobs.jobs if job.is_saving), None)

    def save_and_send(self, job: Job) -> None:
        """Save the copy of a job's scene and hand it to the thread that sends; a failure is the job's problem."""
        order = self._orders.pop(job.key, None)
        job.is_saving = False
        if job.cancelling or order is None:
            job.problem = Problem("It was stopped before anything was sent.", is_stop=True)
            return
        if not self._desk.came_from_open_file(job):
            job.problem = Problem("Another file was opened before a copy could be saved. Process the scene again.")
            return
        self._desk.remember_begun(job)
        try:
            export = self.export(order)
        except ExportFailed as error:
            job.problem = Problem(readable(str(error)), is_stop=isinstance(error, ExportStopped))
            self._desk.remember(job)
            return
        except Exception as error:
            traceback.print_exc()
            mistake = f"{type(error).__name__}: {error}"
            job.problem = Problem(f"Sendoff made a mistake while saving a copy ({mistake}). Please tell your TD.")
            self._desk.remember(job)
            return
        job.fingerprints = export.fingerprints
        job.scene_bytes = export.scene_bytes
        job.missing_files = export.submission.missing_files
        job.notes = tuple(readable(note) for note in export.notes)
        parcel = Parcel(
            export.submission, export.folder, needs_files=export.needs_files, artist_file=export.artist_file
        )
        self._desk.post(job, parcel)

    def forget(self) -> None:
        """Forget the orders whose copy was not saved yet."""
        self._orders.clear()
