"""The buttons beside a job, in the status bar and in the panel alike: which there are, and what each does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .jobs import Job, JobList
from .problems import Remedy

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems
    from bpy.types import UILayout

#: Name: operator, text, icon, the operator's property that takes the job's key.
_BUTTONS: dict[str, tuple[str, str, IconItems]] = {
    "cancel": ("sendoff.cancel", "", "X"),
    "import": ("sendoff.import_result", "Import Result", "IMPORT"),
    "show": ("sendoff.show_result", "Show", "VIEWZOOM"),
    "seen": ("sendoff.seen", "", "X"),
    Remedy.SIGN_IN.value: ("sendoff.preferences", "Sign In", "USER"),
    Remedy.RELINK.value: ("sendoff.relink", "Find Missing Files", "FILE_FOLDER"),
    Remedy.OPEN_LOG.value: ("sendoff.open_log", "Open Log", "TEXT"),
    Remedy.RETRY.value: ("sendoff.retry", "Retry", "FILE_REFRESH"),
    Remedy.UPDATE.value: ("sendoff.update", "Update", "IMPORT"),
}
#: So many buttons that help with a problem fit beside its sentence.
_REMEDIES_SHOWN = 2


def of(job: Job, jobs: JobList, *, is_here: bool = True) -> tuple[str, ...]:
    """The buttons that help an artist with a job right now; `is_here`: what it brought is in the open file."""
    if job.is_active:
        refused = jobs.connectivity.state == "refused" and job.state is not None
        return (*(("sign_in",) if refused else ()), *(("cancel",) if job.may_cancel else ()))
    if job.problem is not None:
        return (*(remedy.value for remedy in job.problem.remedies[:_REMEDIES_SHOWN]), "seen")
    if job.wants_import or (job.files and not is_here):
        return ("import", "seen")
    return ("show", "seen") if job.files else ("seen",)


def of_small(job: Job) -> tuple[str, ...]:
    """The one button that helps most where there is no room for the sentence."""
    if job.is_active:
        return ("cancel",) if job.may_cancel else ()
    if job.problem is not None:
        return (*(remedy.value for remedy in job.problem.remedies[:1]), "seen")
    return ("import" if job.wants_import else "show", "seen") if job.files else ("seen",)


def draw(layout: UILayout, key: str, names: tuple[str, ...]) -> None:
    """Draw buttons for the job of a key."""
    for name in names:
        operator, text, icon = _BUTTONS[name]
        layout.operator(operator, text=text, icon=icon).job = key
