"""Opening the artist's scene: no script in it runs, and what cannot be opened is said in one sentence."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

import bpy

from .external_paths import ExternalPaths
from .job import Job, JobFailed

# "BLENDER-v405RENDH" up to 4.x, "BLENDER17-01v0500" from 5.0: the version is the digits after the v.
BLEND_HEADER = re.compile(rb"BLENDER(?:[-_][vV](\d{3})|\d\d[-_]\d\d[vV](\d{4}))")
ZSTD_MAGIC = (b"\x28\xb5\x2f\xfd", b"\x5e\x2a\x4d\x18")


def open_scene(job: Job, scene: Path, paths: Path | None) -> None:
    """Open the .blend file and point it to the files that came along.

    Args:
        job: Gets the warnings and, as ``external_paths``, the way back to the artist's own paths.
        scene: The .blend file in the job's workspace.
        paths: sendoff-paths.json, or None where no external files came along.

    Raises:
        JobFailed: The file is missing, not a .blend, damaged, or from a newer Blender.
    """
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
    job.external_paths = ExternalPaths.apply(job, paths, root=(paths or scene).parent)


def file_version(path: Path) -> tuple[int, int] | None:
    """The (major, minor) version of the Blender that saved the file; None where it cannot be told."""
    start = _first_bytes(path, 17)
    match = BLEND_HEADER.match(start)
    if match is None:
        return None
    if match[1]:
        return int(match[1]) // 100, int(match[1]) % 100
    return int(match[2]) // 100, int(match[2]) % 100


def _refuse_newer(scene: Path) -> None:
    if not scene.is_file():
        raise JobFailed("The scene's file did not reach the worker; send it again.")
    if scene.stat().st_size == 0:
        raise JobFailed(f"{scene.name} is empty: save the scene in Blender and send it again.")
    version = file_version(scene)
    if version is None and _first_bytes(scene, 4) not in ZSTD_MAGIC:
        raise JobFailed(f"{scene.name} is not a .blend file; send a scene saved by Blender.")
    if version is not None and version > bpy.app.version[:2]:
        saved, own = ".".join(map(str, version)), ".".join(map(str, bpy.app.version[:2]))
        raise JobFailed(
            f"{scene.name} was saved by Blender {saved}, which this worker's Blender {own} cannot open; "
            f"ask for a worker with Blender {saved} or newer."
        )


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        start = file.read(count)
    try:
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path) as unpacked:
                return unpacked.read(count)
        if start[:4] in ZSTD_MAGIC:
            import zstandard  # bundled with Blender from 4.2 on

            with path.open("rb") as file:
                return zstandard.ZstdDecompressor().stream_reader(file).read(count)
    except (OSError, EOFError, ImportError, zlib.error):
        pass
    except Exception as error:  # zstandard.ZstdError, which has no name where the module is missing
        print(f"The compressed header of {path.name} cannot be read: {error}")
    return start
