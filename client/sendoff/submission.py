"""What is handed over to be sent: plain values, so that a host can pass them from its main thread to another."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .blendfile import read_head
from .errors import InputError
from .manifest import check_paths
from .scene_files import SceneFile

__all__ = ["HostInfo", "SceneFile", "Submission", "scene_submission"]


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
    #: A submit that is repeated with the same key makes no second job.
    idempotency_key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def check(self) -> None:
        """Refuse what cannot work before a byte is sent.

        Raises InputError: a file is not there or not readable, a .blend is damaged, two paths clash.
        """
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
    externals: tuple[str | Path, ...] = (),
    title: str = "",
) -> Submission:
    """A submission of one scene file from disk, and of files that go beside it.

    Externals inside the scene's folder keep their place relative to it; others are put into `external/`. What a
    .blend refers to is not looked up here: that needs Blender (the add-on does it).
    """
    path = Path(scene)
    files = [SceneFile(source=path, path=path.name, role="scene")]
    for external in map(Path, externals):
        try:
            place = external.resolve().relative_to(path.resolve().parent).as_posix()
        except ValueError:
            place = f"external/{external.name}"
        files.append(SceneFile(source=external, path=place))
    return Submission(task=task, params=dict(params or {}), files=tuple(files), title=title or path.stem)


def _check_file(file: SceneFile) -> None:
    try:
        if not file.source.is_file():
            raise InputError(f"There is no file {file.source}. Check the path.")
        if file.role == "scene" and file.source.suffix.lower() == ".blend":
            read_head(file.source)
        else:
            with file.source.open("rb"):
                pass
    except OSError as error:
        raise InputError(f"The file {file.source} cannot be read: {error.strerror or error}.") from error
