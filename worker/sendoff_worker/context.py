"""What a task gets: its files, its progress, its output, and Blender."""

from __future__ import annotations

import json
import logging
import mimetypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from sendoff.errors import InputError, ManifestError
from sendoff.manifest import MAX_FILES, FileEntry, Manifest, check_paths
from sendoff.scope import MAX_BYTES, Scope
from sendoff_store import routing
from sendoff_store.scene_needs import SceneNeeds

from . import openjd
from .blender import runtimes
from .blender.process import Message
from .blender.runtimes import Runtime
from .blender.spare import Spare
from .errors import BlenderUnavailable, SceneNotOpened, TaskFailed
from .job_log import JobLog
from .progress import Reporter

log = logging.getLogger("sendoff.worker")

T = TypeVar("T")

_TICK_SECONDS = 0.25
_END_SECONDS = 2.0
_LOG_LINE_CHARACTERS = 4000
_STAGE_CHARACTERS = 80
_SUMMARY_CHARACTERS = 1024 * 1024
_MOST_WARNINGS = 1000
_MEDIA_TYPES = {".blend": "application/x-blender", ".glb": "model/gltf-binary", ".gltf": "model/gltf+json"}


@dataclass(frozen=True)
class OutputFile:
    """A file that the task hands in: where it lies, its path in the result, what it is for, and its media type."""

    source: Path
    path: str
    role: str
    media_type: str


@dataclass
class Outcome:
    """What a task has handed in so far."""

    files: list[OutputFile] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)


