"""What is on its way to the server: a submission and the saved copy that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import HostInfo, SceneFile, Submission


@dataclass(frozen=True)
class Parcel:
    """A submission, and the temporary folder that goes once the server has what is in it."""

    submission: Submission
    folder: Path
    #: Whether the files that the scene uses are still to be looked for, in a thread, before it is sent.
    needs_files: bool = False
    #: The artist's own file, of which a copy is sent: its folder is what "//" means. None if it was never saved.
    artist_file: Path | None = None

    @property
    def is_here(self) -> bool:
        """Whether the saved copy is still in its folder; files elsewhere are looked at by the thread that sends."""
        copies = [file.source for file in self.submission.files if self.folder in file.source.parents]
        return all(path.is_file() for path in copies)

    def to_dict(self) -> dict[str, Any]:
        """As it is kept on disk, so that sending goes on after a restart."""
        submission = self.submission
        return {
            "folder": str(self.folder),
            "needs_files": self.needs_files,
            "artist_file": None if self.artist_file is None else str(self.artist_file),
            "task": submission.task,
            "params": dict(submission.params),
            "files": [[str(file.source), file.path, file.role] for file in submission.files],
            "title": submission.title,
            "host": submission.host.to_dict(),
            "missing_files": list(submission.missing_files),
            "idempotency_key": submission.idempotency_key,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Parcel:
        """Read what `to_dict` made; raises KeyError, TypeError or ValueError where it is damaged."""
        return cls(
            submission=Submission(
                task=str(data["task"]),
                params=dict(data["params"]),
                files=tuple(SceneFile(Path(source), str(path), str(role)) for source, path, role in data["files"]),
                title=str(data["title"]),
                host=HostInfo(**data["host"]),
                missing_files=tuple(str(path) for path in data["missing_files"]),
                idempotency_key=str(data["idempotency_key"]),
            ),
            folder=Path(data["folder"]),
            needs_files=bool(data.get("needs_files")),
            artist_file=Path(data["artist_file"]) if data.get("artist_file") else None,
        )
