"""Downloads: resumed where they broke off, checked against their sha256, and only then given their name."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .connection import Connection, is_passing
from .errors import ConnectionFailed, InputError, IntegrityError, SendoffError, ServerError, Stopped
from .manifest import check_paths

#: Called with the bytes that are here and the bytes of all files.
DownloadProgress = Callable[[int, int], None]

PATIENCE_SECONDS = 300.0

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 256 * 1024
_PAUSE_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class ResultFile:
    """A file of a job's result: its path, size in bytes, sha256 in hex, role and media type."""

    path: str
    size: int
    sha256: str
    role: str = "result"
    media_type: str = "application/octet-stream"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ResultFile:
        """Read the server's JSON; raises InputError where it is no file of a result."""
        try:
            return cls(
                path=str(data["path"]),
                size=int(data["size"]),
                sha256=str(data["sha256"]),
                role=str(data.get("role") or "result"),
                media_type=str(data.get("media_type") or "application/octet-stream"),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(f"The server names a file this version cannot read: {error!r}. Update Sendoff.") from error


def fetch(
    connection: Connection,
    job: str,
    files: Iterable[ResultFile],
    folder: Path,
    *,
    on_progress: DownloadProgress | None = None,
    stop: threading.Event | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> list[Path]:
    """Bring files of a job's result into a folder and return where they lie.

    A file that is already there with the right content is left alone. A broken download goes on where it broke,
    also in a later call. Raises ConnectionFailed after `patience_seconds` without a byte, IntegrityError where
    what arrives is not what was promised, Stopped, InputError where the folder cannot be written.
    """
    wanted = list(files)
    check_paths(file.path for file in wanted)  # a path from the network must not leave the folder
    for file in wanted:
        if not _SHA256.fullmatch(file.sha256) or file.size < 0:
            raise InputError(f"The server gives no usable size and sha256 for the file {file.path}. Run the job again.")
    total = sum(file.size for file in wanted)
    done = 0
    paths: list[Path] = []
    for file in wanted:
        before = done

        def report(size: int, before: int = before) -> None:
            if on_progress:
                on_progress(before + size, total)

        target = folder / file.path
        one = _Download(connection, job, file, target)
        one.report, one.stop, one.patience_seconds = report, stop or threading.Event(), patience_seconds
        try:
            one.run()
        except OSError as error:
            raise InputError(f"The file {target} cannot be written: {error.strerror or error}.") from error
        done += file.size
        paths.append(target)
    return paths


class _Download:
    report: Callable[[int], None]
    stop: threading.Event
    patience_seconds: float

    def __init__(self, connection: Connection, job: str, file: ResultFile, target: Path) -> None:
        self._connection = connection
        self._url_path = f"/v1/jobs/{quote(job, safe='')}/files/{quote(file.path)}"
        self._file = file
        self._target = target
        # The content's hash is in the name, so that a part is never continued with another file's bytes.
        name = target.name.encode()[:200].decode(errors="ignore")
        self._part = target.with_name(f"{name}.{file.sha256[:12]}.part")

    def run(self) -> None:
        if self._target.is_file() and self._target.stat().st_size == self._file.size:
            digest = hashlib.sha256()
            if _feed(digest, self._target) == self._file.size and digest.hexdigest() == self._file.sha256:
                self.report(self._file.size)
                return
        self._target.parent.mkdir(parents=True, exist_ok=True)
        for last_try in (False, True):
            self._complete_part()
            digest = hashlib.sha256()
            _feed(digest, self._part)
            if digest.hexdigest() == self._file.sha256:
                self._part.replace(self._target)
                self.report(self._file.size)
                return
            self._part.unlink()
            if last_try:
                raise IntegrityError(
                    f"The file {self._file.path} arrived damaged twice. Ask your administrator to check the "
                    f"server's disk, or run the job again."
                )

    def _complete_part(self) -> None:
        pauses = iter(_PAUSE_SECONDS)
        pause = _PAUSE_SECONDS[0]
        moved_at = time.monotonic()
        self._part.touch()
        while True:
            have = self._part.stat().st_size
            if have == self._file.size:
                return
            if have > self._file.size:
                self._part.unlink()
                self._part.touch()
                have = 0
            try:
                self._continue_part(have)
            except (ConnectionFailed, ServerError) as error:
                if self._part.stat().st_size != have:
                    moved_at, pauses = time.monotonic(), iter(_PAUSE_SECONDS)
                if not is_passing(error) or time.monotonic() - moved_at > self.patience_seconds:
                    raise
                pause = next(pauses, pause)
                self.stop.wait(pause)
            self._check()

    def _continue_part(self, have: int) -> None:
        import requests

        self._check()
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": f'"{self._file.sha256}"'}
        answer = self._connection.send(
            "GET", self._url_path, headers=headers, stream=True, repeatable=False, stop=self.stop
        )
        resumed = answer.status_code == 206
        size = have if resumed else 0
        try:
            with self._part.open("ab" if resumed else "wb") as out:
                for piece in answer.iter_content(_PIECE_BYTES):
                    self._check()
                    size += len(piece)
                    if size > self._file.size:
                        raise IntegrityError(
                            f"The server sends more than the {self._file.size} bytes of {self._file.path}."
                        )
                    out.write(piece)
                    self.report(size)
        except requests.exceptions.RequestException as error:
            raise ConnectionFailed(f"The download of {self._file.path} broke off. Check the network.") from error
        finally:
            answer.close()
        if size < self._file.size:
            raise ConnectionFailed(f"The download of {self._file.path} ended {self._file.size - size} bytes early.")

    def _check(self) -> None:
        if self.stop.is_set():
            raise _stopped(self._file.path)


def _feed(digest: hashlib._Hash, path: Path) -> int:
    size = 0
    with path.open("rb") as file:
        while True:
            piece = file.read(4 * _PIECE_BYTES)
            if not piece:
                return size
            digest.update(piece)
            size += len(piece)


def _stopped(path: str) -> SendoffError:
    return Stopped(f"The download of {path} was stopped. What arrived is kept: a new fetch goes on from there.")
