"""How much one Blender may use: what the kernel keeps to, and what has to be watched since the kernel does not.

The kernel limits each process alone. What all of them together use, which a scene that means harm spreads over many, is
looked at several times a second.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("sendoff.worker")

_OPEN_FILES = 4096
_CPU_MARGIN_SECONDS = 60
_SIGNAL_SECONDS = 2
_LOOK_SECONDS = 0.2
_DISK_SECONDS = 1.0
#: Looking at all files takes at most this share of the time.
_DISK_SHARE = 0.05
#: What a file takes at least, its entry included: so that a million empty ones count as well.
_FILE_BYTES = 4096
_GIB = 1024**3
#: Said where the kernel has cut a file off; the script inside Blender says the same.
TOO_LARGE_A_FILE = (
    "Blender wrote a file that is larger than this worker allows. Send a smaller scene, or ask an administrator to "
    "raise SENDOFF_BLENDER_FILE_BYTES."
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one Blender and all that it starts may use; 0 is no limit, for memory as much as the machine has."""

    memory_bytes: int = 0
    #: Of the time by the clock; processors are counted in.
    cpu_seconds: float
    #: The largest file that it may write.
    file_bytes: int = 0
    #: All that it may write.
    disk_bytes: int = 0
    #: Processes and threads.
    processes: int = 0

    def impose(self, pid: int, *, has_own_users: bool) -> None:
        """Have the kernel keep a process to them; on systems without them the job's time limit still holds.

        The number of processes is counted for each user, so it is limited only where users are counted anew.
        """
        if sys.platform != "linux":
            return
        import resource

        limits = {
            resource.RLIMIT_DATA: self.memory_bytes or _machine_bytes(),
            resource.RLIMIT_CPU: int(self.cpu_seconds * (os.cpu_count() or 1)) + _CPU_MARGIN_SECONDS,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_NOFILE: _OPEN_FILES,
        }
        if self.file_bytes:
            limits[resource.RLIMIT_FSIZE] = self.file_bytes
        if self.processes and has_own_users and _counts_by_namespace(os.uname().release):
            limits[resource.RLIMIT_NPROC] = self.processes
        for limit, wanted in limits.items():
            try:
                _, hard = resource.prlimit(pid, limit)
                value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
                # At the hard limit of processor time a process is killed without a word, so its signal comes before.
                soft = max(value - _SIGNAL_SECONDS, 1) if limit == resource.RLIMIT_CPU else value
                resource.prlimit(pid, limit, (soft, value))
            except ProcessLookupError:
                return
            except (OSError, ValueError) as error:
                log.warning("A limit of Blender cannot be set: %s", error, extra={"action": "blender.limit"})


class Watch:
    """Looks at a process and all that it has started, and says what is too much; used from one thread."""

    def __init__(self, limits: Limits, pid: int, folder: Path) -> None:
        """What is in the folder now is not counted as written."""
        self._limits = limits
        self._pid = pid
        self._folder = folder
        self._next_look = 0.0
        self._next_disk_look = 0.0
        self._bytes_before = 0
        if limits.disk_bytes:
            with contextlib.suppress(OSError):  # then it is counted
                self._bytes_before = _bytes_in(folder)

    def offence(self) -> str:
        """A sentence where a limit is broken; "" where none is, or where it is too early to look again."""
        now = time.monotonic()
        if now < self._next_look or sys.platform != "linux":
            return ""
        pids = [self._pid, *descendants(self._pid)]
        said = self._too_many(pids) or self._too_much_memory(pids)
        if not said and now >= self._next_disk_look:
            said = self._too_much_written(pids)
            took = time.monotonic() - now
            self._next_disk_look = now + max(_DISK_SECONDS, took / _DISK_SHARE)
        self._next_look = time.monotonic() + _LOOK_SECONDS
        return said

    def _too_many(self, pids: list[int]) -> str:
        most = self._limits.processes
        if not most or sum(map(_threads, pids)) <= most:
            return ""
        return (
            f"Blender started more than {most} processes and threads, and was ended. If the task needs so many, ask "
            "an administrator to raise SENDOFF_BLENDER_PROCESSES."
        )

    def _too_much_memory(self, pids: list[int]) -> str:
        most = self._limits.memory_bytes or _machine_bytes()
        # What processes share counts for each of them in the first sum, which is cheap; the second one divides it.
        if sum(map(_resident_bytes, pids)) <= most or sum(map(_own_bytes, pids)) <= most:
            return ""
        return (
            f"Blender used more than the {_size(most)} of memory that this worker allows, and was ended. Send a "
            "smaller scene, or ask an administrator for a larger worker."
        )

    def _too_much_written(self, pids: list[int]) -> str:
        most = self._limits.disk_bytes
        if not most:
            return ""
        try:
            used = _bytes_in(self._folder) + _nameless_bytes(pids)
        except OSError as error:
            log.warning("A job's folder cannot be measured: %s", error, extra={"action": "blender.unmeasured"})
            return "Blender made folders that the worker cannot look into, and was ended. Look at the task's script."
        if used - self._bytes_before <= most:
            return ""
        return (
            f"Blender wrote more than the {_size(most)} that this worker allows, and was ended. Send a smaller scene, "
            "or ask an administrator to raise SENDOFF_BLENDER_DISK_BYTES."
        )


def descendants(pid: int) -> list[int]:
    """All that a process has started and what that has, on Linux; its own children first."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for path in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                started = [int(child) for child in path.read_text().split()]
                found += started
                waiting += started
    return found


def _counts_by_namespace(release: str) -> bool:
    """Whether a kernel counts a user's processes in each user namespace alone, as it does from 5.14 on."""
    numbers = [int(part) for part in release.split("-", maxsplit=1)[0].split(".")[:2] if part.isdigit()]
    return tuple(numbers) >= (5, 14)


def _machine_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _threads(pid: int) -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - several times a second
    return 0


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _own_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _bytes_in(folder: Path) -> int:
    """What a folder takes on the disk; raises OSError where something in it cannot be looked at."""
    total = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += _taken(entry.stat(follow_symlinks=False))
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except FileNotFoundError:  # it was removed meanwhile
            continue
    return total


def _nameless_bytes(pids: list[int]) -> int:
    """What is written into files that have no name any more, or never had: on the disk or in memory."""
    found: dict[tuple[int, int], int] = {}
    for pid in pids:
        for status in _open_files(pid):
            if status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
                found[status.st_dev, status.st_ino] = _taken(status)
    return sum(found.values())


def _open_files(pid: int) -> Iterator[os.stat_result]:
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                yield entry.stat()


def _taken(status: os.stat_result) -> int:
    return max(status.st_blocks * 512, _FILE_BYTES)


def _size(count: int) -> str:
    return f"{count / _GIB:.1f} GiB" if count >= _GIB else f"{count / 1024**2:.0f} MiB"
