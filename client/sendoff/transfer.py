"""Upload: cut, hash, ask what is missing, send that in packs on several connections, all at the same time."""

from __future__ import annotations

import itertools
import math
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from .chunking import Chunk, Cutting
from .compression import Compression
from .connection import Connection
from .encodings import IDENTITY, choose_encoding
from .errors import ConnectionFailed, InputError, Stopped
from .manifest import ChunkRef, FileEntry, Manifest
from .packs import FRAME_HEAD_BYTES, PackWriter
from .patience import MOST_CUTS, OnWait, Patience, Result, cut_for_good
from .protocol import MISSING_PER_CALL, PACK_BYTES, PACK_CHUNKS, PACK_MEDIA_TYPE, PACK_RAW_BYTES, PARALLEL
from .regular_files import open_file
from .submission import SceneFile
from .transfer_body import Body, Progress, UploadProgress
from .unsteady_files import PAUSES_SECONDS, Fault, UnsteadyFiles, changed, unreadable

#: Called with an external file that could not be sent, and why: "it changed while it was sent".
OnLeftOut = Callable[[SceneFile, str], None]

#: A machine that sleeps does not count, a night without the VPN does not fit in.
PATIENCE_SECONDS = 3600.0

_ASK_FIRST_BYTES = 8 * 1024 * 1024
_ASK_BYTES = 64 * 1024 * 1024
#: After a break what is sent at once is halved, down to this: something in between may cut each connection.
_SMALLEST_BYTES = 16 * 1024


@dataclass(frozen=True)
class _Source:
    """Where the bytes of a chunk are."""

    path: Path
    chunk: Chunk


def upload(
    connection: Connection,
    files: Sequence[SceneFile],
    *,
    known: Collection[str] = (),
    encodings: Iterable[str] = (),
    parallel: int = PARALLEL,
    pack_bytes: int = PACK_BYTES,
    on_progress: Optional[UploadProgress] = None,  # noqa: UP045 - an alias that must be readable on 3.9
    stop: threading.Event | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    on_wait: OnWait | None = None,
    on_left_out: OnLeftOut | None = None,
) -> Manifest:
    """Bring files to the server and return their manifest; sends only the chunks that the server lacks.

    A broken connection is survived: what is missing is asked again and the rest is sent, until nothing could be
    sent for `patience_seconds` (see `patience`); `on_wait` is told why it waits, and "" once it goes on. Chunks that
    are `known` (see `hints`) are neither asked for nor sent. `encodings` (the server's `pack_encodings`), `parallel`
    and `pack_bytes` come from `GET /v1/server`.

    A file that changes meanwhile or cannot be read is read again some seconds later. If that does not help, an
    external one is left out of the manifest and `on_left_out` is told; without it, or for another file, InputError is
    raised. Raises also ConnectionFailed, a ServerError, Stopped.
    """
    stop = stop or threading.Event()
    run = _Upload(connection, on_progress, stop, Patience(patience_seconds, stop, on_wait))
    run.known = known
    run.compression = Compression(choose_encoding(encodings), loopback=connection.is_loopback)
    run.pack_bytes = min(pack_bytes, PACK_BYTES, PACK_RAW_BYTES)
    run.on_left_out = on_left_out
    return run.run(files, max(1, min(parallel, 2 * PARALLEL)))


def missing_chunks(
    connection: Connection,
    sha256s: Sequence[str],
    *,
    stop: threading.Event | None = None,
    on_sent: Callable[[int], None] | None = None,
    patience_seconds: float | None = None,
) -> list[str]:
    """Those of the chunks that the server lacks, in the order asked; `on_sent` is told the bytes of each question."""
    lacking: list[str] = []
    for start in range(0, len(sha256s), MISSING_PER_CALL):
        page = list(sha256s[start : start + MISSING_PER_CALL])
        answer = connection.json(
            "POST", "/v1/chunks/missing", json={"chunks": page}, repeatable=True, stop=stop, on_sent=on_sent,
            patience_seconds=patience_seconds,
        )  # fmt: skip
        lacking += [str(sha256) for sha256 in answer.get("missing") or ()]
    return lacking


