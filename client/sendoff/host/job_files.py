"""Jobs are remembered outside the scene, so that a restarted host application finds them.

Of each job there are two files: `<key>.json` holds what changes and is written often, `<key>.sent.json` what was
sent, written once: the fingerprints of a large scene take longer to write than the artist should wait. A job whose
scene has not arrived yet is in there with its saved copy, so that sending goes on after a restart.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import JobState
from ..names import readable
from .jobs import Job
from .messages import FetchedFile
from .outbox import Parcel
from .problems import Problem, Remedy
from .progress import Bar

#: The server keeps results for so long; after that there is nothing to come back to.
KEPT_SECONDS = 7 * 24 * 3600.0
_CHANGING = (
    "key", "id", "task", "task_title", "title", "server_url", "source_path", "source_token", "scene_name",
    "scope_title", "scene_bytes", "lod_placement", "sends", "created_at", "message", "sent_bytes", "attempt",
    "max_attempts", "has_result", "has_files", "imported", "ended_at", "is_seen",
)  # fmt: skip
_LISTS = ("warnings", "missing_files", "notes", "import_notes")
_SENT = ".sent.json"


def file_of(job: Job, folder: Path) -> Path:
    """The file of what changes of a job."""
    return folder / f"{job.key}.json"


def sent_file_of(job: Job, folder: Path) -> Path:
    """The file of what is sent."""
    return folder / f"{job.key}{_SENT}"


def to_dict(job: Job, *, keeper: str = "") -> dict[str, Any]:
    """What changes of a job, as it is now; `keeper` is the host application that has it."""
    data: dict[str, Any] = {name: getattr(job, name) for name in _CHANGING}
    data |= {name: list(getattr(job, name)) for name in _LISTS}
    data["keeper"] = keeper
    data["state"] = job.state.value if job.state else None
    data["problem"] = _problem_to_dict(job.problem)
    data["summary"] = dict(job.summary)
    data["bar"] = [job.bar.value, job.bar.attempt]
    data["files"] = [[str(file.path), file.role, file.media_type] for file in job.files]
    return data


def sent_to_dict(job: Job, parcel: Parcel) -> dict[str, Any]:
    """What is sent: the scene as it was, and what is needed to go on sending."""
    return {"fingerprints": dict(job.fingerprints), "parcel": parcel.to_dict()}


def load_all(folder: Path, *, is_kept: Callable[[str], bool] = lambda _keeper: False) -> list[Job]:
    """The jobs remembered, the newest last; what is damaged, over or too old is removed.

    `is_kept` says of a keeper's name whether that host application still runs: its jobs are left to it.
    """
    jobs = []
    for path in folder.glob("*.json"):
        if path.name.endswith(_SENT):
            if not path.with_name(path.name[: -len(_SENT)] + ".json").is_file():
                path.unlink(missing_ok=True)
            continue
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if is_kept(str(data.get("keeper") or "")):
                continue
            job = _load(data, path.with_name(path.stem + _SENT))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            job = None
        if job is None or _is_over(job) or time.time() - job.created_at > KEPT_SECONDS:
            path.unlink(missing_ok=True)
            path.with_name(path.stem + _SENT).unlink(missing_ok=True)
        else:
            jobs.append(job)
    return sorted(jobs, key=lambda job: job.created_at)


def load_parcel(job: Job, folder: Path) -> Parcel | None:
    """What is still to be sent of a job; None where that is gone."""
    try:
        data = json.loads((folder / f"{job.key}{_SENT}").read_text(encoding="utf-8"))
        parcel = Parcel.from_dict(data["parcel"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return parcel if parcel.is_here else None


def _is_over(job: Job) -> bool:
    """Whether nothing is left to be told of it; what the artist has not seen stays."""
    nothing_comes = job.has_result and not job.has_files
    return job.is_seen and bool(job.imported or job.problem or nothing_comes)


def _load(data: Mapping[str, Any], sent_path: Path) -> Job:
    job = Job(**{name: data[name] for name in _CHANGING})
    for name in _LISTS:
        setattr(job, name, tuple(str(text) for text in data[name]))
    job.state = JobState(data["state"]) if data["state"] else None
    job.problem = _problem_from_dict(data["problem"])
    job.summary = dict(data["summary"])
    job.bar = Bar(float(data["bar"][0]), int(data["bar"][1]))
    files = tuple(FetchedFile(Path(place), role, media_type) for place, role, media_type in data["files"])
    job.files = files if all(file.path.is_file() for file in files) else ()
    with contextlib.suppress(OSError, ValueError, KeyError, AttributeError):
        sent = json.loads(sent_path.read_text(encoding="utf-8"))
        job.fingerprints = {str(name): str(value) for name, value in sent["fingerprints"].items()}
    return job


def _problem_to_dict(problem: Problem | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    remedies = [remedy.value for remedy in problem.remedies]
    return {"text": problem.text, "remedies": remedies, "is_stop": problem.is_stop}


def _problem_from_dict(data: Mapping[str, Any] | None) -> Problem | None:
    if data is None:
        return None
    return Problem(str(data["text"]), tuple(Remedy(name) for name in data["remedies"]), bool(data["is_stop"]))


def plain(value: Any) -> Any:
    """A value as it can be written whatever it is: texts readable, what JSON does not know as text."""
    if isinstance(value, Mapping):
        return {readable(str(name)): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return readable(str(value))


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Write a file as a whole: whoever reads it meanwhile reads the one before. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(data), encoding="ascii")  # ASCII: a name may hold what is no UTF-8
    part.replace(path)
