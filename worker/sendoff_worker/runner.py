"""One attempt at one job: take the lease, fill the folder, run the task, keep the result, say how it ended."""

from __future__ import annotations

import errno
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import redis

from sendoff.errors import ManifestError
from sendoff.manifest import Manifest
from sendoff.states import JobState
from sendoff_store import jobs, offers, routing
from sendoff_store.blobs import BlobStore
from sendoff_store.calls import Call, SyncStore
from sendoff_store.errors import ChunkDamaged, ChunkMissing, DiskFull, NoRuntime
from sendoff_store.files import store_file
from sendoff_store.jobs import Refused
from sendoff_store.records import JobRecord
from sendoff_store.scene_needs import SceneNeeds

from . import openjd, registry
from .blender.limits import Limits
from .blender.runtimes import Runtime
from .blender.sandbox import NONE, Sandbox
from .blender.spare import Spare
from .context import Context, Outcome
from .control import Control
from .errors import JobInterrupted, SceneNotOpened, StopReason, TaskFailed
from .interrupts import Interrupter, end_process
from .job_log import JobLog, JobLogHandler, PrintRouter
from .keeper import Keeper
from .progress import Reporter
from .settings import WorkerSettings
from .workspace import Workspace

log = logging.getLogger("sendoff.worker")

_KEEP_TRYING_SECONDS = 120.0
T = TypeVar("T")


class Runner:
    """Runs jobs one after the other in this process."""

    def __init__(
        self,
        settings: WorkerSettings,
        store: SyncStore,
        blobs: BlobStore,
        blenders: Sequence[Runtime],
        *,
        sandbox: Sandbox = NONE,
    ) -> None:
        self.settings = settings
        self.store = store
        self.blobs = blobs
        self.blenders = blenders
        self.control = Control(settings.redis_url, settings.worker_name)
        self.spare = Spare(
            blenders[-1] if blenders else None,
            work_dir=settings.work_dir,
            limits=Limits(
                memory_bytes=settings.blender_memory_bytes,
                cpu_seconds=settings.job_timeout_seconds,
                file_bytes=settings.blender_file_bytes,
                disk_bytes=settings.blender_disk_bytes,
                processes=settings.blender_processes,
            ),
            is_wanted=settings.warm_blender,
            sandbox=sandbox,
        )

    def warm_up(self) -> None:
        """Start a spare Blender."""
        self.spare.prepare()

    def close(self) -> None:
        """End the spare Blender."""
        self.spare.close()

    def run(self, job: str) -> None:
        """Run a job, if it is still to be run; what goes wrong ends up in its record and in the log."""
        token = secrets.token_hex(12)
        taken = self.insist(
            jobs.take_lease(
                job,
                token=token,
                worker=self.settings.worker_name,
                lease_seconds=self.settings.lease_seconds,
                retention_seconds=self.settings.retention_seconds,
            )
        )
        if isinstance(taken, Refused):
            log.info("Job %s is not run: %s", job, taken.reason, extra={"action": "job.refused", "job": job})
            return
        log.info("Job %s (%s) begins, attempt %d", job, taken.task, taken.attempt,
                 extra={"action": "job.start", "job": job})  # fmt: skip
        try:
            _Attempt(self, taken, token).run()
        finally:
            self.spare.leave_room()
        self.warm_up()

    def insist(self, call: Call[T]) -> T:
        """Run a call, again and again while Redis does not answer."""
        deadline = time.monotonic() + _KEEP_TRYING_SECONDS
        while True:
            try:
                return self.store.run(call)
            except redis.RedisError as error:
                if time.monotonic() > deadline:
                    raise
                log.warning("Redis does not answer, trying again: %s", error, extra={"action": "redis.retry"})
                time.sleep(0.5)