class Context:
    """A task's view of its job. `input` holds the job's files, `output` is for its results.

    Raises TaskFailed where the job's scope cannot be read.
    """

    def __init__(
        self,
        *,
        job: str,
        manifest: Manifest,
        input: Path,
        output: Path,
        temporary: Path,
        needs: SceneNeeds,
        reporter: Reporter,
        job_log: JobLog,
        blenders: Sequence[Runtime],
        spare: Spare,
        kill_grace_seconds: float,
    ) -> None:
        self.job = job
        self.input = input
        self.output = output
        self.temporary = temporary
        self.outcome = Outcome()
        self._manifest = manifest
        self._scope_path = self._path_of(manifest.scope())
        #: The objects that the job is about; None where it is about the whole scene.
        self.scope = None if self._scope_path is None else _read_scope(self._scope_path)
        self._needs = needs
        self._reporter = reporter
        self._job_log = job_log
        self._blenders = blenders
        self._spare = spare
        self._kill_grace_seconds = kill_grace_seconds
        #: Files of Blender's that were handed in.
        self._foreign: list[Path] = []
        self._children: list[_Child] = []
        self._children_lock = threading.Lock()
        #: See `Reporter.progress`: the call costs about a microsecond, make it as often as you like.
        self.progress = reporter.progress

    @property
    def scene(self) -> Path | None:
        """The scene file that the task is to open."""
        return self._path_of(self._manifest.scene())

    @property
    def files(self) -> list[Path]:
        """All of the job's input files."""
        return [self.input / entry.path for entry in self._manifest.files]

    @property
    def is_stopping(self) -> bool:
        """Whether the job has to stop; `progress` and `steps` then raise by themselves."""
        return self._reporter.stop_reason is not None

    def steps(self, items: Iterable[T], message: str = "{}", *, total: int | None = None) -> Iterator[T]:
        """Iterate with progress: `for part in ctx.steps(parts, "Part {}")`; `{}` is the item."""
        if total is None and isinstance(items, Sized):
            total = len(items)
        for done, item in enumerate(items):
            fraction = done / total if total else None
            self._reporter.progress(fraction, message.format(item), done, total)
            yield item
        if total:
            self._reporter.progress(1.0, None, total, total)

    def stage(self, name: str, message: str | None = None) -> None:
        """Begin a new stage of the job."""
        self._reporter.stage(name, message)

    def log(self, text: str) -> None:
        """Write to the job's log."""
        for line in text.splitlines():
            self._job_log.write(line)

    def warn(self, text: str) -> None:
        """Tell the artist of something beside the result."""
        self.outcome.warnings.append(text)
        self._job_log.write(f"warning: {text}")

    def summarize(self, **figures: Any) -> None:
        """Add figures to the result's summary (values that JSON has)."""
        self.outcome.summary.update(figures)

    def fail(self, sentence: str) -> NoReturn:
        """End the job as failed, with one sentence that the artist can act on."""
        raise TaskFailed(sentence)

    def add_file(
        self, path: str | Path, *, name: str | None = None, role: str = "result", media_type: str | None = None
    ) -> None:
        """Hand in a result; `name` is its path in the result, by default the file's own name.

        Raises TaskFailed where the file is not there or the name is taken.
        """
        source = Path(path)
        source = source if source.is_absolute() else self.output / source
        if not source.is_file():
            raise TaskFailed(f"The task handed in {source.name}, which does not exist.")
        final = name or source.name
        try:
            check_paths([*(file.path for file in self.outcome.files), final])
        except ManifestError as error:
            raise TaskFailed(f"The task handed in a file whose name cannot be used. {error}") from error
        kind = media_type or _MEDIA_TYPES.get(source.suffix.lower()) or mimetypes.guess_type(final)[0]
        self.outcome.files.append(OutputFile(source, final, role, kind or "application/octet-stream"))

    def blender(
        self,
        script: str | Path,
        *,
        params: Mapping[str, Any] | None = None,
        scene: Path | None = None,
        series: str | None = None,
    ) -> dict[str, Any]:
        """Run a script (a file with `def run(job)`) in Blender, with the job's scene open; returns its summary.

        Progress, files and warnings of the script become the task's. It gets the job's scope unless `scene` is
        another file than the job's. `series` is the least Blender series, by default the one the scene needs. If a
        Blender cannot open the scene, the next one of this worker tries. Raises TaskFailed with the script's own
        sentence, SceneNotOpened if none of them can open the job's scene.
        """
        is_own = scene is None or scene == self.scene
        scene = scene or self.scene
        needs = self._needs if is_own else SceneNeeds(kind=_kind(scene), series=self._needs.series)
        if series is not None:
            needs = replace(needs, series=series)
        fitting = runtimes.candidates(self._blenders, needs)
        if not fitting:
            cause = routing.why_none(needs, [runtime.series for runtime in self._blenders])
            raise SceneNotOpened(cause, tried=()) if is_own else TaskFailed(cause)
        failures: list[SceneNotOpened] = []
        for runtime in fitting:
            told = len(self.outcome.warnings)
            try:
                return self._run_script(runtime, Path(script), params or {}, scene=scene, is_own=is_own)
            except SceneNotOpened as failure:
                failures.append(failure)
                del self.outcome.warnings[told:]
                self._job_log.write(f"Blender {runtime.series} cannot open the scene: {failure}")
        said = next((failure for failure in failures if not failure.is_crash), failures[0])
        tried = tuple(runtime.series for runtime in fitting)
        raise SceneNotOpened(str(said), tried=tried) if is_own else TaskFailed(str(said))

    def _run_script(
        self, runtime: Runtime, script: Path, params: Mapping[str, Any], *, scene: Path | None, is_own: bool
    ) -> dict[str, Any]:
        """Run a script in one Blender; raises SceneNotOpened if another may do better."""
        is_sent = scene is not None and scene.is_relative_to(self.input)
        paths = next((self.input / f.path for f in self._manifest.files if f.role == "paths"), None)
        self._reporter.progress(None, f"Starting Blender {runtime.series}")
        try:
            process = self._spare.take(runtime)
        except BlenderUnavailable as error:
            raise TaskFailed(f"{error} An administrator finds more in the worker's log.") from error
        child = _Child(process.kill, lambda: process.close(grace_seconds=self._grace_seconds()))
        self._add_child(child)
        handed: list[Message] = []
        try:
            summary = process.run(
                {
                    "script": str(script.resolve()),
                    "scene": str(scene) if scene else None,
                    "paths": str(paths) if paths and is_sent else None,
                    # A scene that the task has made elsewhere holds no paths of the artist's.
                    "root": str(self.input if is_sent or scene is None else scene.parent),
                    "scope": str(self._scope_path) if self._scope_path and is_own else None,
                    "folder": str(self.output),
                    "params": dict(params),
                },
                on_message=lambda message: self._take_message(message, handed),
                on_line=self._job_log.write,
                on_tick=self._reporter.check,
            )
        except BlenderUnavailable as error:
            raise TaskFailed(f"{error} An administrator finds more in the worker's log.") from error
        except TaskFailed:
            self._reporter.check()  # a Blender that was ended because the job has to stop has not failed
            raise
        finally:
            self._end_child(child)
        for message in handed:
            self._take_file(message)
        for path in self._foreign:  # a later Blender of this job could have put a link in a file's place
            self._check_own(path)
        if len(json.dumps(summary)) > _SUMMARY_CHARACTERS:
            raise TaskFailed("The script's summary is too long: it is for a few figures, hand in a file instead.")
        self.outcome.summary.update(summary)
        return summary

    def run(self, command: Sequence[str | Path], *, timeout_seconds: float | None = None) -> None:
        """Run a program to its end, with its output in the job's log and `openjd_...` lines understood.

        Raises TaskFailed where it cannot be started, ends with another status than 0 or takes too long.
        """
        name = Path(str(command[0])).name
        failure: list[str] = []

        def take(line: str) -> None:
            said = openjd.parse(line)
            if said is not None and said.failure:
                failure.append(said.failure)
            self._job_log.write(line)

        try:
            process = subprocess.Popen(
                [str(part) for part in command], cwd=self.temporary, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True, text=True, errors="replace",
            )  # fmt: skip
        except OSError as error:
            raise TaskFailed(f"The program {name} cannot be started: {error.strerror or error}.") from error
        group = _Group(process)
        reader = threading.Thread(target=_read_lines, args=(process, take), name="sendoff-output", daemon=True)
        child = _Child(group.terminate, lambda: group.end(self._kill_grace_seconds))
        self._add_child(child)
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        try:
            reader.start()
            while process.poll() is None:
                self._reporter.check()
                if deadline is not None and time.monotonic() > deadline:
                    raise TaskFailed(f"The program {name} did not end within {timeout_seconds:g} s.")
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_TICK_SECONDS)
        finally:
            self._end_child(child)
            reader.join(5)
        self._reporter.check()
        if failure:
            raise TaskFailed(failure[-1])
        if process.returncode:
            raise TaskFailed(f"The program {name} ended with status {process.returncode}; the job's log shows why.")

    def kill_children(self) -> None:
        """Ask everything that the task has started to end; called from another thread."""
        with self._children_lock:
            children = list(self._children)
        for child in children:
            child.kill()

    def close(self) -> None:
        """End what is left of what the task has started: an interrupt may have come in the middle of ending it."""
        for child in list(self._children):
            self._end_child(child)

    def _add_child(self, child: _Child) -> None:
        with self._children_lock:
            self._children.append(child)
        if self.is_stopping:
            child.kill()

    def _end_child(self, child: _Child) -> None:
        child.end()
        with self._children_lock:
            self._children.remove(child)

    def _grace_seconds(self) -> float:
        return self._kill_grace_seconds if self.is_stopping else _END_SECONDS

    def _path_of(self, entry: FileEntry | None) -> Path | None:
        return None if entry is None else self.input / entry.path

    def _take_message(self, message: Message, handed: list[Message]) -> None:
        kind = message.get("kind")
        if kind == "progress":
            self._take_progress(message)
        elif kind == "warning" and len(self.outcome.warnings) < _MOST_WARNINGS:
            self.warn(str(message.get("text"))[:1000])
        elif kind == "file":
            handed.append(message)
            if len(handed) > MAX_FILES:
                raise TaskFailed(f"The script handed in more than {MAX_FILES} files; pack them into one.")

    def _take_file(self, message: Message) -> None:
        """Look at a file that Blender handed in; only once that Blender is gone and can put no link in its place."""
        path = Path(str(message.get("path")))
        self._check_own(path)
        self._foreign.append(path)
        self.add_file(path, role=str(message.get("role") or "result"),
                      media_type=str(message.get("media_type") or "") or None)  # fmt: skip

    def _check_own(self, path: Path) -> None:
        if path.is_symlink() or not path.resolve().is_relative_to(self.output.resolve()):
            raise TaskFailed(f"The script handed in {path.name}, which lies outside the job's folder.")

    def _take_progress(self, message: Mapping[str, Any]) -> None:
        fraction, done, total = (message.get(name) for name in ("fraction", "done", "total"))
        stage = message.get("stage")
        if stage:
            self._reporter.name_stage(str(stage)[:_STAGE_CHARACTERS])
        self._reporter.progress(
            float(fraction) if isinstance(fraction, int | float) else None,
            str(message.get("message") or ""),
            done if isinstance(done, int) else None,
            total if isinstance(total, int) else None,
        )


@dataclass(frozen=True, eq=False)
class _Child:
    """Something that the task has started: how to ask it to end, and how to be sure; both may be repeated."""

    kill: Callable[[], None]
    end: Callable[[], None]


class _Group:
    """A program and all that it started."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def terminate(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGTERM)

    def end(self, grace_seconds: float) -> None:
        if self._process.poll() is None:
            self.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_seconds)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


def _kind(scene: Path | None) -> str:
    return "" if scene is None else scene.suffix.lower().lstrip(".")


def _read_scope(path: Path) -> Scope:
    try:
        with path.open("rb") as file:
            return Scope.from_json(file.read(MAX_BYTES + 1))
    except (OSError, InputError) as error:
        log.warning("The scope of a job cannot be read: %s", error, extra={"action": "scope.unreadable"})
        raise TaskFailed(
            "The list of the chosen objects cannot be read. Update the Sendoff add-on and send the scene again."
        ) from error


def _read_lines(process: subprocess.Popen[str], take: Callable[[str], None]) -> None:
    assert process.stdout is not None
    with process.stdout as output:
        while line := output.readline(_LOG_LINE_CHARACTERS):
            take(line.rstrip("\n"))
