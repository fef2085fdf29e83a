"""Which buttons stand beside a job, the same in every host application and in every place that shows it."""

from __future__ import annotations

from .jobs import Job, JobList

#: So many buttons that help with a problem fit beside its sentence.
_REMEDIES_SHOWN = 2


def of(job: Job, jobs: JobList, *, is_here: bool = True) -> tuple[str, ...]:
    """The buttons that help an artist with a job right now; `is_here`: what it brought is in the open file."""
    if job.is_active:
        refused = jobs.connectivity.state == "refused" and job.state is not None
        return (*(("sign_in",) if refused else ()), "cancel")
    if job.problem is not None:
        return (*(remedy.value for remedy in job.problem.remedies[:_REMEDIES_SHOWN]), "seen")
    if job.wants_import or (job.files and not is_here):
        return ("import", "seen")
    return ("show", "seen") if job.files else ("seen",)


def greyed(job: Job) -> tuple[str, ...]:
    """Those of them that do nothing now: the cross stays to the job's end, so that nothing moves below the mouse."""
    return () if job.may_cancel or not job.is_active else ("cancel",)


def of_small(job: Job) -> tuple[str, ...]:
    """The one button that helps most where there is no room for the sentence."""
    if job.is_active:
        return ("cancel",)
    if job.problem is not None:
        return (*(remedy.value for remedy in job.problem.remedies[:1]), "seen")
    return ("import" if job.wants_import else "show", "seen") if job.files else ("seen",)
