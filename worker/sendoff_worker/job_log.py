"""A job's log: what Blender, programs and Python's logging say while it runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

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
