"""What the command prints: one JSON document, tables, a live bar on a terminal, plain lines in a pipe."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from ..client import Job
from ..events import Event, EventKind
from ..eventstream import Connectivity, StreamItem
from ..states import JobState
from ..submission import Submission

#: In a pipe, progress is a line this often.
_LINE_SECONDS = 1.0
#: So many missing files are named one by one.
_MOST_MISSING = 20


def print_json(data: Any, *, lines: bool = False) -> None:
    """One JSON document on stdout; with `lines` on one line, to be followed by others."""
    text = json.dumps(data, ensure_ascii=False, indent=None if lines else 2, default=str)
    print(text, flush=lines)


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for people; columns separated by tabs where nobody looks."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
        return
    table = Table(*titles, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)


def job_dict(job: Job) -> Mapping[str, Any]:
    """A job as the server said it."""
    return job.fields


def say_what_is_missing(submission: Submission, *, as_json: bool) -> dict[str, list[str]]:
    """Name on stderr what the scene needs and does not have, before it is sent.

    With `as_json` nothing is printed. Returns what a JSON document says of it: nothing, if nothing is missing.
    """
    if not as_json:
        for path in submission.missing_files[:_MOST_MISSING]:
            print(f"Missing, not sent: {path}", file=sys.stderr)
        more = len(submission.missing_files) - _MOST_MISSING
        if more > 0:
            print(f"Missing, not sent: {more} more files; --json names all.", file=sys.stderr)
        for note in submission.notes:
            print(f"Note: {note}", file=sys.stderr)
    told = {"missing_files": list(submission.missing_files), "notes": list(submission.notes)}
    return {key: texts for key, texts in told.items() if texts}


def say_what_was_left_out(job: Job, submission: Submission, told: dict[str, list[str]], *, as_json: bool) -> None:
    """Name on stderr, or add to what a JSON document says, which files turned out to be unreadable meanwhile."""
    known = set(submission.missing_files)
    left_out = [path for path in map(str, job.fields.get("missing_files") or ()) if path not in known]
    if left_out:
        told["missing_files"] = [*told.get("missing_files", ()), *left_out]
    for path in left_out if not as_json else ():
        print(f"Left out: {path}", file=sys.stderr)


def say_waiting(reason: str) -> None:
    """Tell on stderr why a call waits for the server, and with "" that it goes on."""
    print(f"{reason} Waiting for it." if reason else "The server answers again.", file=sys.stderr, flush=True)


def percent(fraction: float | None) -> str:
    """A fraction as people read it."""
    return "" if fraction is None else f"{fraction * 100:.0f} %"


class Live:
    """Shows progress: a bar on a terminal, a line per change in a pipe, JSON lines with --json."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._last = ""
        self._last_at = 0.0
        self._bar: Progress | None = None
        self._row: TaskID | None = None
        if not as_json and sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                console=Console(stderr=True),
                transient=True,
            )

    def __enter__(self) -> Live:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def upload(self, done: int, total: int, wire: int) -> None:
        """Progress of an upload, in bytes."""
        if self._as_json:
            return
        self._show(
            f"Uploading ({wire / 1e6:.1f} MB sent)" if self._bar else "Uploading",
            done / total if total else 1.0,
        )

    def item(self, item: StreamItem) -> None:
        """An event, or a change of the connection."""
        if self._as_json:
            if isinstance(item, Event):
                print_json(item.to_dict(), lines=True)
            else:
                print_json({"connection": item.state, "message": item.message}, lines=True)
        elif isinstance(item, Connectivity):
            if item.state == "reconnecting":
                self._show(item.message, None)
        else:
            self._show(_sentence(item), item.fraction, is_news=item.kind is not EventKind.PROGRESS)

    def _show(self, text: str, fraction: float | None, *, is_news: bool = True) -> None:
        if self._bar is None:
            line = f"{text} {percent(fraction)}".rstrip() if text != "Uploading" else text
            now = time.monotonic()
            if line != self._last and (is_news or now - self._last_at > _LINE_SECONDS):
                print(line, file=sys.stderr, flush=True)
                self._last, self._last_at = line, now
            return
        if self._row is None:
            self._row = self._bar.add_task(text, total=1.0)
        self._bar.update(self._row, description=text, completed=fraction or 0.0, total=1.0)


def _sentence(event: Event) -> str:
    if event.state.value == "queued" and event.queue_position:
        return f"queued, place {event.queue_position}"
    if event.state is JobState.FAILED:
        return str(event.state.value)  # the command ends with the sentence that says why
    parts = [event.state.value, event.stage, event.message]
    return ": ".join(part for part in parts if part)
