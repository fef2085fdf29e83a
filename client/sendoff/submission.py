"""What is handed over to be sent: plain values, so that a host can pass them from its main thread to another."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import uuid
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .blendfile import parse_head, read_head
from .chunking import BLOCK_BYTES, spans
from .errors import BlendFileError, InputError, ManifestError
from .host.file_patterns import split_number
from .manifest import MAX_CHUNKS_PER_FILE, MAX_FILES, check_path, check_paths
from .names import readable, safe_name
from .protocol import CHUNK_BYTES
from .regular_files import is_readable, open_file, why_unreadable
from .scene_files import Collected, SceneFile, collect

__all__ = ["HostInfo", "SceneFile", "Submission", "scene_submission"]

#: A file with one of these is what its name says.
_SCENE_SUFFIXES = frozenset({".blend", ".fbx", ".usd", ".usda", ".usdc", ".usdz", ".ma", ".mb"})
_BACKUP = re.compile(r"\.blend[0-9]+")
#: Enough of a .blend to read its head, also of a compressed one.
_HEAD_BYTES = 160 * 1024


@dataclass(frozen=True)
class HostInfo:
    """The application that the scene comes from: its name ("blender", "maya", "") and version ("4.5.15")."""

    application: str = ""
    version: str = ""

    def to_dict(self) -> dict[str, str]:
        """As the wire has it."""
        return {"application": self.application, "version": self.version}


@dataclass(frozen=True)
class Submission:
    """A job to be: the task's name, its parameters and the files."""

    task: str
    params: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[SceneFile, ...] = ()
    #: What the artist reads in lists: the scene's name.
    title: str = ""
    host: HostInfo = field(default_factory=HostInfo)
    #: External files that the scene names but that were not found; the result warns of them.
    missing_files: tuple[str, ...] = ()
    #: Sentences for the person who sends it: what could not be looked up.
    notes: tuple[str, ...] = ()
    #: A submit that is repeated with the same key makes no second job.
    idempotency_key: str = field(default_factory=lambda: uuid.uuid4().hex)
    #: Kept as long as the submission: the folder of a file that was written for it.
    kept: object = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """What people read leaves as valid Unicode, whatever bytes the names of files hold."""
        object.__setattr__(self, "title", readable(self.title))
        object.__setattr__(self, "missing_files", tuple(map(readable, self.missing_files)))
        object.__setattr__(self, "notes", tuple(map(readable, self.notes)))

    def check(self) -> None:
        """Refuse what cannot work before a byte is sent.

        Raises InputError: there are too many files or a too large one, a file is not there or not readable, a .blend
        is damaged, two paths clash.
        """
        if len(self.files) > MAX_FILES:
            raise InputError(_too_many(self.files))
        check_paths(file.path for file in self.files)
        if sum(file.role == "scene" for file in self.files) > 1:
            raise InputError("The submission names more than one scene file; exactly one can be opened.")
        for file in self.files:
            _check_file(file)


def scene_submission(
    scene: str | Path,
    *,
    task: str,
    params: Mapping[str, Any] | None = None,
    externals: str | Path | Sequence[str | Path] = (),
    title: str = "",
    look_up: bool = True,
) -> Submission:
    """A submission of one scene file from disk, and of the files that it needs.

    What a .blend or a USD scene names is looked up in the file, without Blender: libraries, textures, caches, layers,
    and what these name. What is not there is in `missing_files`; what could not be looked up is in `notes`.

    Args:
        scene: The scene file.
        task: The task's name.
        params: The task's parameters.
        externals: Further files that the scene needs. Inside the scene's folder they keep their place relative to
            it; others are put into `external/`.
        title: The job's name in lists; by default the scene's.
        look_up: Whether to look for the files that the scene names.

    Raises:
        InputError: What has to be written for it does not fit into the temporary folder.
    """
    path = Path(scene)
    kept = _Folder() if look_up else None
    externals = (externals,) if isinstance(externals, (str, Path)) else tuple(externals)
    place = _scene_place(path)
    found = _look_up(path, place, kept.path) if kept is not None else Collected(place=place)
    files = [SceneFile(source=found.scene or path, path=found.place, role="scene"), *found.files]
    return Submission(
        task=task,
        params=dict(params or {}),
        files=(*files, *_placed(externals, path, found.place, files)),
        title=title or path.stem,
        missing_files=found.missing,
        notes=found.notes,
        kept=kept,
    )


class _Folder:
    """A temporary folder that is removed with the object; raises InputError if it cannot be made."""

    def __init__(self) -> None:
        try:
            self.path = Path(tempfile.mkdtemp(prefix="sendoff-paths-"))
        except OSError as error:
            raise InputError(
                f"No temporary folder can be made: {error.strerror or error}. Set TMPDIR to a folder with space."
            ) from error
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def _scene_place(scene: Path) -> str:
    """The scene's place in the job's folder; a .blend of another name, a backup for example, gets its own suffix."""
    name = safe_name(scene.name)
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    if suffix.lower() in _SCENE_SUFFIXES or not is_readable(scene):
        return name
    try:
        with open_file(scene) as file:
            head = parse_head(file.read(_HEAD_BYTES))
    except (BlendFileError, OSError):
        return name
    if not head.version:  # compressed, and nothing here can look into it
        return name
    if stem.lower().endswith(".blend"):  # car.blend.gz
        return stem
    return safe_name(f"{stem if _BACKUP.fullmatch(suffix.lower()) else name}.blend")


