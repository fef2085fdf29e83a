"""What an artist can do with a job besides looking at its result, the same in every host application.

For each action a function says why it cannot be done now, as a sentence ("" where it can), and one does it.
"""

from __future__ import annotations

import uuid

from .. import JobState
from .desk import Desk
from .jobs import Job
from .problems import Problem

_KEPT_BY_RETRY: tuple[str, ...] = (
    "task", "task_title", "title", "server_url", "source_path", "source_token", "scene_name", "scope_title",
    "fingerprints", "scene_bytes", "missing_files", "lod_placement",
)  # fmt: skip


def why_not_asked(desk: Desk, job: Job, what: str) -> str:
    """Why the job's server cannot be asked now; `what` it would be asked for: "see its log"."""
    if not job.id:
        return "This job has not reached the server"
    return why_not_its_server(desk, job, what)


def why_not_its_server(desk: Desk, job: Job, what: str) -> str:
    """Why nothing can be said to the server of a job, which may not have reached it."""
    if job.server_url != desk.server_url():
        return f"This job belongs to {job.server_url}: set that server to {what}"
    return desk.why_offline()


def why_not_cancel(desk: Desk, job: Job) -> str:
    """One that has ended has nothing to cancel."""
    if job.cancelling:
        return "This job is being cancelled already"
    if not job.may_cancel:
        return "This job has ended already"
    return why_not_its_server(desk, job, "cancel it") if job.id else ""


def cancel(desk: Desk, job: Job) -> None:
    """Ask; the status bar tells when it is done."""
    job.cancelling = True
    if job.waits_for and job.is_fetching:
        desk.session().stop_fetch(job.id)
    elif job.id:
        desk.session().cancel(job.id)
    elif not job.is_saving:
        desk.session().stop_submit(job.key)


def why_not_retry(desk: Desk, job: Job) -> str:
    """A job that goes on need not be tried again."""
    if job.is_active:
        return "This job goes on; cancel it first"
    return why_not_its_server(desk, job, "try it again")


def retry(desk: Desk, job: Job) -> None:
    """Send what did not arrive, fetch what did not come, or have the server run it again."""
    job.is_seen = True
    if not job.id:
        job.problem, job.state, job.cancelling, job.is_seen = None, None, False, False
        if not desk.post_again(job):
            job.problem = Problem("The copy that was to be sent is gone. Process the scene again.")
    elif job.state is JobState.SUCCEEDED and job.problem is not None:
        job.problem, job.files, job.imported, job.is_seen = None, (), "", False
        job.has_files = True
    else:
        again = copy_for_retry(job)
        desk.jobs.add(again)
        desk.session().retry(again.key, job.id)
    desk.remember(job)


def copy_for_retry(job: Job) -> Job:
    """A job that is to be run again, as it begins."""
    return Job(key=uuid.uuid4().hex, sends=False, **{name: getattr(job, name) for name in _KEPT_BY_RETRY})


def see(desk: Desk, job: Job) -> None:
    """Note that the artist has seen how a job ended."""
    job.is_seen = True
    desk.remember(job)


def may_dismiss(desk: Desk, job: Job) -> bool:
    """Whether a job has ended, or its server is not set now or does not answer."""
    return job not in desk.jobs.active or desk.jobs.connectivity.state != "online"


def why_not_dismiss(desk: Desk, job: Job) -> str:
    """A job that goes on would come back at the next start."""
    return "" if may_dismiss(desk, job) else "A job that goes on cannot be dismissed; cancel it first"


def verdict(desk: Desk) -> str:
    """What the test of the connection has found, in a few words; "" before it was asked for."""
    broken = next((hop for hop in desk.jobs.hops if not hop.ok and not hop.skipped), None)
    if broken is not None:
        return f"Broken: {broken.name}"
    if desk.jobs.is_checking:
        return "Testing ..."
    return ALL_WELL if desk.jobs.hops else ""


ALL_WELL = "Everything works"
