"""Upload: cut, hash, ask what is missing, send that in packs on several connections, all at the same time."""

from __future__ import annotations

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
from .encodings import IDENTITY, Buffer, choose_encoding
from .errors import ConnectionFailed, InputError, SendoffError, Stopped
from .manifest import ChunkRef, FileEntry, Manifest
from .packs import FRAME_HEAD_BYTES, PackWriter
from .patience import MOST_CUTS, OnWait, Patience, Result, cut_for_good
from .protocol import MISSING_PER_CALL, PACK_BYTES, PACK_CHUNKS, PACK_MEDIA_TYPE, PACK_RAW_BYTES, PARALLEL
from .submission import SceneFile

#: Called with the bytes that the server has, the bytes of all files, and the bytes sent over the wire so far.
#: Calls come from several threads, one at a time, at most about 20 a second and once at the end.
UploadProgress = Callable[[int, int, int], None]

#: A machine that sleeps does not count, a night without the VPN does not fit in.
PATIENCE_SECONDS = 3600.0

_ASK_FIRST_BYTES = 8 * 1024 * 1024
_ASK_BYTES = 64 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
#: After a break what is sent at once is halved, down to this: something in between may cut each connection.
_SMALLEST_BYTES = 128 * 1024
_REPORT_SECONDS = 0.05


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
) -> Manifest:
    """Bring files to the server and return their manifest; sends only the chunks that the server lacks.

    A broken connection is survived: what is missing is asked again and the rest is sent, until nothing could be
    sent for `patience_seconds` (see `patience`); `on_wait` is told why it waits, and "" once it goes on. Chunks that
    are `known` (see `hints`) are neither asked for nor sent. `encodings` (the server's `pack_encodings`), `parallel`
    and `pack_bytes` come from `GET /v1/server`. Raises ConnectionFailed, a ServerError, InputError if a file changes
    meanwhile or cannot be read, Stopped.
    """
    stop = stop or threading.Event()
    run = _Upload(connection, on_progress, stop, Patience(patience_seconds, stop, on_wait))
    run.known = known
    run.compression = Compression(choose_encoding(encodings), loopback=connection.is_loopback)
    run.pack_bytes = min(pack_bytes, PACK_BYTES, PACK_RAW_BYTES)
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
        self._progress = _Progress(on_progress)
        self._failed = threading.Event()
        self._patience = patience
        self.known: Collection[str] = ()
        self.compression = Compression(IDENTITY)
        self.pack_bytes = PACK_BYTES
        #: So much is sent at once: less than `pack_bytes` after breaks, and more again with each part that arrives.
        self._room: float = math.inf

    def run(self, files: Sequence[SceneFile], parallel: int) -> Manifest:
        try:
            self._progress.total = sum(file.source.stat().st_size for file in files)
        except OSError as error:
            raise _unreadable(error) from error
        entries: list[FileEntry] = []
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
        self._progress.finish()
        return Manifest(tuple(entries))

    def _hashed(self, files: Sequence[SceneFile], entries: list[FileEntry]) -> Iterator[list[_Source]]:
        for file in files:
            self._check()
            try:
                with Cutting(file.source) as cutting:
                    for chunks in cutting:
                        self._check()
                        yield [_Source(file.source, chunk) for chunk in chunks]
                    found = cutting.result()
            except OSError as error:
                raise _unreadable(error) from error
            refs = tuple(ChunkRef(chunk.sha256, chunk.size) for chunk in found.chunks)
            entries.append(FileEntry(file.path, found.size, found.sha256, refs, role=file.role))

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
            while lacking:
                part = self._first_part(lacking)
                try:
                    self._post(part)
                except ConnectionFailed:
                    cuts += 1
                    half = sum(source.chunk.size for source in part) // 2
                    self._room = max(_SMALLEST_BYTES, min(self._room, half))
                    raise
                cuts = 0
                lacking = lacking[len(part) :]
                self._room += self._room / 8
                self._patience.moved()

        self._patiently(attempt)

    def _first_part(self, pack: list[_Source]) -> list[_Source]:
        """As much of a pack as is sent at once: all of it, unless connections broke."""
        size, room = 0, self._room
        for number, source in enumerate(pack):
            size += source.chunk.size
            if number and size > room:
                return pack[:number]
        return pack

    def _post(self, pack: list[_Source]) -> None:
        chunks = list(_read(pack))
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
        body = _Body(parts, raw_bytes, self._progress, self._check)
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
                raise _changed(source.path)

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


