"""The open file as a submission: a copy is saved, the open file stays exactly as it is."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable
from pathlib import Path

import bpy

from . import fingerprints, not_taken, quiet_save, shown_scene
from .name_of import shown_name
from .operator_errors import reason
from .sendoff import BlendFileError, HostInfo, SceneFile, Submission
from .sendoff.host.submitting import Export, ExportFailed, Order
from .sendoff.names import readable, safe_name

_PREFIX = "sendoff-scene-"
#: No upload takes so long; a copy this old was left by a Blender that was killed.
_LEFT_SECONDS = 3 * 24 * 3600.0
_SHOWN = 5
_WHAT_TO_DO = "Make room there, or set another folder in Preferences > File Paths > Temporary Files."


def export(order: Order) -> Export:
    """Save a copy of the open file into a temporary folder; the files that it uses are found later, in a thread.

    The file is always sent as a whole, so that what an object needs is there and the parts that the server has are
    not sent again; the order's scope goes along and tells the task what to process.

    The copy keeps its paths as they are: sendoff-paths.json tells the worker where the files lie, and a second copy
    of the same scene has the same bytes. Raises ExportFailed.
    """
    source_path = bpy.data.filepath
    title = scene_title()
    name = safe_name(f"{title}.blend")
    folder = _new_folder()
    try:
        scene = _save_copy(folder / name)
        shown_scene.put_in_front(scene, order.scene_name, order.view_layer_name)
        files = [SceneFile(source=scene, path=name, role="scene")]
        if order.scope is not None:
            files.append(order.scope.write(folder))
        return Export(
            submission=Submission(
                task=order.task,
                params=dict(order.params),
                files=tuple(files),
                title=title,
                host=HostInfo("blender", ".".join(map(str, bpy.app.version))),
            ),
            folder=folder,
            scene_bytes=sum(file.source.stat().st_size for file in files),
            fingerprints=fingerprints.of_open_file(),
            notes=(*_unsaved_images(), *not_taken.notes(order)),
            needs_files=True,
            artist_file=Path(source_path) if source_path else None,
        )
    except (OSError, BlendFileError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise ExportFailed(f"The copy of the scene cannot be used: {reason}.") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def scene_title() -> str:
    """What the artist reads: the file's name without its suffix."""
    return readable(Path(bpy.data.filepath).stem) if bpy.data.filepath else "untitled"


def temporary_folders() -> list[Path]:
    """Where copies are saved, the best first: Blender's own preference, what it uses without one, Python's.

    The folder of this session inside of them goes when Blender ends, and a copy has to outlive it.
    """
    chosen = bpy.context.preferences.filepaths.temporary_directory
    folders = [Path(bpy.path.abspath(chosen))] if chosen else []
    folders += [Path(bpy.app.tempdir).parent] if bpy.app.tempdir else []
    folders.append(Path(tempfile.gettempdir()))
    return list(dict.fromkeys(folders))


def clear_away(folders: Iterable[Path], *, kept: Collection[Path] = ()) -> None:
    """Remove copies that a Blender left behind when it was killed, but those that are still to be sent.

    Needs nothing of Blender: a thread may do it.
    """
    for place in folders:
        for folder in place.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                if folder not in kept and time.time() - folder.stat().st_mtime > _LEFT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)


def _new_folder() -> Path:
    reason = ""
    for place in temporary_folders():
        try:
            return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        except OSError as error:
            reason = reason or f"{place}: {error.strerror or error}"
    raise ExportFailed(f"No temporary folder can be made to save a copy into ({reason}). {_WHAT_TO_DO}")


def _save_copy(path: Path) -> Path:
    try:
        with quiet_save.settings():
            bpy.ops.wm.save_as_mainfile(
                filepath=os.fspath(path), copy=True, compress=False, relative_remap=False, check_existing=False
            )
    except RuntimeError as error:
        why = reason(error).rstrip(".")
        raise ExportFailed(f"No copy of the scene could be saved in {_place(path)}: {why}. {_WHAT_TO_DO}") from error
    if not path.is_file():
        raise ExportFailed(f"No copy of the scene could be saved in {_place(path)}. {_WHAT_TO_DO}")
    return path


def _place(path: Path) -> str:
    """The folder of a copy, with the space that is free there: Blender's own reason may be a wrong one."""
    try:
        return f"{path.parent}, where {shutil.disk_usage(path.parent).free / 1e6:,.1f} MB are free"
    except OSError:
        return str(path.parent)


def _unsaved_images() -> tuple[str, ...]:
    names = [shown_name(image) for image in bpy.data.images if image.is_dirty and image.users and not _is_packed(image)]
    if not names:
        return ()
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return (
        f"These images have unsaved changes, which are not sent: {', '.join(names[:_SHOWN])}{more}. "
        f"Save or pack them to have them processed.",
    )


def _is_packed(image: bpy.types.Image) -> bool:
    return bool(image.packed_file or len(image.packed_files))
