"""The open scene as a submission: a copy is written, the open scene stays exactly as it is."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from maya import cmds

from . import answers, external_files, interchange, meshes, preferences, scene_formats
from .main_progress import MainProgress
from .scene_state import select, unchanged
from .sendoff import HostInfo, SceneFile, Submission, names
from .sendoff.host.submitting import Export, ExportFailed, Order

_PREFIX = "sendoff-maya-"
#: No upload takes so long; a copy this old was left by a Maya that was killed.
_LEFT_SECONDS = 3 * 24 * 3600.0
_STEPS = 100


def export(order: Order, accepts: Collection[str]) -> Export:
    """Write the scene, or what the order's scope names, into a temporary folder, and list what belongs to it.

    Args:
        order: What the artist asked for; its scope holds DAG paths.
        accepts: The kinds of files that the task takes; empty where that is not known.

    Raises:
        ExportFailed: It could not be written; ExportStopped where the artist pressed Esc.
    """
    kind = _kind(accepts)
    title = scene_title()
    chosen = [name for name, _ in order.scope.objects] if order.scope is not None else []
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    except OSError as error:
        raise ExportFailed(f"No temporary folder can be made to save a copy into: {error.strerror}.") from error
    path = folder / names.safe_name(f"{title}.{kind}")
    keeps_references = scene_formats.is_own(kind) and preferences.is_on(preferences.KEEP_REFERENCES)
    try:
        with MainProgress(_STEPS, "Sendoff: preparing to send") as progress, unchanged():
            externals = external_files.collect(progress.step, with_references=keeps_references)
            progress.step(f"Saving a copy of {title}")
            _write(path, kind, chosen, keeps_references=keeps_references)
            progress.step("Noting what was sent")
            sent = meshes.under(chosen) if chosen else meshes.transforms()
            shapes = meshes.fingerprints(sent)
        files = [SceneFile(source=path, path=path.name, role="scene"), *externals.files]
        if externals.files:
            files.append(externals.write_paths(folder))
        return Export(
            submission=Submission(
                task=order.task,
                params=dict(order.params),
                files=tuple(files),
                title=title,
                host=HostInfo("maya", answers.text(cmds.about(version=True))),
                missing_files=externals.missing,
            ),
            folder=folder,
            scene_bytes=sum(file.source.stat().st_size for file in files),
            fingerprints=shapes,
            notes=external_files.as_notes(externals),
        )
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ExportFailed(f"The copy of the scene cannot be used: {error.strerror or error}.") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def scene_title() -> str:
    """What the artist calls the open scene: its file's name without the suffix."""
    name = Path(answers.text(cmds.file(query=True, sceneName=True))).stem
    return name or "untitled"


def clear_away(*, kept: Collection[Path] = ()) -> None:
    """Remove copies that a Maya left behind when it was killed, but those that are still to be sent."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder not in kept and time.time() - folder.stat().st_mtime > _LEFT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _kind(accepts: Collection[str]) -> str:
    scene_type = next(iter(answers.names(cmds.file(query=True, type=True))), "")
    needs_plugin = not accepts or not any(scene_formats.is_own(kind) for kind in accepts)
    plugins = interchange.plugins() if needs_plugin else scene_formats.Plugins(usd=False, fbx=False)
    try:
        return scene_formats.choose(accepts, scene_type=scene_type, plugins=plugins)
    except scene_formats.NoFormat as error:
        raise ExportFailed(str(error)) from error


def _write(path: Path, kind: str, chosen: list[str], *, keeps_references: bool) -> None:
    gone = [name for name in chosen if not cmds.objExists(name)]
    if gone:
        raise ExportFailed(
            f"“{gone[0].rpartition('|')[2]}” is not in the scene any more. Choose again what to process."
        )
    if chosen:
        select(chosen)
    try:
        if scene_formats.is_own(kind):
            _write_own(path, kind, selection=bool(chosen), keeps_references=keeps_references)
        elif kind == "fbx":
            interchange.write_fbx(path, selection=bool(chosen))
        else:
            interchange.write_usd(path, selection=bool(chosen))
    except RuntimeError as error:
        reason = str(error).strip().removeprefix("Error: ").splitlines()
        raise ExportFailed(
            f"No copy of the scene could be saved in {path.parent}: {reason[0] if reason else 'Maya does not say why'}"
        ) from error
    if not path.is_file() or not path.stat().st_size:
        raise ExportFailed(f"No copy of the scene could be saved in {path.parent}. Is the disk full?")


def _write_own(path: Path, kind: str, *, selection: bool, keeps_references: bool) -> None:
    maya_type = scene_formats.maya_type(kind)
    name = path.as_posix()
    if selection:
        cmds.file(
            name,
            force=True,
            options="v=0;",
            type=maya_type,
            preserveReferences=keeps_references,
            exportSelected=True,
            constructionHistory=True,
            channels=True,
            constraints=True,
            expressions=True,
            shader=True,
        )
    else:
        cmds.file(name, force=True, options="v=0;", type=maya_type, preserveReferences=keeps_references, exportAll=True)
