"""The open file as a submission: a copy is saved, the open file stays exactly as it is."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

import bpy

from . import external_files, fingerprints
from .sendoff import HostInfo, SceneFile, Submission
from .sendoff.host import file_patterns
from .sendoff.host.submitting import Export, ExportFailed, Order

_PREFIX = "sendoff-scene-"
#: No upload takes so long; a copy this old was left by a Blender that was killed.
_LEFT_SECONDS = 3 * 24 * 3600.0


def export(order: Order) -> Export:
    """Save a copy of the open file into a temporary folder and list what belongs to it.

    The file is always sent as a whole, so that what an object needs is there and the parts that the server has are
    not sent again; the order's scope goes along and tells the task what to process.

    The copy keeps its paths as they are (`relative_remap=False`): sendoff-paths.json tells the worker where the
    files lie, and a second copy of the same scene has the same bytes. Raises ExportFailed.
    """
    source_path = bpy.data.filepath
    title = Path(source_path).stem if source_path else "untitled"
    name = file_patterns.safe_name(f"{title}.blend")
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    except OSError as error:
        raise ExportFailed(f"No temporary folder can be made to save a copy into: {error.strerror}.") from error
    try:
        scene = _save_copy(folder / name)
        externals = external_files.collect()
        files = [SceneFile(source=scene, path=name, role="scene"), *externals.files]
        if externals.files:
            files.append(externals.write_paths(folder))
        if order.scope is not None:
            files.append(order.scope.write(folder))
        return Export(
            submission=Submission(
                task=order.task,
                params=dict(order.params),
                files=tuple(files),
                title=title,
                host=HostInfo("blender", ".".join(map(str, bpy.app.version))),
                missing_files=externals.missing,
            ),
            folder=folder,
            scene_bytes=sum(file.source.stat().st_size for file in files),
            fingerprints=fingerprints.of_open_file(),
            notes=_notes(externals),
        )
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ExportFailed(f"The copy of the scene cannot be used: {error.strerror or error}.") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def clear_away(*, kept: Collection[Path] = ()) -> None:
    """Remove copies that a Blender left behind when it was killed, but those that are still to be sent."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder not in kept and time.time() - folder.stat().st_mtime > _LEFT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _save_copy(path: Path) -> Path:
    try:
        bpy.ops.wm.save_as_mainfile(
            filepath=str(path), copy=True, compress=False, relative_remap=False, check_existing=False
        )
    except RuntimeError as error:
        reason = str(error).strip().removeprefix("Error: ").splitlines()[0]
        raise ExportFailed(f"No copy of the scene could be saved in {path.parent}: {reason}") from error
    if not path.is_file():
        raise ExportFailed(f"No copy of the scene could be saved in {path.parent}. Is the disk full?")
    return path


def _notes(externals: external_files.ExternalFiles) -> tuple[str, ...]:
    notes = []
    if externals.missing:
        count = len(externals.missing)
        shown = "; ".join(externals.missing[:3]) + ("; ..." if count > 3 else "")
        notes.append(f"{count} external file{'s are' if count > 1 else ' is'} missing and not sent: {shown}")
    if externals.unsaved:
        notes.append(
            f"These images have unsaved changes, which are not sent: {', '.join(externals.unsaved[:5])}. "
            f"Save or pack them to have them processed."
        )
    return tuple(notes)