class _Upload:
    def __init__(
        self, connection: Connection, on_progress: UploadProgress | None, stop: threading.Event, patience: Patience
    ) -> None:
        self._connection = connection
        self._stop = stop
        self._progress = Progress(on_progress)
        self._failed = threading.Event()
        self._patience = patience
        self.known: Collection[str] = ()
        self.compression = Compression(IDENTITY)
        self.pack_bytes = PACK_BYTES
        self.on_left_out: OnLeftOut | None = None
        self._unsteady = UnsteadyFiles()
        #: So much is sent at once: less than `pack_bytes` after breaks, and more again with each part that arrives.
        self._room: float = math.inf

    def run(self, files: Sequence[SceneFile], parallel: int) -> Manifest:
        self._progress.total = sum(_size(file.source) for file in files)
        entries: dict[int, FileEntry] = {}
        waiting = list(enumerate(files))
        pauses = iter(PAUSES_SECONDS)
        while waiting:
            self._pass(waiting, entries, parallel)
            faults = self._unsteady.take()
            waiting = [(number, file) for number, file in waiting if file.source in faults]
            if not any(faults.values()):
                continue  # they only have to be cut into smaller chunks
            pause = next(pauses, None)
            if pause is not None:
                self._stop.wait(pause)
                continue
            for number, file in waiting:
                fault = faults[file.source]
                if fault is not None:
                    self._leave_out(file, fault)
                    entries.pop(number, None)
            waiting = [(number, file) for number, file in waiting if faults[file.source] is None]
        self._progress.finish()
        return Manifest(tuple(entries[number] for number in sorted(entries)))

    def _pass(self, files: Sequence[tuple[int, SceneFile]], entries: dict[int, FileEntry], parallel: int) -> None:
        """Send files; those that could not be sent as they were read are in `_unsteady` then."""
        senders = _Senders(parallel, self._send_pack, self._check, self._failed)
        try:
            for pack in self._packs(self._lacking(self._hashed(files, entries))):
                senders.give(pack)
            senders.finish()
        except BaseException as error:
            self._failed.set()
            senders.abandon()
            if isinstance(error, Stopped) and senders.error is not None:
                raise senders.error from None  # it is what made this thread stop
            raise

    def _leave_out(self, file: SceneFile, fault: Fault) -> None:
        if self.on_left_out is None or file.role != "external":
            raise fault.error
        self.on_left_out(file, fault.reason)

    def _hashed(self, files: Sequence[tuple[int, SceneFile]], entries: dict[int, FileEntry]) -> Iterator[list[_Source]]:
        for number, file in files:
            self._check()
            try:
                with Cutting(file.source, splits=self._unsteady.splits(file.source)) as cutting:
                    for chunks in cutting:
                        self._check()
                        yield [_Source(file.source, chunk) for chunk in chunks]
                    found = cutting.result()
            except OSError as error:
                self._unsteady.add(file.source, unreadable(file.source, error))
                continue
            except InputError:
                self._unsteady.add(file.source, changed(file.source))
                continue
            refs = tuple(ChunkRef(chunk.sha256, chunk.size) for chunk in found.chunks)
            entries[number] = FileEntry(file.path, found.size, found.sha256, refs, role=file.role)

    def _lacking(self, hashed: Iterable[list[_Source]]) -> Iterator[_Source]:
        seen: set[str] = set()
        asked: dict[str, _Source] = {}
        size, limit = 0, _ASK_FIRST_BYTES
        for sources in hashed:
            for source in sources:
                if source.chunk.sha256 in self.known:
                    self.compression.asked(source.chunk.size, 0)
                    self._progress.add(done=source.chunk.size)
                    continue
                if source.chunk.sha256 in seen:
                    self._progress.add(done=source.chunk.size)
                    continue
                seen.add(source.chunk.sha256)
                asked[source.chunk.sha256] = source
                size += source.chunk.size
            if size >= limit or len(asked) >= MISSING_PER_CALL // 2:
                yield from self._ask(asked)
                asked, size, limit = {}, 0, _ASK_BYTES
        if asked:
            yield from self._ask(asked)

    def _ask(self, asked: Mapping[str, _Source]) -> list[_Source]:
        lacking = self._patiently(lambda: self._missing(asked))
        size = sum(source.chunk.size for source in asked.values())
        lacking_size = sum(source.chunk.size for sha256, source in asked.items() if sha256 in lacking)
        self.compression.asked(size, lacking_size)
        self._progress.add(done=size - lacking_size)
        return [source for sha256, source in asked.items() if sha256 in lacking]

    def _missing(self, sha256s: Iterable[str]) -> set[str]:
        return set(
            missing_chunks(
                self._connection, list(sha256s), stop=self._stop, on_sent=self._progress.sent, patience_seconds=0
            )
        )

    def _packs(self, sources: Iterable[_Source]) -> Iterator[list[_Source]]:
        pack: list[_Source] = []
        size = 0
        for source in sources:
            frame_bytes = source.chunk.size + FRAME_HEAD_BYTES
            if pack and (size + frame_bytes > self.pack_bytes or len(pack) == PACK_CHUNKS):
                yield pack
                pack, size = [], 0
            pack.append(source)
            size += frame_bytes
        if pack:
            yield pack

    def _send_pack(self, pack: list[_Source]) -> None:
        lacking = pack
        first = True
        cuts = 0

        def attempt() -> None:
            nonlocal lacking, first, cuts
            if not first:
                left = self._missing(source.chunk.sha256 for source in lacking)
                arrived = [source for source in lacking if source.chunk.sha256 not in left]
                self._progress.add(done=sum(source.chunk.size for source in arrived))
                cuts = 0 if arrived else cuts
                lacking = [source for source in lacking if source.chunk.sha256 in left]
            first = False
            if cuts >= MOST_CUTS:
                raise cut_for_good("The upload")
            while True:
                lacking = [source for source in lacking if not self._is_kept(source)]
                if not lacking:
                    return
                part = self._first_part(lacking)
                try:
                    self._post(part)
                except ConnectionFailed:
                    cuts += 1
                    half = sum(source.chunk.size for source in part) // 2
                    self._room = max(_SMALLEST_BYTES, min(self._room, half))
                    if len(part) == 1:
                        self._unsteady.cut_off(part[0].chunk.size, cuts)
                    raise
                cuts = 0
                lacking = lacking[len(part) :]
                self._room += self._room / 8
                self._patience.moved()

        self._patiently(attempt)

    def _is_kept(self, source: _Source) -> bool:
        return self._unsteady.keeps(source.path, source.chunk.offset, source.chunk.size)

    def _first_part(self, pack: list[_Source]) -> list[_Source]:
        """As much of a pack as is sent at once: all of it, unless connections broke."""
        size, room = 0, self._room
        for number, source in enumerate(pack):
            size += source.chunk.size
            if number and size > room:
                return pack[:number]
        return pack

    def _post(self, pack: list[_Source]) -> None:
        pack, chunks = self._read(pack)
        if not pack:
            return
        writer = PackWriter(self.pack_bytes)
        for chunk in chunks:
            if not writer.add(chunk):
                raise InputError("A pack grew over the server's limit. Please report this as a bug in Sendoff.")
        begun = time.monotonic()
        parts, encoding = self.compression.encode(writer.parts, chunks)
        encoded = time.monotonic()
        del chunks, writer
        headers = {"Content-Type": PACK_MEDIA_TYPE}
        if encoding != IDENTITY:
            headers["Content-Encoding"] = encoding
        raw_bytes = sum(source.chunk.size for source in pack)
        body = Body(parts, raw_bytes, self._progress, self._check)
        try:
            answer = self._connection.json("POST", "/v1/chunks", data=body, headers=headers, stop=self._stop)
        except BaseException:
            body.take_back()
            raise
        body.settle()
        now = time.monotonic()
        self.compression.learn(
            encoding,
            raw_bytes=raw_bytes,
            wire_bytes=len(body),
            encode_seconds=encoded - begun,
            send_seconds=now - encoded,
        )
        stored = {str(sha256) for sha256 in answer.get("chunks") or ()}
        for source in pack:
            if source.chunk.sha256 not in stored:
                self._unsteady.add(source.path, changed(source.path))

    def _read(self, pack: list[_Source]) -> tuple[list[_Source], list[bytes]]:
        """The bytes of each chunk, opening each file once in a row; without those that cannot be read any more."""
        found: list[tuple[_Source, bytes]] = []
        for path, group in itertools.groupby(pack, key=lambda source: source.path):
            try:
                with open_file(path, 0) as file:
                    for source in group:
                        file.seek(source.chunk.offset)
                        raw = file.read(source.chunk.size)
                        if len(raw) != source.chunk.size:
                            self._unsteady.add(path, changed(path))
                            break
                        found.append((source, raw))
            except OSError as error:
                self._unsteady.add(path, unreadable(path, error))
        return [source for source, _ in found], [raw for _, raw in found]

    def _patiently(self, call: Callable[[], Result]) -> Result:
        def attempt() -> Result:
            self._check()
            return call()

        return self._patience.run(attempt)

    def _check(self) -> None:
        if self._stop.is_set() or self._failed.is_set():
            raise Stopped("The upload was stopped. What was sent is kept: a new submit goes on from there.")


