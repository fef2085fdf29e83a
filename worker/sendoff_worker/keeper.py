"""Holds a job's lease while its task runs, sends its progress and log, and hears when it has to stop.

A cancel comes over the control channel at once; the answer to every report and renewal tells of it as well.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

import redis

from sendoff.states import JobState
from sendoff_store import jobs
from sendoff_store.calls import SyncStore
from sendoff_store.jobs import Refused

from .control import Control, Listener
from .errors import StopReason
from .job_log import JobLog
from .progress import INTERVAL_SECONDS, STAGE_INTERVAL_SECONDS, Report, Reporter
from .settings import WorkerSettings

log = logging.getLogger("sendoff.worker")

_JOIN_SECONDS = 15.0
_LOG_SECONDS = 0.5
_PARENT_SECONDS = 1.0


class Keeper:
    """Keeps one attempt; `on_stop` is called once, from another thread, when the job has to stop."""

    def __init__(
        self,
        store: SyncStore,
        control: Control,
        settings: WorkerSettings,
        job: str,
        token: str,
        *,
        job_log: JobLog,
        on_stop: Callable[[StopReason], None],
    ) -> None:
        self._store = store
        self._control = control
        self._settings = settings
        self._job = job
        self._token = token
        self._job_log = job_log
        self._on_stop = on_stop
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._last_seq: int | None = None
        self._parent = os.getppid()
        self._deadline = time.monotonic() + settings.job_timeout_seconds
        self.reporter = Reporter(self._wake.set, self._hurry.set)
        self._is_in_doubt = False
        self._thread = threading.Thread(target=self._keep, name="sendoff-keeper", daemon=True)

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the job has to stop, if it has to."""
        return self.reporter.stop_reason

    def start(self) -> None:
        """Begin to keep."""
        self._thread.start()
        listener = Listener(lambda: self.stop(StopReason.CANCELLED), self._hear_shutdown, self._hear_doubt)
        self._control.listen(self._job, listener)

    def end(self) -> None:
        """Stop keeping, with the last report and log line sent."""
        self._control.forget(self._job)
        self._ended.set()
        self._wake.set()
        self._hurry.set()
        self._thread.join(_JOIN_SECONDS)

    def stop(self, reason: StopReason) -> None:
        """Have the job stop; the first reason counts."""
        with self._lock:
            if self.reporter.stop_reason is not None or self._ended.is_set():
                return
            self.reporter.stop_reason = reason
        log.info("Job %s has to stop: %s", self._job, reason.value,
                 extra={"action": f"job.stop.{reason.value}", "job": self._job})  # fmt: skip
        self._on_stop(reason)

    def _keep(self) -> None:
        """Send reports as they come, a new stage at once, else at most every INTERVAL_SECONDS; renew the lease
        when nothing was sent."""
        now = time.monotonic()
        renew_at, log_at, parent_at = now + self._settings.renew_seconds, now + _LOG_SECONDS, now + _PARENT_SECONDS
        is_running = False
        while not self._ended.is_set():
            self._wake.wait(max(min(renew_at, log_at, parent_at) - time.monotonic(), 0.001))
            self._wake.clear()
            self._hurry.clear()
            now = time.monotonic()
            reports = self.reporter.take()
            if reports and self.stop_reason is not StopReason.LEASE_LOST:
                for report in reports:
                    if self._send(report, None if is_running else JobState.RUNNING):
                        is_running = True
                renew_at = now + self._settings.renew_seconds
            elif now >= renew_at or self._is_in_doubt:
                self._is_in_doubt = False
                self._renew()
                renew_at = now + self._settings.renew_seconds
            if now >= log_at:
                self._keep_log()
                log_at = now + _LOG_SECONDS
            if now >= parent_at:
                if os.getppid() != self._parent:
                    self.stop(StopReason.RELEASED)
                if now > self._deadline:
                    self.stop(StopReason.TOO_LONG)
                parent_at = now + _PARENT_SECONDS
            if reports and not self._ended.wait(STAGE_INTERVAL_SECONDS):
                self._hurry.wait(INTERVAL_SECONDS - STAGE_INTERVAL_SECONDS)
        for last in self.reporter.take():
            if self.stop_reason is None:
                self._send(last, None)
        self._keep_log()

    def _send(self, report: Report, state: JobState | None) -> bool:
        call = jobs.report(
            self._job,
            token=self._token,
            lease_seconds=self._settings.lease_seconds,
            state=state,
            stage=report.stage,
            message=report.message,
            fraction=report.fraction,
            done=report.done,
            total=report.total,
            eta_seconds=report.eta_seconds,
            last_seq=self._last_seq,
        )
        try:
            answer = self._store.run(call)
        except redis.RedisError as error:
            log.warning("Progress of job %s is not kept: %s", self._job, error,
                        extra={"action": "job.report_failed", "job": self._job})  # fmt: skip
            return False
        if isinstance(answer, Refused):
            self.stop(StopReason.LEASE_LOST)
            return False
        self._last_seq = answer.seq
        if answer.cancel:
            self.stop(StopReason.CANCELLED)
        return True

    def _renew(self) -> None:
        try:
            answer = self._store.run(
                jobs.renew(self._job, token=self._token, lease_seconds=self._settings.lease_seconds)
            )
        except redis.RedisError as error:
            log.warning("The lease of job %s is not renewed: %s", self._job, error,
                        extra={"action": "job.renew_failed", "job": self._job})  # fmt: skip
            return
        if isinstance(answer, Refused):
            self.stop(StopReason.LEASE_LOST)
        elif answer:
            self.stop(StopReason.CANCELLED)

    def _keep_log(self) -> None:
        text = self._job_log.take()
        if not text or self.stop_reason is StopReason.LEASE_LOST:
            return
        call = jobs.append_log(
            self._job, token=self._token, text=text, retention_seconds=self._settings.retention_seconds
        )
        try:
            self._store.run(call)
        except redis.RedisError as error:
            log.warning("The log of job %s is not kept: %s", self._job, error,
                        extra={"action": "job.log_failed", "job": self._job})  # fmt: skip

    def _hear_doubt(self) -> None:
        """A cancel may have been missed: the answer to a renewal tells."""
        self._is_in_doubt = True
        self._wake.set()

    def _hear_shutdown(self) -> None:
        timer = threading.Timer(self._settings.shutdown_grace_seconds, self.stop, [StopReason.RELEASED])
        timer.daemon = True
        timer.start()