class _Attempt:
    def __init__(self, runner: Runner, record: JobRecord, token: str) -> None:
        self._runner = runner
        self._settings = runner.settings
        self._record = record
        self._token = token
        self._context: Context | None = None
        self._killer: threading.Timer | None = None
        self._log = JobLog(on_line=self._openjd)
        self._keeper = Keeper(
            runner.store, runner.control, self._settings, record.id, token, job_log=self._log, on_stop=self._on_stop
        )
        self._reporter: Reporter = self._keeper.reporter
        self._interrupter = Interrupter(self._reporter)

    def run(self) -> None:
        """Everything between the lease and the final state."""
        self._log.write(f"Attempt {self._record.attempt} on {self._settings.worker_name}")
        handler = JobLogHandler(self._log)
        logging.getLogger().addHandler(handler)
        self._keeper.start()
        try:
            finish = self._guarded()
        finally:
            if self._killer is not None:
                self._killer.cancel()
            logging.getLogger().removeHandler(handler)
        self._keeper.end()
        finish()

    def _guarded(self) -> Callable[[], None]:
        """Run the task; returns what is to be written, once the keeper has written its last."""
        try:
            result = self._work()
        except JobInterrupted as interrupted:
            return partial(self._stopped, interrupted.reason)
        except Exception as error:
            return self._failed(error)
        return partial(self._finish, JobState.SUCCEEDED, _message(result), result)

    def _failed(self, error: Exception) -> Callable[[], None]:
        """What an error of the task, or of its surroundings, means for the job."""
        if isinstance(error, SceneNotOpened):
            needs = replace(self._record.needs, unable=(*self._record.needs.unable, *error.tried))
            route = self._route_elsewhere(needs)
            if route is not None:
                self._log.write(f"Handed on to the queue {route.queue}: {error}")
                return partial(self._hand_on, needs, route)
        if isinstance(error, TaskFailed):
            return self._failure("task", str(error))
        if isinstance(error, ChunkMissing | ChunkDamaged | ManifestError):
            self._log.write(str(error))
            return self._failure("input", "The job's files are not complete on the server. Submit it again.")
        if isinstance(error, DiskFull):
            return self._failure("disk_full", str(error))
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return self._failure("disk_full", "The worker's disk is full. Ask an administrator for room.")
        return self._bug(error)

    def _route_elsewhere(self, needs: SceneNeeds) -> routing.Route | None:
        """Where another Blender may open the scene; None if no live worker has one."""
        task = registry.find(self._record.task)
        if task is None:
            return None
        try:
            route = routing.choose(task.info(), needs=needs, offers=offers.offers_now(self._runner.store.redis))
        except (NoRuntime, redis.RedisError):
            return None
        return route if route.served else None

    def _hand_on(self, needs: SceneNeeds, route: routing.Route) -> None:
        self._runner.insist(
            jobs.hand_on(
                self._record.id,
                token=self._token,
                needs=needs,
                queue=route.queue,
                message="Waiting for another Blender: this one cannot open the scene",
                retention_seconds=self._settings.retention_seconds,
            )
        )
        log.info("Job %s is handed on to %s", self._record.id, route.queue,
                 extra={"action": "job.handed_on", "job": self._record.id})  # fmt: skip

    def _work(self) -> dict[str, Any]:
        record = self._record
        task = registry.find(record.task)
        if task is None:
            raise TaskFailed(
                f"The worker {self._settings.worker_name} has no task {record.task}. Submit the job again."
            )
        text = self._runner.insist(jobs.manifest(record.id))
        manifest = Manifest.from_dict(json.loads(text or '{"files": []}'))
        with Workspace(self._runner.spare.room, record.id) as workspace:
            if manifest.files:
                self._reporter.stage("Preparing", "Getting the scene")
                workspace.fill(self._runner.blobs, manifest, self._told)
            context = self._context = Context(
                job=record.id,
                manifest=manifest,
                input=workspace.input,
                output=workspace.output,
                temporary=workspace.temporary,
                needs=record.needs,
                reporter=self._reporter,
                job_log=self._log,
                blenders=self._runner.blenders,
                spare=self._runner.spare,
                kill_grace_seconds=self._settings.kill_grace_seconds,
            )
            self._reporter.stage(task.title, "Started")
            self._reporter.begin_task()
            try:
                with PrintRouter.install().into(self._log), self._interrupter.allowed():
                    task.run(context, record.params)
            finally:
                context.close()
            self._reporter.end_task()
            return self._keep(context.outcome)

    def _keep(self, outcome: Outcome) -> dict[str, Any]:
        """Bring the output files into the store; returns the result as it is recorded."""
        files = []
        if outcome.files:
            self._reporter.stage("Saving", "Keeping the result")
        for number, output in enumerate(outcome.files):
            self._reporter.progress(None, f"Keeping {output.path}", number, len(outcome.files))
            entry = store_file(
                self._runner.blobs, output.source, path=output.path, role=output.role, media_type=output.media_type
            )
            files.append(entry.to_dict())
        warnings = [f"The scene names {path}, which was not sent." for path in self._record.missing_files]
        return {
            "files": files,
            "summary": outcome.summary,
            "warnings": [*warnings, *outcome.warnings],
            "error": None,
        }

    def _told(self, done: int, total: int, path: str) -> None:
        percent = done * 100 // total if total else 100
        self._reporter.progress(None, f"Getting {path} ({percent} %)" if path else "Got the scene", done, total)

    def _openjd(self, line: str) -> None:
        said = openjd.parse(line)
        if said is not None and self._reporter.stop_reason is None and (said.status or said.fraction is not None):
            self._reporter.progress(said.fraction, said.status)

    def _on_stop(self, reason: StopReason) -> None:
        """Called by the keeper's threads: end what the task has started, then the task, at last this process."""
        self._killer = threading.Timer(self._settings.kill_grace_seconds + 2, self._give_up, [reason])
        self._killer.daemon = True
        self._killer.start()
        if self._context is not None:
            self._context.kill_children()
        self._interrupter.interrupt(reason)

    def _give_up(self, reason: StopReason) -> None:
        """The task does not end: write the end for it, and end the process that it holds."""
        if not self._interrupter.can_end_process:
            return
        log.error("Job %s does not stop; its process is ended", self._record.id,
                  extra={"action": "job.killed", "job": self._record.id})  # fmt: skip
        try:
            self._stopped(reason)
            self._runner.close()
        finally:
            end_process()

    def _stopped(self, reason: StopReason) -> None:
        if reason is StopReason.CANCELLED:
            self._finish(JobState.CANCELLED, "Cancelled", _error("cancelled", "The job was cancelled."))
        elif reason is StopReason.TOO_LONG:
            limit = self._settings.job_timeout_seconds
            text = f"The job took longer than the {limit:g} s that this server allows."
            self._finish(JobState.FAILED, text, _error("too_long", text))
        elif reason is StopReason.RELEASED:
            self._runner.insist(
                jobs.release(self._record.id, token=self._token, retention_seconds=self._settings.retention_seconds)
            )
            log.info("Job %s goes back to its queue", self._record.id,
                     extra={"action": "job.released", "job": self._record.id})  # fmt: skip
        else:
            log.warning("Job %s belongs to another attempt now; nothing is written", self._record.id,
                        extra={"action": "job.lease_lost", "job": self._record.id})  # fmt: skip

    def _failure(self, kind: str, detail: str) -> Callable[[], None]:
        self._log.write(f"failed: {detail}")
        return partial(self._finish, JobState.FAILED, detail, _error(kind, detail))

    def _bug(self, error: Exception) -> Callable[[], None]:
        log.error("Job %s: the task %s made a mistake", self._record.id, self._record.task, exc_info=error,
                  extra={"action": "job.bug", "job": self._record.id})  # fmt: skip
        return self._failure(
            "bug", f"The task {self._record.task} made a mistake ({type(error).__name__}). The job's log shows where."
        )

    def _finish(self, state: JobState, message: str, result: dict[str, Any]) -> None:
        answer = self._runner.insist(
            jobs.finish(
                self._record.id,
                token=self._token,
                state=state,
                message=message,
                result=result,
                retention_seconds=self._settings.retention_seconds,
            )
        )
        outcome = f"refused, {answer.reason}" if isinstance(answer, Refused) else state.value
        log.info("Job %s ends: %s", self._record.id, outcome,
                 extra={"action": f"job.{state.value}", "job": self._record.id})  # fmt: skip


def _error(kind: str, detail: str) -> dict[str, Any]:
    return {"files": [], "summary": {}, "warnings": [], "error": {"kind": kind, "detail": detail}}


def _message(result: dict[str, Any]) -> str:
    count = len(result["warnings"])
    return "Done" if not count else f"Done, with {count} warning{'s' if count > 1 else ''}"