class _Senders:
    """Threads that send packs; daemons, so that they never hold up a host that quits."""

    def __init__(
        self,
        count: int,
        send: Callable[[list[_Source]], None],
        check: Callable[[], None],
        failed: threading.Event,
    ) -> None:
        self._send = send
        self._check = check
        self._failed = failed
        self._packs: queue.Queue[list[_Source] | None] = queue.Queue(maxsize=2 * count)
        #: The first error of any of them.
        self.error: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, name=f"sendoff-upload-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def give(self, pack: list[_Source] | None) -> None:
        """Queue a pack, waiting for room; raises Stopped once a sender has failed."""
        while True:
            self._check()
            try:
                return self._packs.put(pack, timeout=0.1)
            except queue.Full:
                continue

    def finish(self) -> None:
        """Wait until everything is sent; every send has its own limits."""
        for _ in self._threads:
            self.give(None)
        for thread in self._threads:
            while thread.is_alive():
                self._check()
                thread.join(0.1)
        self._check()

    def abandon(self) -> None:
        """Drop what is queued and let the threads end, soon but not waited for for long."""
        try:
            while True:
                self._packs.get_nowait()
        except queue.Empty:
            pass
        for _ in self._threads:
            self._packs.put(None)
        for thread in self._threads:
            thread.join(1.0 / len(self._threads))

    def _run(self) -> None:
        while True:
            pack = self._packs.get()
            if pack is None:
                return
            try:
                self._send(pack)
            except BaseException as error:
                if self.error is None or isinstance(self.error, Stopped):
                    self.error = error
                self._failed.set()
                return


def _size(path: Path) -> int:
    """The bytes of a file, 0 if it is gone: then it is read again."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
