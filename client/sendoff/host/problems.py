"""What stands in the way of a job: one sentence for the artist, and the button that helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .. import Rejected, SendoffError, SignInRequired, Stopped
from ..names import readable


class Remedy(str, Enum):
    """What an artist can do about a problem; each is a button."""

    SIGN_IN = "sign_in"
    RELINK = "relink"
    OPEN_LOG = "open_log"
    RETRY = "retry"
    UPDATE = "update"


@dataclass(frozen=True)
class Problem:
    """One sentence that says what happened and what to do, and the buttons that do it, the best first."""

    text: str
    remedies: tuple[Remedy, ...] = ()
    #: The artist wanted it so: no error.
    is_stop: bool = False


def problem_of(error: BaseException) -> Problem:
    """What an artist reads of an error that ended a submit or a fetch; ours are sentences already."""
    said = readable(str(error))  # it may name a file whose name is not UTF-8
    if not isinstance(error, SendoffError):
        text = f"Sendoff made a mistake ({type(error).__name__}: {said}). Please tell your TD."
        return Problem(text, (Remedy.RETRY,))
    if isinstance(error, Stopped):
        return Problem(said, is_stop=True)
    if isinstance(error, SignInRequired):
        return Problem(said, (Remedy.SIGN_IN, Remedy.RETRY))
    if isinstance(error, Rejected):
        return Problem(said, (Remedy.UPDATE,) if error.field == "protocol" else ())
    return Problem(said, (Remedy.RETRY,))


def problem_of_job(detail: str, kind: str, *, misses_files: bool) -> Problem:
    """What an artist reads of a job that failed on the server; `kind` is the one of docs/wire.md."""
    remedies = [Remedy.OPEN_LOG, Remedy.RETRY]
    if misses_files and kind in ("task", "input"):
        remedies.insert(0, Remedy.RELINK)
    if kind == "cancelled":
        return Problem(detail, (Remedy.RETRY,), is_stop=True)
    return Problem(detail, tuple(remedies))
