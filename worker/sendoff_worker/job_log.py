"""A job's log: what Blender, programs and Python's logging say while it runs."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

MOST_BYTES = 1024 * 1024
_CUT = "... the log is cut here: it has reached its limit of 1 MiB\n"


class JobLog:
    """Lines that wait to be kept; written from any thread."""

    def __init__(self, *, on_line: Callable[[str], None] | None = None) -> None:
        self._on_line = on_line
        self._lock = threading.Lock()
        self._waiting: list[str] = []
        self._bytes = 0

    def write(self, line: str) -> None:
        """Add one line."""
        line = line.rstrip("\r\n")
        if self._on_line is not None:
            self._on_line(line)
        text = f"{time.strftime('%H:%M:%S')} {line}\n"
        with self._lock:
            if self._bytes > MOST_BYTES:
                return
            self._bytes += len(text.encode("utf-8", "replace"))
            self._waiting.append(text if self._bytes <= MOST_BYTES else _CUT)

    def take(self) -> str:
        """What is new since the last call."""
        with self._lock:
            text, self._waiting = "".join(self._waiting), []
        return text


class JobLogHandler(logging.Handler):
    """Brings what is logged in this process into the job's log; only of the thread that runs the task."""

    def __init__(self, job_log: JobLog) -> None:
        super().__init__(logging.INFO)
        self._job_log = job_log
        self._thread = threading.get_ident()
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        if record.thread == self._thread:
            for line in self.format(record).splitlines():
                self._job_log.write(line)


class PrintRouter(io.TextIOBase):
    """Stands in the place of `sys.stdout`: what a thread prints while it runs a job goes into that job's log."""

    def __init__(self, original: TextIO) -> None:
        self._original = original
        self._logs: dict[int, JobLog] = {}
        self._begun: dict[int, str] = {}

    @classmethod
    def install(cls) -> PrintRouter:
        """The router of this process, put in place at the first call."""
        if not isinstance(sys.stdout, cls):
            sys.stdout = cls(sys.stdout)
        return sys.stdout

    @contextlib.contextmanager
    def into(self, job_log: JobLog) -> Iterator[None]:
        """Send what this thread prints into a job's log."""
        thread = threading.get_ident()
        self._logs[thread] = job_log
        try:
            yield
        finally:
            del self._logs[thread]
            rest = self._begun.pop(thread, "")
            if rest:
                job_log.write(rest)

    def write(self, text: str, /) -> int:
        """Take a piece of text; whole lines are passed on."""
        thread = threading.get_ident()
        job_log = self._logs.get(thread)
        if job_log is None:
            return self._original.write(text)
        *lines, rest = (self._begun.pop(thread, "") + text).split("\n")
        for line in lines:
            job_log.write(line)
        if rest:
            self._begun[thread] = rest
        return len(text)

    def flush(self) -> None:
        """Pass on what waits outside of jobs."""
        self._original.flush()

    def fileno(self) -> int:
        """The original's, for programs that are started with it."""
        return self._original.fileno()
