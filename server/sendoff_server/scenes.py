"""What a task says to a scene before it is sent, and again with the submit: kind, size, and the Blender it needs."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from sendoff.blendfile import parse_head
from sendoff.errors import BlendFileError
from sendoff.manifest import MAX_FILES
from sendoff_store import routing
from sendoff_store.errors import NoRuntime
from sendoff_store.offers import TaskInfo
from sendoff_store.scene_needs import SceneNeeds

from .parts import Parts
from .problems import invalid, too_large

#: Endings of files that Blender imports, and that are no scenes of any application.
_IMPORTED = ("glb", "gltf", "obj", "abc", "ply", "stl", "dae", "x3d", "svg", "3mf", "vdb")
_ARCHIVES = ("zip", "7z", "rar", "tar", "tgz", "gz", "bz2", "xz", "zst")
_BACKUP = re.compile(r"blend[0-9]+")
_SERIES = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")
_EXPORTS = {"USD": ("usd", "usda", "usdc", "usdz"), "FBX": ("fbx",)}


def check_kind(task: TaskInfo, scene: str | None) -> str:
    """The kind of scene ("blend"), "" for a task that takes none; raises Problem 422 for one it does not take."""
    if not task.accepts:
        return ""
    kinds = " or ".join(f".{kind}" for kind in task.accepts)
    if scene is None:
        raise invalid(f"The task {task.name} needs a scene ({kinds}); none was sent.", field="manifest")
    kind = PurePosixPath(scene).suffix.lower().lstrip(".")
    if kind not in task.accepts:
        text = f"The task {task.name} takes {kinds}, and {scene} is something else. {_advice(task, kind)}"
        raise invalid(text.strip(), field="manifest")
    return kind


def check_scope(task: TaskInfo, *, scoped: bool) -> None:
    """Refuse a scope that a task would not look at; raises Problem 422."""
    if scoped and not task.scoped:
        raise invalid(f"The task {task.name} takes no choice of objects. Send the whole scene to it.", field="scope")


def check_size(parts: Parts, *, files: int, size: int) -> None:
    """Refuse more than a job may have; raises Problem 422 for too many files, 413 for too many bytes."""
    if files > MAX_FILES:
        raise invalid(
            f"The scene and its files are {files:,}; a job has {MAX_FILES:,} at most. Pack image sequences into movies "
            f"or shorten the frame range, and send it again.",
            field="manifest",
        )
    most = parts.settings.job_bytes
    if size > most:
        raise too_large(
            f"The job has {size:,} bytes; this server takes {most:,} at most. Leave out what the task does not need, "
            f"or ask an administrator to raise SENDOFF_JOB_BYTES."
        )


def scene_needs(
    task: TaskInfo,
    *,
    kind: str,
    series: str = "",
    big_endian: bool = False,
    host: Mapping[str, Any],
    params: Mapping[str, Any],
) -> SceneNeeds:
    """What the scene needs of the Blender that opens it; `series` is the one that saved it, "" if not known."""
    if kind != "blend":
        return SceneNeeds(kind=kind)
    application, version = str(host.get("application") or ""), str(host.get("version") or "")
    is_read = application == "blender" and _brings_blend(task, params)
    return SceneNeeds(kind=kind, series=series, big_endian=big_endian, read_by=series_of(version) if is_read else "")


def read_head(text: Any, name: str) -> tuple[str, bool]:
    """The series that saved a .blend, and whether it is big-endian, by its first bytes in base64; Problem 422."""
    try:
        head = parse_head(base64.b64decode(text, validate=True), name)
    except (TypeError, ValueError) as error:
        raise invalid("The head has to be the file's first bytes in base64.", field="head") from error
    except BlendFileError as error:
        raise invalid(str(error), field="manifest") from error
    return head.series, not head.little_endian


def series_of(version: str) -> str:
    """The series of a version: "4.5.15" is "4.5"; "" if it is none."""
    found = _SERIES.match(version)
    return f"{int(found[1])}.{int(found[2])}" if found else ""


async def check_blender(parts: Parts, task: TaskInfo, needs: SceneNeeds) -> routing.Route:
    """Where the job will go; raises Problem 422 if workers are there, but no Blender of theirs will do."""
    try:
        return routing.choose(task, needs=needs, offers=await parts.offers())
    except NoRuntime as error:
        raise invalid(str(error), field="manifest") from error


def _advice(task: TaskInfo, kind: str) -> str:
    """What to do with a file of another kind."""
    if _BACKUP.fullmatch(kind) and "blend" in task.accepts:
        return "It is a backup of a .blend: copy it to a name that ends in .blend, and send that."
    if kind in _IMPORTED and "blend" in task.accepts:
        return "Import it in Blender, and click there."
    if kind in _ARCHIVES:
        return "Unpack it, and send the file inside."
    exports = [name for name, kinds in _EXPORTS.items() if set(kinds) & set(task.accepts)]
    return f"Export it as {' or '.join(exports)}, and send that." if exports else ""


def _brings_blend(task: TaskInfo, params: Mapping[str, Any]) -> bool:
    """Whether a .blend comes back for a .blend: told by the parameter `formats`, which some tasks have."""
    known = task.params.get("properties", {}).get("formats", {})
    formats = params.get("formats", known.get("default")) if known else ()
    return isinstance(formats, list) and bool({"scene", "blend"} & {str(one) for one in formats})
