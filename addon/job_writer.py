"""Writes down what is remembered of jobs, in a thread: a disk that is busy with an upload must not hold up the artist.

Nothing here knows bpy. What is written is taken from the job at once, and what was asked for twice meanwhile is
written once, as it was the last time.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import job_files
from .jobs import Job
from .outbox import Parcel


class JobWriter:
    """Writes into one folder, in the order asked; its daemon thread lives while there is something to write.

    What cannot be written is not there after a restart, and the artist goes on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._changed = threading.Condition()
        self._due: dict[Path, Mapping[str, Any] | None] = {}
        self._is_writing = False

    def save(self, job: Job, *, keeper: str) -> None:
        """Write what changes of a job; `keeper` is the Blender that has it."""
        self._ask({job_files.file_of(job, self.folder): job_files.to_dict(job, keeper=keeper)})

    def save_sent(self, job: Job, parcel: Parcel) -> None:
        """Write what is sent."""
        self._ask({job_files.sent_file_of(job, self.folder): job_files.sent_to_dict(job, parcel)})

    def remove(self, job: Job) -> None:
        """Forget a job."""
        self._ask({job_files.file_of(job, self.folder): None, job_files.sent_file_of(job, self.folder): None})

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until all is written; False where that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_writing, timeout_seconds)

    def _ask(self, files: Mapping[Path, Mapping[str, Any] | None]) -> None:
        with self._changed:
            self._due.update(files)
            if self._is_writing:
                return
            self._is_writing = True
        threading.Thread(target=self._run, name="sendoff-write", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._due:
                    self._is_writing = False
                    self._changed.notify_all()
                    return
                path = next(iter(self._due))
                data = self._due.pop(path)
            with contextlib.suppress(OSError):
                if data is None:
                    path.unlink(missing_ok=True)
                else:
                    job_files.write(path, data)
