"""What the artist can click. Each grey button says why it is grey, and nothing here waits for the network."""

from __future__ import annotations

import json
import uuid
from typing import Any

import bpy

from . import current, pump, results, scene_export
from .jobs import Job


class SENDOFF_OT_process(bpy.types.Operator):
    """Send a copy of this scene to the server and go on working; the result comes back into the scene"""

    bl_idname = "sendoff.process"
    bl_label = "Process on server"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender reads it

    task: bpy.props.StringProperty(name="Task", description="Name of the task to run", default="mesh.lods")
    params: bpy.props.StringProperty(
        name="Parameters", description="The task's parameters as a JSON object", default="{}"
    )

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        """What the button does, with the task's own words where the server told them."""
        server = current.jobs.server
        tasks = getattr(server, "tasks", ())
        about = next((str(task.get("description") or "") for task in tasks if task.get("name") == properties.task), "")
        return f"{cls.__doc__}. {about}".rstrip(". ")

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Grey where no server can be used."""
        reason = current.why_offline()
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: Any) -> set[str]:
        """Save the copy and hand it to the thread that sends it."""
        params = _params(self.params)
        if params is None:
            self.report({"ERROR"}, f'The parameters are not a JSON object like {{"levels": 3}}: {self.params}')
            return {"CANCELLED"}
        try:
            export = scene_export.export(context, task=self.task, params=params)
        except scene_export.ExportFailed as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        session = current.session()
        job = Job(
            key=uuid.uuid4().hex,
            task=self.task,
            title=export.submission.title,
            server_url=current.server_url(),
            source_path=export.source_path,
            source_token=current.open_file(),
            scene_name=export.scene_name,
            mesh_sizes=export.mesh_sizes,
            scene_bytes=export.scene_bytes,
            missing_files=export.submission.missing_files,
        )
        current.jobs.add(job)
        session.submit(job.key, export.submission, discard=export.folder)
        pump.start()
        for note in export.notes:
            self.report({"WARNING"}, note)
        self.report({"INFO"}, f"{job.title} is on its way to {job.server_url}")
        return {"FINISHED"}


class SENDOFF_OT_cancel(bpy.types.Operator):
    """Stop sending, or have the server cancel the job"""

    bl_idname = "sendoff.cancel"
    bl_label = "Cancel"
    bl_options = {"REGISTER"}  # noqa: RUF012

    job: bpy.props.StringProperty(name="Job", description="The job; the newest that goes on where it is empty")

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Grey where nothing goes on."""
        if current.jobs.active:
            return True
        cls.poll_message_set("No job is under way")
        return False

    def execute(self, _context: Any) -> set[str]:
        """Ask; the status bar tells when it is done."""
        job = current.jobs.find(self.job) if self.job else current.jobs.active[-1]
        if job is None or not job.is_active or (job.state is not None and job.state.is_final):
            self.report({"WARNING"}, "This job has ended already")
            return {"CANCELLED"}
        if current.jobs.is_elsewhere(job):
            self.report({"ERROR"}, f"This job runs on {job.server_url}: set that server to cancel it")
            return {"CANCELLED"}
        job.cancelling = True
        if job.id:
            current.session().cancel(job.id)
        else:
            current.session().stop_submit(job.key)
        pump.start()
        return {"FINISHED"}


class SENDOFF_OT_import_result(bpy.types.Operator):
    """Bring the result into the open scene, into a collection of its own"""

    bl_idname = "sendoff.import_result"
    bl_label = "Import Result"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    job: bpy.props.StringProperty(name="Job", description="The job; the newest with a result where it is empty")

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Grey where no result is here, or the artist is in the middle of something."""
        ready = [job for job in current.jobs.jobs if job.files]
        reason = results.why_not_now(ready[-1], context) if ready else "No result is here to be imported"
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: Any) -> set[str]:
        """Import it; this operator is the one undo step."""
        job = current.jobs.find(self.job) if self.job else _newest_result()
        reason = "This job is not known here" if job is None else results.why_not_now(job, context)
        if reason:
            self.report({"ERROR"}, reason)
            return {"CANCELLED"}
        job.problem = ""
        if not pump.import_and_say(job, context):
            self.report({"ERROR"}, job.problem)
            return {"CANCELLED"}
        pump.start()
        self.report({"INFO"}, job.imported)
        return {"FINISHED"}


class SENDOFF_OT_dismiss(bpy.types.Operator):
    """Take this job off the list; the server keeps it"""

    bl_idname = "sendoff.dismiss"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    job: bpy.props.StringProperty(name="Job")

    def execute(self, _context: Any) -> set[str]:
        """Forget a job that has ended."""
        job = current.jobs.find(self.job)
        if job is None or job in current.jobs.active:
            self.report({"WARNING"}, "A job that goes on cannot be dismissed; cancel it first")
            return {"CANCELLED"}
        current.forget(job)
        pump.start()
        return {"FINISHED"}


class SENDOFF_OT_look(bpy.types.Operator):
    """Ask the server which tasks its workers offer, and whether it knows you"""

    bl_idname = "sendoff.look"
    bl_label = "Check Server"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Grey where no server can be used."""
        reason = current.why_offline()
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, _context: Any) -> set[str]:
        """Ask in a thread; panel and preferences show the answer."""
        current.session().look()
        pump.start()
        return {"FINISHED"}


CLASSES = (SENDOFF_OT_process, SENDOFF_OT_cancel, SENDOFF_OT_import_result, SENDOFF_OT_dismiss, SENDOFF_OT_look)


def _params(text: str) -> dict[str, Any] | None:
    try:
        params = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return params if isinstance(params, dict) else None


def _newest_result() -> Job | None:
    ready = [job for job in current.jobs.jobs if job.files]
    waiting = [job for job in ready if job.wants_import]
    return (waiting or ready or [None])[-1]
