"""Process on server: for the artist's click, which returns at once, and for scripts, which wait for the result."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import bpy

from . import any_mode, form, pump, results, scene_export, scene_settings, scopes, status_bar
from .current import desk, submitting
from .name_of import name_of
from .sendoff import InputError
from .sendoff.host import waiting
from .sendoff.host.jobs import Job
from .sendoff.host.status import model
from .sendoff.host.submitting import Order
from .sendoff.host.waiting import WAIT_SECONDS
from .sendoff.host.words import line
from .sendoff.scope import Scope
from .windows import some_window

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

#: Most that a script waits for the job's state to be on the disk.
_WRITE_SECONDS = 2.0


class SENDOFF_OT_process(bpy.types.Operator):
    """Send a copy of this scene to the server and go on working; the result comes back into the scene"""

    bl_idname = "sendoff.process"
    bl_label = "Process on Server"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender reads it

    task: bpy.props.StringProperty(
        name="Task", description="Name of the task to run, for example mesh.lods; empty: the one chosen in the scene"
    )
    params: bpy.props.StringProperty(
        name="Parameters",
        description="The task's parameters as a JSON object; empty: those that are set in the scene",
    )
    scope: bpy.props.EnumProperty(
        name="Scope",
        description="What of the scene is processed",
        items=scopes.SCOPES,
        options={"SKIP_SAVE"},
    )
    collection: bpy.props.StringProperty(
        name="Collection", description="Name of the collection, where that is the scope", options={"SKIP_SAVE"}
    )
    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Called from a script: wait until the result is in the scene. A click never waits",
        default=True,
        options={"SKIP_SAVE"},
    )
    timeout_seconds: bpy.props.FloatProperty(
        name="Longest Wait",
        description="How long a script waits; the job goes on after that",
        default=WAIT_SECONDS,
        min=0.0,
        subtype="TIME_ABSOLUTE",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """What the button does, with the task's own words where the server told them."""
        task = desk.find_task(properties.task) if properties.task else scene_settings.chosen_task(context.scene)
        return f"{cls.__doc__}. {task.description if task is not None else ''}".rstrip(". ")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Grey where no server can be used."""
        reason = why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[OperatorReturnItems]:
        """The artist's click: the status bar tells the rest."""
        job = self._begin(context)
        if job is None:
            return {"CANCELLED"}
        answer()
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[OperatorReturnItems]:
        """A script's call: save and send, and wait for the result unless told not to."""
        if not self.params:
            learn_task(self.task or scene_settings.of(context.scene).task_name)
        job = self._begin(context)
        if job is None:
            return {"CANCELLED"}
        job.is_import_asked = True
        submitting.save_and_send(job)
        reason = ""
        if job.problem is None and self.wait:
            wait_for(job, self.timeout_seconds)
            reason = bring(job)
        pump.start()
        return self._say(job, reason)

    def _begin(self, context: bpy.types.Context) -> Job | None:
        try:
            order = self._order(context)
        except InputError as error:
            self.report({"ERROR"}, str(error))
            return None
        return begin(order, order.scene_name)

    def _order(self, context: bpy.types.Context) -> Order:
        """What was asked for; raises InputError where it makes no sense."""
        settings = scene_settings.of(context.scene)
        reason = "" if self.task else scene_settings.why_no_task(context.scene)
        if reason:
            raise InputError(f"{reason}.")
        known = desk.find_task(self.task) if self.task else scene_settings.chosen_task(context.scene)
        name = self.task or (known.name if known is not None else settings.task_name)
        if self.params:
            params = _read_params(self.params)
        else:
            params = form.params(context.scene, known) if known is not None else {}
        return Order(
            task=name,
            params=params,
            scope=self._scope(context),
            lod_placement=settings.lod_placement,
            scene_name=name_of(context.scene),
            view_layer_name=name_of(context.view_layer),
        )

    def _scope(self, context: bpy.types.Context) -> Scope | None:
        settings = scene_settings.of(context.scene)
        if not self.properties.is_property_set("scope"):
            return scopes.scope_of(settings.scope, settings.collection, context) if not self.task else None
        collection = bpy.data.collections.get(self.collection) if self.collection else settings.collection
        if self.collection and collection is None:
            raise InputError(f"There is no collection “{self.collection}” in this file.")
        return scopes.scope_of(self.scope, collection, context)

    def _say(self, job: Job, reason: str) -> set[OperatorReturnItems]:
        """Report how it ended; an error, and `reason` if there is one, is an exception for a script."""
        said = line(job, desk.jobs.connectivity, time.time())
        for note in job.notes:
            self.report({"WARNING"}, note)
        if job.problem is not None:
            self.report({"ERROR"}, f"{job.name}: {job.problem.text}")
            return {"CANCELLED"}
        if reason:
            self.report({"ERROR"}, f"{job.name}: {reason}")
            return {"CANCELLED"}
        if job.is_active and self.wait:
            self.report({"ERROR"}, f"{job.name}: still {said.text} when the wait ended; the job goes on")
            return {"CANCELLED"}
        for note in (*job.warnings, *job.import_notes):
            self.report({"WARNING"}, note)
        self.report({"INFO"}, f"{job.name}: {said.text}")
        return {"FINISHED"}


