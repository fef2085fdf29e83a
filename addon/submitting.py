"""From the click to the thread that sends: at once a job that the artist sees, then the copy, then the way out.

Saving a copy of a large scene takes the main thread a moment. A click therefore only makes the job; the copy is
saved after the status bar was drawn with it.
"""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from . import current, scene_export
from .jobs import Job
from .outbox import Parcel
from .problems import Problem
from .sendoff.scope import Scope


@dataclass(frozen=True)
class Order:
    """What the artist asked for."""

    task: str
    params: Mapping[str, Any]
    #: None for the whole scene.
    scope: Scope | None = None
    lod_placement: str = "BESIDE"


_orders: dict[str, Order] = {}


def begin(order: Order, scene_name: str) -> Job:
    """Make the job that an order becomes; the first sign of life, before anything takes time."""
    known = current.find_task(order.task)
    path = bpy.data.filepath
    job = Job(
        key=uuid.uuid4().hex,
        task=order.task,
        task_title=known.title if known is not None else order.task,
        title=Path(path).stem if path else "untitled",
        server_url=current.server_url(),
        source_path=path,
        source_token=current.open_file(),
        scene_name=scene_name,
        scope_title=order.scope.title if order.scope is not None else "",
        lod_placement=order.lod_placement,
        is_saving=True,
    )
    _orders[job.key] = order
    current.jobs.add(job)
    return job


def due() -> Job | None:
    """The job whose copy is to be saved next."""
    return next((job for job in current.jobs.jobs if job.is_saving), None)


def save_and_send(job: Job) -> None:
    """Save the copy of a job's scene and hand it to the thread that sends; a failure is the job's problem."""
    order = _orders.pop(job.key, None)
    job.is_saving = False
    if job.cancelling or order is None:
        job.problem = Problem("It was stopped before anything was sent.", is_stop=True)
        return
    if not current.came_from_open_file(job):
        job.problem = Problem("Another file was opened before a copy could be saved. Process the scene again.")
        return
    current.remember_begun(job)
    try:
        export = scene_export.export(task=order.task, params=order.params, scope=order.scope)
    except scene_export.ExportFailed as error:
        job.problem = Problem(str(error))
        current.remember(job)
        return
    except Exception as error:
        traceback.print_exc()
        mistake = f"{type(error).__name__}: {error}"
        job.problem = Problem(f"Sendoff made a mistake while saving a copy ({mistake}). Please tell your TD.")
        current.remember(job)
        return
    job.fingerprints = export.fingerprints
    job.scene_bytes = export.scene_bytes
    job.missing_files = export.submission.missing_files
    job.notes = export.notes
    current.post(job, Parcel(export.submission, export.folder))


def forget() -> None:
    """Forget the orders whose copy was not saved yet."""
    _orders.clear()
