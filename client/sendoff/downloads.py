"""Downloads: resumed where they broke off, checked against their sha256, and only then given their name."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .connection import Connection
from .errors import ConnectionFailed, InputError, IntegrityError, SendoffError, Stopped
from .manifest import check_paths
from .patience import MOST_CUTS, OnWait, Patience, cut_for_good

#: Called with the bytes that are here and the bytes of all files.
DownloadProgress = Callable[[int, int], None]

#: As an upload's.
PATIENCE_SECONDS = 3600.0

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 256 * 1024


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
    on_wait: OnWait | None = None,
) -> list[Path]:
    """Bring files of a job's result into a folder and return where they lie.

    A file that is already there with the right content is left alone. A broken download goes on where it broke,
    also in a later call; `on_wait` is told why it waits, and "" once it goes on. Raises ConnectionFailed after
    `patience_seconds` without a byte (see `patience`), IntegrityError if what arrives is not what was promised,
    Stopped, InputError if the folder cannot be written.
    """
    wanted = list(files)
    check_paths(file.path for file in wanted)  # a path from the network must not leave the folder
    for file in wanted:
        if not _SHA256.fullmatch(file.sha256) or file.size < 0:
            raise InputError(f"The server gives no usable size and sha256 for the file {file.path}. Run the job again.")
    total = sum(file.size for file in wanted)
    done = 0
    stop = stop or threading.Event()
    patience = Patience(patience_seconds, stop, on_wait)
    paths: list[Path] = []
    for file in wanted:
        before = done

        def report(size: int, before: int = before) -> None:
            if on_progress:
                on_progress(before + size, total)

        target = folder / file.path
        one = _Download(connection, job, file, target)
        one.report, one.stop, one.patience = report, stop, patience
        try:
            one.run()
        except OSError as error:
            raise InputError(
                f"The file {target} cannot be written: {error.strerror or error}. Make room there, or choose another "
                f"results folder."
            ) from error
        done += file.size
        paths.append(target)
    return paths


class _Download:
    report: Callable[[int], None]
    stop: threading.Event
    patience: Patience

    def __init__(self, connection: Connection, job: str, file: ResultFile, target: Path) -> None:
        self._connection = connection
        self._url_path = f"/v1/jobs/{quote(job, safe='')}/files/{quote(file.path)}"
        self._file = file
        self._target = target
        # The content's hash is in the name, so that a part is never continued with another file's bytes.
        name = target.name.encode()[:200].decode(errors="ignore")
        self._part = target.with_name(f"{name}.{file.sha256[:12]}.part")
        self._furthest = self._cuts = 0

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
        self._part.touch()
        self._furthest = self._cuts = 0
        while not self._is_complete():
            self.patience.run(lambda: self._continue_part(self._part.stat().st_size), has_moved=False)

    def _is_complete(self) -> bool:
        have = self._part.stat().st_size
        if have > self._file.size:
            self._part.unlink()
            self._part.touch()
            return self._file.size == 0
        return have == self._file.size

    def _continue_part(self, have: int) -> None:
        if have >= self._file.size:  # all of it came before the connection broke
            return
        import requests

        self._check()
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": f'"{self._file.sha256}"'}
        answer = self._connection.send(
            "GET", self._url_path, headers=headers, stream=True, repeatable=False, stop=self.stop
        )
        self._cuts += 1
        if self._cuts > MOST_CUTS:
            answer.close()
            raise cut_for_good(f"The download of {self._file.path}")
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
                    if size > self._furthest:  # a proxy that always cuts at the same place brings nothing new
                        self._furthest = size
                        self._cuts = 0
                        self.patience.moved()
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