class _Body:
    """A pack that is read by `requests` in small pieces, so that a slow network is no broken one."""

    def __init__(self, parts: Sequence[Buffer], raw_bytes: int, progress: _Progress, check: Callable[[], None]) -> None:
        self._size = sum(len(part) for part in parts)
        self._pieces = _pieces(parts)
        self._raw_bytes = raw_bytes
        self._progress = progress
        self._check = check
        self._at = 0
        self._counted = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Buffer]:
        while True:
            piece = self.read()
            if not piece:
                return
            yield piece

    def read(self, _size: int = -1) -> Buffer:
        """The next piece, of a size that we choose."""
        self._check()
        piece = next(self._pieces, b"")
        self._at += len(piece)
        counted = self._raw_bytes * self._at // max(1, self._size)
        self._progress.add(done=counted - self._counted, wire=len(piece))
        self._counted = counted
        return piece

    def take_back(self) -> None:
        """Count what was read as not arrived."""
        self._progress.add(done=-self._counted)
        self._counted = 0

    def settle(self) -> None:
        """Count all of it as arrived."""
        self._progress.add(done=self._raw_bytes - self._counted)
        self._counted = self._raw_bytes


class _Progress:
    def __init__(self, callback: UploadProgress | None) -> None:
        self._callback = callback
        self._lock = threading.Lock()
        self._done = self._wire = 0
        self._reported_at = 0.0
        self.total = 0

    def add(self, *, done: int = 0, wire: int = 0) -> None:
        with self._lock:
            self._done += done
            self._wire += wire
            now = time.monotonic()
            if self._callback and now - self._reported_at >= _REPORT_SECONDS:
                self._reported_at = now
                self._callback(min(self._done, self.total), self.total, self._wire)

    def sent(self, wire: int) -> None:
        self.add(wire=wire)

    def finish(self) -> None:
        with self._lock:
            if self._callback:
                self._callback(self.total, self.total, self._wire)


def _pieces(parts: Iterable[Buffer]) -> Iterator[Buffer]:
    """The same bytes in pieces of about 64 KiB: small parts together, large ones apart."""
    small: list[Buffer] = []
    size = 0
    for part in parts:
        view = memoryview(part)
        while size + len(view) >= _PIECE_BYTES:
            small.append(view[: _PIECE_BYTES - size])
            view = view[_PIECE_BYTES - size :]
            yield small[0] if len(small) == 1 else b"".join(small)
            small, size = [], 0
        if view:
            small.append(view)
            size += len(view)
    if small:
        yield b"".join(small)


def _read(pack: list[_Source]) -> Iterator[bytes]:
    """The bytes of each chunk, opening each file once in a row."""
    at = 0
    while at < len(pack):
        path = pack[at].path
        try:
            with path.open("rb", buffering=0) as file:
                while at < len(pack) and pack[at].path == path:
                    chunk = pack[at].chunk
                    file.seek(chunk.offset)
                    raw = file.read(chunk.size)
                    if len(raw) != chunk.size:
                        raise _changed(path)
                    yield raw
                    at += 1
        except OSError as error:
            raise _unreadable(error) from error


def _changed(path: Path) -> SendoffError:
    return InputError(f"The file {path.name} changed while it was being sent. Submit it again when it is saved.")


def _unreadable(error: OSError) -> SendoffError:
    return InputError(f"The file {error.filename or ''} cannot be read: {error.strerror or error}.")
