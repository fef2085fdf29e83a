"""Writes down what is remembered of jobs, in a thread: a disk that is busy with an upload must not hold up the artist.

What is written is taken from the job at once, and what was asked for twice meanwhile is
written once, as it was the last time.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import shutil
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from . import job_files
from .jobs import Job
from .outbox import Parcel


@dataclass(frozen=True)
class _Discard:
    """A folder that goes once all before it is written."""

    folder: Path


#: A file and what is to be in it (None: it is removed); a folder to remove; something to do; an event to set when all
#: before it is done; None to end.
_File = tuple[Path, Union[Mapping[str, Any], None]]
_Asked = Union[_File, _Discard, Callable[[], None], threading.Event, None]


class JobWriter:
    """Writes into one folder, in the order asked, in a daemon thread of its own until `close`.

    What cannot be written is not there after a restart, and the artist goes on. Asking takes no lock: the main
    thread would wait with it for threads that wait for the main thread.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="sendoff-write", daemon=True)
        self._thread.start()

    def save(self, job: Job, *, keeper: str) -> None:
        """Write what changes of a job; `keeper` is the host application that has it."""
        self._asked.put((job_files.file_of(job, self._folder), job_files.to_dict(job, keeper=keeper)))

    def save_sent(self, job: Job, parcel: Parcel) -> None:
        """Write what is sent."""
        self._asked.put((job_files.sent_file_of(job, self._folder), job_files.sent_to_dict(job, parcel)))

    def remove(self, job: Job) -> None:
        """Forget a job."""
        self._asked.put((job_files.file_of(job, self._folder), None))
        self._asked.put((job_files.sent_file_of(job, self._folder), None))

    def discard(self, folder: Path) -> None:
        """Remove a folder, after what was asked for before: a copy goes once it is written that the server has it."""
        self._asked.put(_Discard(folder))

    def do(self, work: Callable[[], None]) -> None:
        """Have something else written, after what was asked for before; an OSError of it is let go."""
        self._asked.put(work)

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until all that was asked for is written; False where that takes longer."""
        written = threading.Event()
        self._asked.put(written)
        return written.wait(timeout_seconds)

    def close(self, timeout_seconds: float) -> bool:
        """Write what is left and end; False where that takes longer."""
        self._asked.put(None)
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        asked: list[_Asked] = []
        while None not in asked:
            asked = [self._asked.get()]
            with contextlib.suppress(queue.Empty):
                while True:
                    asked.append(self._asked.get_nowait())
            files = {item[0]: item[1] for item in asked if isinstance(item, tuple)}
            for path, data in files.items():
                _survive(functools.partial(_write, path, data))
            for item in asked:
                if isinstance(item, _Discard):
                    _survive(functools.partial(shutil.rmtree, item.folder, ignore_errors=True))
                elif isinstance(item, threading.Event):
                    item.set()
                elif callable(item):
                    _survive(item)


def _write(path: Path, data: Mapping[str, Any] | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
        return
    try:
        job_files.write(path, data)
    except OSError:
        raise
    except Exception:  # something in it cannot be written: the job is remembered without it
        traceback.print_exc()
        job_files.write(path, job_files.plain(data))


def _survive(work: Callable[[], None]) -> None:
    """Do it, and go on whatever comes of it: without this thread no job would be remembered any more."""
    try:
        work()
    except OSError:
        pass  # a full disk: it is not there after a restart
    except Exception:
        traceback.print_exc()
