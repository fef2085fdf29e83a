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

    def to_dict(self) -> dict[str, Any]:
        """As it is kept on disk, so that sending goes on after a restart."""
        submission = self.submission
        return {
            "folder": str(self.folder),
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
        )
