"""Opening the artist's scene: no script in it runs, and what cannot be opened is said in one sentence."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any

import bpy
from sendoff_sdk import blend_screen
from sendoff_sdk.errors import BlendFileError

from . import fbx_scene, usd_scene
from .external_paths import ExternalPaths
from .job import CannotOpen, Job, JobFailed
from .screen import Screen

# "BLENDER-v405RENDH" up to 4.x, "BLENDER17-01v0500" from 5.0: the version is the digits after the v.
BLEND_HEADER = re.compile(rb"BLENDER(?:[-_][vV](\d{3})|\d\d[-_]\d\d[vV](\d{4}))")
HEADER_BYTES = 17
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
GZIP_MAGIC = b"\x1f\x8b"
SHOWN_NAMES = 3
#: Enough of a compressed file to read its header.
_PACKED_BYTES = 160 * 1024


def open_scene(job: Job, scene: Path, paths: Path | None, *, root: Path | None = None) -> None:
    """Open the scene as the artist's screen showed it; a .blend is pointed to the files that came along.

    Args:
        job: Gets the warnings and, as ``external_paths``, the way back to the artist's own paths.
        scene: The .blend, USD or FBX file in the job's workspace.
        paths: sendoff-paths.json, or None if no external files came along.
        root: The workspace's folder; by default the one of `paths`, or of the scene.

    USD and FBX are imported into an empty scene; job.origin then tells where they came from.

    Raises:
        JobFailed: The file is missing, not what its name says, damaged, or from a newer Blender; CannotOpen if
            another Blender may open it.
    """
    _refuse_empty(scene)
    kind = scene.suffix.lower()
    root = root or (paths or scene).parent
    if kind == fbx_scene.SUFFIX:
        fbx_scene.open_fbx(job, scene)
    elif kind in usd_scene.SUFFIXES:
        usd_scene.open_usd(job, scene, root)
    else:
        _open_blend(job, scene, paths, root)
    _tell_missing(job)


def _open_blend(job: Job, scene: Path, paths: Path | None, root: Path) -> None:
    _refuse_newer(scene)
    job.external_paths = ExternalPaths.prepare(job, scene, paths, root=root)
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    layer = _view_layer(scene)
    try:
        bpy.ops.wm.open_mainfile(filepath=str(scene), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        print(error)
        raise CannotOpen(f"{scene.name} cannot be opened: {_cause(str(error))}") from error
    job.external_paths.confine(job)
    job.screen = Screen(layer)
    _leave_modes()
    job.screen.show(job.screen.scene)


def _view_layer(scene: Path) -> str:
    try:
        return blend_screen.shown_view_layer(scene)
    except (BlendFileError, OSError) as error:  # Blender says what is wrong with the file
        print(f"The view layer on screen cannot be told: {error}")
        return ""


def _cause(error: str) -> str:
    """Why Blender did not open a file, and what to do, out of its own words."""
    own = ".".join(map(str, bpy.app.version[:2]))
    if "Big Endian" in error:
        return (
            f"it was saved on a big-endian machine, which Blender {own} does not read. Open it in Blender 4.5 or "
            "older, save it again and send it again."
        )
    return "the file is damaged or incomplete. Open it in Blender, save it again and send it again."


def _leave_modes() -> None:
    """Go to Object Mode: in any other, Blender holds back what is being edited."""
    window = bpy.context.window
    edited = {one.data for one in bpy.data.objects if one.type == "ARMATURE" and one.mode == "EDIT"}
    for scene in [one for one in bpy.data.scenes if one.library is None]:
        if any(one.mode != "OBJECT" for one in scene.objects):
            window.scene = scene
            for one in [one for one in window.view_layer.objects if one.mode != "OBJECT"]:
                window.view_layer.objects.active = one
                if bpy.ops.object.mode_set.poll():
                    bpy.ops.object.mode_set(mode="OBJECT")

    for one in bpy.data.objects if edited else ():
        _keep_undeformed(one, edited)


def _keep_undeformed(one: Any, edited: set[Any]) -> None:
    """Armatures that are edited deform nothing on screen; what is parented to their bones stays posed."""
    for modifier in one.modifiers:
        if modifier.type == "ARMATURE" and modifier.object is not None and modifier.object.data in edited:
            modifier.show_viewport = modifier.show_render = False
    if one.parent_type == "ARMATURE" and one.parent is not None and one.parent.data in edited:
        one.parent_type = "OBJECT"
        one.update_tag(refresh={"DATA"})


def _tell_missing(job: Job) -> None:
    """Name the files that did not come along: a few in a warning, all of them in the task's summary."""
    missing = sorted(job.untold_files, key=lambda entry: "(library" not in entry)  # a library may hold the most
    if missing:
        more = f" and {len(missing) - SHOWN_NAMES:,} more" if len(missing) > SHOWN_NAMES else ""
        files = "file that the scene names" if len(missing) == 1 else "files that the scene names"
        holder = "it holds" if len(missing) == 1 else "they hold"
        listed = ", ".join(missing[:SHOWN_NAMES]) + more
        job.warn(f"{len(missing):,} {files} did not come along: {listed}. What {holder} is missing.")


def file_version(path: Path) -> tuple[int, int] | None:
    """The (major, minor) version of the Blender that saved the file; None where it cannot be told."""
    match = BLEND_HEADER.match(_header(path))
    if match is None:
        return None
    version = int(match[1] or match[2])
    return version // 100, version % 100


def _refuse_empty(scene: Path) -> None:
    if not scene.is_file():
        raise JobFailed("The scene's file did not reach the worker; send it again.")
    if scene.stat().st_size == 0:
        raise JobFailed(f"{scene.name} is empty: save the scene and send it again.")


def _refuse_newer(scene: Path) -> None:
    version = file_version(scene)
    if version is None and not _is_packed(scene):
        raise JobFailed(f"{scene.name} is not a .blend file; send a scene saved by Blender.")
    if version is not None and version > bpy.app.version[:2]:
        saved, own = ".".join(map(str, version)), ".".join(map(str, bpy.app.version[:2]))
        raise CannotOpen(
            f"{scene.name} was saved by Blender {saved}, which this worker's Blender {own} cannot open; "
            f"ask for a worker with Blender {saved} or newer."
        )


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4).startswith((ZSTD_MAGIC, GZIP_MAGIC))


def _header(path: Path) -> bytes:
    """The first bytes of the file, unpacked where it was saved compressed; empty where that cannot be done."""
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
        file.seek(0)
        try:
            packed = file.read(_PACKED_BYTES)  # the rest may be as long and as empty as its sender liked
            if start.startswith(GZIP_MAGIC):  # up to Blender 2.93
                return zlib.decompressobj(wbits=31).decompress(packed, HEADER_BYTES)
            if start.startswith(ZSTD_MAGIC):
                import zstandard  # bundled with Blender from 4.2 on

                with zstandard.ZstdDecompressor().stream_reader(packed) as unpacked:
                    return unpacked.read(HEADER_BYTES)
        except Exception as error:  # each format has errors of its own; Blender itself will say that it is damaged
            print(f"The compressed header of {path.name} cannot be read: {error!r}")
            return b""
    return start
