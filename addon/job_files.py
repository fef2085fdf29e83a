"""Jobs are remembered outside the scene, a file each, so that a restarted Blender finds them. No bpy here."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from .jobs import Job
from .messages import FetchedFile
from .sendoff import JobState

#: The server keeps results for so long; after that there is nothing to come back to.
KEPT_SECONDS = 7 * 24 * 3600.0
_PLAIN = (
    "key", "id", "task", "title", "server_url", "source_path", "source_token", "scene_name", "scene_bytes",
    "created_at", "message", "sent_bytes", "has_result", "has_files", "problem", "imported", "ended_at",
)  # fmt: skip


def save(job: Job, folder: Path) -> None:
    """Write a job that the server knows; any other is nothing to come back to. Raises OSError."""
    if not job.id:
        return
    data: dict[str, Any] = {name: getattr(job, name) for name in _PLAIN}
    data["state"] = job.state.value if job.state else None
    data["mesh_sizes"] = {name: list(sizes) for name, sizes in job.mesh_sizes.items()}
    data["warnings"] = list(job.warnings)
    data["missing_files"] = list(job.missing_files)
    data["summary"] = dict(job.summary)
    data["files"] = [[str(file.path), file.role, file.media_type] for file in job.files]
    path = folder / f"{job.key}.json"
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    part.replace(path)


def remove(job: Job, folder: Path) -> None:
    """Forget a job."""
    (folder / f"{job.key}.json").unlink(missing_ok=True)


def load_all(folder: Path) -> list[Job]:
    """The jobs remembered, the newest last; what is damaged, over or too old is removed."""
    jobs = []
    for path in folder.glob("*.json"):
        try:
            job = _load(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            job = None
        if job is None or _is_over(job) or time.time() - job.created_at > KEPT_SECONDS:
            path.unlink(missing_ok=True)
        else:
            jobs.append(job)
    return sorted(jobs, key=lambda job: job.created_at)


def _is_over(job: Job) -> bool:
    nothing_comes = job.has_result and not job.has_files
    return bool(job.imported or job.problem or nothing_comes)


def _load(path: Path) -> Job:
    data = json.loads(path.read_text(encoding="utf-8"))
    job = Job(**{name: data[name] for name in _PLAIN})
    job.state = JobState(data["state"])
    job.mesh_sizes = {name: (int(sizes[0]), int(sizes[1])) for name, sizes in data["mesh_sizes"].items()}
    job.warnings, job.missing_files = tuple(data["warnings"]), tuple(data["missing_files"])
    job.summary = data["summary"]
    files = tuple(FetchedFile(Path(place), role, media_type) for place, role, media_type in data["files"])
    job.files = files if all(file.path.is_file() for file in files) else ()
    return job
