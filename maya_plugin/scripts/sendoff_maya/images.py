"""Images of a result: shown in Maya's Render View, which an artist knows, or in the system's own viewer."""

from __future__ import annotations

from pathlib import Path

from maya import cmds, mel

from . import job_operators
from .interactive import is_interactive
from .sendoff.host.jobs import Job

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".tga", ".iff", ".bmp", ".hdr")
_VIEW = "renderView"


def image_files(job: Job) -> list[Path]:
    """The images among a job's files."""
    return [file.path for file in job.files if file.role == "result" and file.path.suffix.lower() in SUFFIXES]


def bring(job: Job, notes: list[str]) -> str:
    """Show the first image; returns what is said of them, "" where there are none."""
    paths = image_files(job)
    if not paths:
        return ""
    problem = show(job)
    if problem:
        notes.append(problem)
    names = f"“{paths[0].name}”" if len(paths) == 1 else f"{len(paths):,} images"
    return f"{names} in {paths[0].parent}" + ("" if problem or not is_interactive() else ", shown in the Render View")


def show(job: Job) -> str:
    """Show the first image of a result. Returns a sentence where it cannot be, "" otherwise."""
    path = image_files(job)[0]
    if not path.is_file():
        return f"The files of this result are gone from {path.parent}. Retry fetches them again"
    if not is_interactive():
        return ""
    try:
        mel.eval("RenderViewWindow")
        cmds.renderWindowEditor(_VIEW, edit=True, loadImage=path.as_posix())
    except RuntimeError:
        try:
            job_operators.open_in_system(path)
        except OSError as error:
            return f"{path.name} lies in {path.parent}, and cannot be shown: {error.strerror}"
    return ""
