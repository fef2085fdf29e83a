"""Opening the artist's scene: no script in it runs, and what cannot be opened is said in one sentence."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import bpy

from . import fbx_scene, usd_scene
from .external_paths import ExternalPaths
from .job import Job, JobFailed

# "BLENDER-v405RENDH" up to 4.x, "BLENDER17-01v0500" from 5.0: the version is the digits after the v.
BLEND_HEADER = re.compile(rb"BLENDER(?:[-_][vV](\d{3})|\d\d[-_]\d\d[vV](\d{4}))")
HEADER_BYTES = 17
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
GZIP_MAGIC = b"\x1f\x8b"
#: Enough of a compressed file to read its header.
_PACKED_BYTES = 160 * 1024


def open_scene(job: Job, scene: Path, paths: Path | None) -> None:
    """Open the scene; a .blend is pointed to the files that came along.

    Args:
        job: Gets the warnings and, as ``external_paths``, the way back to the artist's own paths.
        scene: The .blend, USD or FBX file in the job's workspace.
        paths: sendoff-paths.json, or None where no external files came along.

    USD and FBX are imported into an empty scene; job.origin then tells where they came from.

    Raises:
        JobFailed: The file is missing, not what its name says, damaged, or from a newer Blender.
    """
    _refuse_empty(scene)
    kind = scene.suffix.lower()
    root = (paths or scene).parent
    if kind == fbx_scene.SUFFIX:
        fbx_scene.open_fbx(job, scene)
        return
    if kind in usd_scene.SUFFIXES:
        usd_scene.open_usd(job, scene, root)
        return
    _refuse_newer(scene)
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    try:
        bpy.ops.wm.open_mainfile(filepath=str(scene), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        print(error)
        raise JobFailed(
            f"{scene.name} cannot be opened: the file is damaged or incomplete. "
            "Open it in Blender, save it again and send it again."
        ) from error
    job.external_paths = ExternalPaths.apply(job, paths, root=root)


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
        raise JobFailed(
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