def _look_up(scene: Path, place: str, folder: Path) -> Collected:
    """What the scene needs; if it cannot be read, `Submission.check` says so, or Blender does."""
    if not is_readable(scene):
        return Collected(place=place)
    try:
        return collect(scene, folder=folder, place=place)
    except BlendFileError as error:
        return Collected(place=place, notes=(f"Its files could not be looked up. {error}",))
    except OSError as error:
        reason = f"{readable(str(error.filename or scene))}: {error.strerror or error}"
        return Collected(place=place, notes=(f"Its files could not be looked up. {reason}.",))


def _placed(
    externals: tuple[str | Path, ...], scene: Path, scene_place: str, files: list[SceneFile]
) -> list[SceneFile]:
    """The places of files that the caller names: beside the scene as they lie here, else in `external/`."""
    taken = {file.path.casefold() for file in files}
    known = {_real(file.source) for file in files}
    root = scene_place.rpartition("/")[0]
    placed = []
    for external in map(Path, externals):
        if _real(external) in known:
            continue
        known.add(_real(external))
        place = _beside(external, scene, root)
        number = 0
        while place is None or place.casefold() in taken:
            middle = f"{number:02d}/" if number else ""
            place = f"external/{middle}{safe_name(external.name)}"
            number += 1
        taken.add(place.casefold())
        placed.append(SceneFile(source=external, path=place))
    return placed


def _real(path: Path) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # a name too long, or with a zero byte: `Submission.check` refuses it
        return str(path)


def _beside(external: Path, scene: Path, root: str) -> str | None:
    """The place that a file inside the scene's folder has relative to it; None for others."""
    try:
        place = external.resolve().relative_to(scene.resolve().parent).as_posix()
        place = f"{root}/{place}" if root else place
        check_path(place)
    except ManifestError:
        return "/".join(map(safe_name, place.split("/")))
    except (OSError, ValueError):
        return None
    return place


def _too_many(files: tuple[SceneFile, ...]) -> str:
    """The sentence for a scene of too many files; it names the sequence that most of them belong to."""
    sequences: Counter[str] = Counter()
    for file in files:
        parts = split_number(file.source.name)
        if parts is not None:
            sequences[f"{parts[0]}{'#' * len(parts[1])}{parts[2]}"] += 1
    most = sequences.most_common(1)
    text = f"The scene has {len(files)} files; at most {MAX_FILES} can be sent."
    if most and most[0][1] > 1:
        text += f" {most[0][1]} of them are frames of {readable(most[0][0])}. Use fewer frames, or a film."
    return text


def _what_to_do(file: SceneFile, reason: str) -> str:
    if reason.startswith("no permission"):
        return "Change the permissions."
    if file.role == "scene":
        return "Give the path of a scene file."
    return "Name the files in it." if reason.startswith("a folder") else "Give the path of a file."


def _check_file(file: SceneFile) -> None:
    try:
        reason = why_unreadable(file.source)
        if reason:
            raise InputError(f"{readable(str(file.source))} cannot be sent: {reason}. {_what_to_do(file, reason)}")
        if not file.source.is_file():
            raise InputError(f"There is no file {readable(str(file.source))}. Check the path.")
        size = file.source.stat().st_size
        if not size and file.role == "scene":
            raise InputError(f"The file {readable(file.source.name)} is empty. Save the scene again.")
        if size > MAX_CHUNKS_PER_FILE * CHUNK_BYTES:
            raise InputError(
                f"The file {readable(str(file.source))} has {size / 1e12:.1f} TB; at most "
                f"{MAX_CHUNKS_PER_FILE * CHUNK_BYTES / 1e12:.1f} TB can be sent."
            )
        with open_file(file.source) as opened:
            # A chunk has 4 KiB or more, so only a very large file can have too many.
            if (
                size > MAX_CHUNKS_PER_FILE * BLOCK_BYTES
                and len(spans(opened, suffix=file.source.suffix)) > MAX_CHUNKS_PER_FILE
            ):
                raise InputError(
                    f"The file {readable(str(file.source))} has too many parts to be sent: make it smaller."
                )
        if file.role == "scene" and file.path.lower().endswith(".blend"):
            read_head(file.source)
    except OSError as error:
        if file.role == "external" and is_readable(file.source):
            return  # another program may hold it: the upload tries again, then leaves it out and names it
        name = readable(str(file.source))
        raise InputError(f"The file {name} cannot be read: {error.strerror or error}.") from error
