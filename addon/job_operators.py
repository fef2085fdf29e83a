"""What the artist can do with a job; each takes the job's key, or "" for the newest that it fits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from . import pump, results, status_bar
from .current import desk
from .sendoff.host import actions
from .sendoff.host.jobs import Job

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

    _Operator = bpy.types.Operator
else:  # a mixin: Blender registers what is an operator by itself
    _Operator = object


class JobOperator(_Operator):
    """An operator on one job: finds it, refuses with a sentence, and has what changed drawn."""

    #: Said where no job fits.
    nothing = "There is no such job"

    job: bpy.props.StringProperty(name="Job", description="The job; the newest that fits where it is empty")

    @classmethod
    def fits(cls, _job: Job) -> bool:
        """Whether the operator means such a job where none is named."""
        return True

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Grey where no job fits."""
        if any(cls.fits(job) for job in desk.jobs.jobs):
            return True
        cls.poll_message_set(cls.nothing)
        return False

    def execute(self, context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Do it, and have it shown at once."""
        fitting = [job for job in desk.jobs.jobs if self.fits(job)]
        job = desk.jobs.find(self.job) if self.job else next(reversed(fitting), None)
        reason = self.nothing if job is None else self.why_not(job, context)
        if reason or job is None:
            self.report({"ERROR"}, reason)
            return {"CANCELLED"}
        self.do(job, context)
        status_bar.show_at_once()
        status_bar.ask_for_redraw()
        pump.start()
        return {"FINISHED"}

    def why_not(self, _job: Job, _context: bpy.types.Context) -> str:
        """Why it cannot be done with this job, as a sentence."""
        return ""

    def do(self, job: Job, context: bpy.types.Context) -> None:
        """Do it with a job."""
        raise NotImplementedError


class SENDOFF_OT_cancel(JobOperator, bpy.types.Operator):
    """Stop sending, or have the server cancel the job"""

    bl_idname = "sendoff.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it
    nothing = "No job is under way"

    @classmethod
    def fits(cls, job: Job) -> bool:
        """A job that goes on."""
        return job.may_cancel

    def why_not(self, job: Job, _context: bpy.types.Context) -> str:
        """One that has ended has nothing to cancel."""
        return actions.why_not_cancel(desk, job)

    def do(self, job: Job, _context: bpy.types.Context) -> None:
        """Ask; the status bar tells when it is done."""
        actions.cancel(desk, job)


class SENDOFF_OT_retry(JobOperator, bpy.types.Operator):
    """Try again: what has arrived on the server is not sent again"""

    bl_idname = "sendoff.retry"
    bl_label = "Retry"
    bl_options = {"INTERNAL"}  # noqa: RUF012
    nothing = "No job has ended"

    @classmethod
    def fits(cls, job: Job) -> bool:
        """A job that has ended."""
        return not job.is_active

    def why_not(self, job: Job, _context: bpy.types.Context) -> str:
        """A job that goes on need not be tried again."""
        return actions.why_not_retry(desk, job)

    def do(self, job: Job, _context: bpy.types.Context) -> None:
        """Send what did not arrive, fetch what did not come, or have the server run it again."""
        actions.retry(desk, job)


class SENDOFF_OT_import_result(JobOperator, bpy.types.Operator):
    """Bring the result into the open scene, into a collection of its own"""

    bl_idname = "sendoff.import_result"
    bl_label = "Import Result"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012
    nothing = "No result is here to be imported"

    @classmethod
    def fits(cls, job: Job) -> bool:
        """A job whose result is here."""
        return bool(job.files)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Grey where no result is here, or the artist is in the middle of something."""
        if not super().poll(context):
            return False
        reasons = [results.why_not_now(job, context) for job in desk.jobs.jobs if cls.fits(job)]
        if all(reasons):
            cls.poll_message_set(reasons[-1])
        return not all(reasons)

    def why_not(self, job: Job, context: bpy.types.Context) -> str:
        """In Edit Mode and while rendering it has to wait."""
        return results.why_not_now(job, context)

    def execute(self, context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Import it; this operator is the one undo step."""
        waiting = [job for job in desk.jobs.jobs if job.wants_import]
        if not self.job and waiting:
            self.job = waiting[-1].key
        return super().execute(context)

    def do(self, job: Job, context: bpy.types.Context) -> None:
        """Import it, and say so."""
        job.problem = None
        if pump.import_and_say(job, context):
            self.report({"INFO"}, job.imported)
        else:
            self.report({"ERROR"}, job.problem.text if job.problem else "")


class SENDOFF_OT_show_result(JobOperator, bpy.types.Operator):
    """Show what came back: the objects in the 3D view, the report's list, the image, or the folder"""

    bl_idname = "sendoff.show_result"
    bl_label = "Show Result"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012
    nothing = "No result is here to be shown"

    @classmethod
    def fits(cls, job: Job) -> bool:
        """A job whose result is here."""
        return bool(job.files)

    def do(self, job: Job, context: bpy.types.Context) -> None:
        """Show it; it counts as seen."""
        actions.see(desk, job)
        text = results.show_result(job, context)
        if text:
            self.report({"INFO"}, text)


class SENDOFF_OT_seen(JobOperator, bpy.types.Operator):
    """Take this off the status bar; the sidebar keeps it"""

    bl_idname = "sendoff.seen"
    bl_label = "Seen"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def do(self, job: Job, _context: bpy.types.Context) -> None:
        """Note that the artist has seen how it ended."""
        actions.see(desk, job)


class SENDOFF_OT_dismiss(JobOperator, bpy.types.Operator):
    """Take this job off the list; the server keeps it"""

    bl_idname = "sendoff.dismiss"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}  # noqa: RUF012
    nothing = "No job has ended"

    @classmethod
    def fits(cls, job: Job) -> bool:
        """A job that has ended, or whose server is not set now or does not answer."""
        return actions.may_dismiss(desk, job)

    def why_not(self, job: Job, _context: bpy.types.Context) -> str:
        """A job that goes on would come back at the next start."""
        return actions.why_not_dismiss(desk, job)

    def do(self, job: Job, _context: bpy.types.Context) -> None:
        """Forget a job that has ended."""
        desk.forget(job)


class _AsksTheServer(JobOperator):
    """An operator that asks the server for something of a job that it knows."""

    nothing = "No job has reached the server"
    #: What it is for: "see its log".
    what = ""

    @classmethod
    def fits(cls, job: Job) -> bool:
        """A job that the server knows."""
        return bool(job.id)

    def why_not(self, job: Job, _context: bpy.types.Context) -> str:
        """Only the job's own server can answer."""
        return actions.why_not_asked(desk, job, self.what)


class SENDOFF_OT_open_log(_AsksTheServer, bpy.types.Operator):
    """Show what the worker has written about this job"""

    bl_idname = "sendoff.open_log"
    bl_label = "Open Log"
    bl_options = {"INTERNAL"}  # noqa: RUF012
    what = "see its log"

    def do(self, job: Job, _context: bpy.types.Context) -> None:
        """Fetch it in a thread; it opens when it is here."""
        desk.session().fetch_log(job.id, desk.log_path(job))


class SENDOFF_OT_open_page(_AsksTheServer, bpy.types.Operator):
    """Open this job's page in the browser"""

    bl_idname = "sendoff.open_page"
    bl_label = "Open in Browser"
    bl_options = {"INTERNAL"}  # noqa: RUF012
    what = "see its page"

    def do(self, job: Job, _context: bpy.types.Context) -> None:
        """Ask for the way in and open it, in a thread."""
        desk.session().open_page(job.id)


class SENDOFF_OT_open_folder(JobOperator, bpy.types.Operator):
    """Open the folder with this job's files"""

    bl_idname = "sendoff.open_folder"
    bl_label = "Open Folder"
    bl_options = {"INTERNAL"}  # noqa: RUF012
    nothing = "No result is here"

    @classmethod
    def fits(cls, job: Job) -> bool:
        """A job whose result is here."""
        return bool(job.files)

    def why_not(self, job: Job, _context: bpy.types.Context) -> str:
        """The folder may have been removed meanwhile."""
        return "" if self._folder(job).is_dir() else f"The folder {self._folder(job)} is gone; Retry brings the files"

    def do(self, job: Job, _context: bpy.types.Context) -> None:
        """Open it in the system's own file browser."""
        bpy.ops.wm.path_open(filepath=str(self._folder(job)))

    def _folder(self, job: Job) -> Path:
        return job.files[0].path.parent


CLASSES = (
    SENDOFF_OT_cancel, SENDOFF_OT_retry, SENDOFF_OT_import_result, SENDOFF_OT_show_result, SENDOFF_OT_seen,
    SENDOFF_OT_dismiss, SENDOFF_OT_open_log, SENDOFF_OT_open_page, SENDOFF_OT_open_folder,
)  # fmt: skip