CLASSES = (SENDOFF_OT_process,)


def why_not(context: bpy.types.Context) -> str:
    """Why nothing can be processed now, as a sentence; "" where it can."""
    reason = desk.why_offline()
    if reason:
        return reason
    if context.scene is None:
        return "No scene is open"
    return ""


def begin(order: Order, scene_name: str) -> Job:
    """Make the job that an order becomes, named after the open file."""
    return submitting.begin(order, title=scene_export.scene_title(), scene_name=scene_name)


def answer() -> None:
    """Show a click's job at once; the pump saves its copy after that was drawn."""
    status_bar.show_at_once()
    status_bar.show(model(desk.jobs))
    pump.start()


def learn_task(name: str) -> None:
    """Have a task known before a scene's values for it are read."""
    waiting.learn_task(desk, name, pump.work)


def wait_for(job: Job, timeout_seconds: float) -> None:
    """Run the pump until a job's result is in its scene, or it has ended otherwise, or the time is over."""
    waiting.wait_for(
        desk, job, timeout_seconds, pump=pump.pump, is_over=lambda: _is_over(job), prints=bpy.app.background
    )


def bring(job: Job) -> str:
    """For a script: have the result of an ended job in the scene, in whatever mode; returns why that cannot be."""
    if not job.wants_import:
        return ""
    where = f"Its files are in {job.files[0].path.parent}."
    if not desk.came_from_open_file(job):
        return f"another file is open now, so the result was not imported. {where}"
    try:
        desk.writing().flush(_WRITE_SECONDS)  # our threads are idle while operators run: see any_mode
        with some_window():
            shown = results.scenes_of(job, bpy.context)
        with contextlib.ExitStack() as modes:
            for scene, view_layer in shown:
                modes.enter_context(any_mode.object_mode(scene, view_layer))
            with some_window():
                reason = results.why_not_now(job, bpy.context)
            if reason:
                return f"the result was not imported. {reason}. {where}"
            pump.import_as_one_step(job, bpy.context)
            desk.writing().flush(_WRITE_SECONDS)
    except any_mode.CannotLeaveMode as error:
        return f"{error}. {where}"
    return ""


def _is_over(job: Job) -> bool:
    """Whether nothing more comes of a job by itself; its result may still have to be brought in."""
    return not (job.is_active or job.is_saving)


def _read_params(text: str) -> dict[str, Any]:
    try:
        params = json.loads(text)
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise InputError(f'The parameters are not a JSON object like {{"levels": 3}}: {text[:200]}')
    return params
