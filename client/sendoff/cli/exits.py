"""What the command's exit status means, and which error leads to which."""

from __future__ import annotations

import os
import sys
from enum import IntEnum

from ..errors import (
    ConnectionFailed,
    InputError,
    JobCancelled,
    JobFailed,
    SendoffError,
    ServerError,
    SignInRequired,
    Stopped,
    TimedOut,
)


class Exit(IntEnum):
    """Exit status of `sendoff`."""

    OK = 0
    UNEXPECTED = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    SIGN_IN_NEEDED = 4
    REJECTED = 5
    JOB_FAILED = 6
    JOB_CANCELLED = 7
    TIMED_OUT = 8
    INTERRUPTED = 130


EXPLAINED = (
    "Exit status: 0 done, 1 unexpected error, 2 wrong use or unusable input, 3 server cannot be reached, "
    "4 sign-in needed, 5 refused by the server, 6 job failed, 7 job cancelled, 8 timed out, 130 Ctrl-C."
)

_STATUS_OF: tuple[tuple[type[BaseException], Exit], ...] = (
    (InputError, Exit.BAD_INPUT),
    (ConnectionFailed, Exit.UNREACHABLE),
    (SignInRequired, Exit.SIGN_IN_NEEDED),
    (ServerError, Exit.REJECTED),
    (JobCancelled, Exit.JOB_CANCELLED),
    (JobFailed, Exit.JOB_FAILED),
    (TimedOut, Exit.TIMED_OUT),
    (Stopped, Exit.INTERRUPTED),
    (KeyboardInterrupt, Exit.INTERRUPTED),
)


def shows_traceback() -> bool:
    """Whether SENDOFF_DEBUG asks for tracebacks."""
    return os.environ.get("SENDOFF_DEBUG", "") not in ("", "0")


def exit_of(error: BaseException) -> int:
    """Say an error as a sentence on stderr and return the exit status for it."""
    show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if callable(show) and isinstance(code, int):  # the command line itself was wrong
        show()
        return code
    if isinstance(code, int):
        return code
    if type(error).__name__ == "Abort":  # what the command line makes of Ctrl-C
        error = KeyboardInterrupt()
    status = next((status for kind, status in _STATUS_OF if isinstance(error, kind)), Exit.UNEXPECTED)
    if isinstance(error, ServerError) and error.field:
        print(f"{error} (field: {error.field})", file=sys.stderr)
    elif isinstance(error, SendoffError):
        print(error, file=sys.stderr)
    elif isinstance(error, KeyboardInterrupt):
        print(str(error) or "Interrupted.", file=sys.stderr)
    else:
        print(
            f"Something unexpected happened: {error!r}. Run it again with SENDOFF_DEBUG=1 for the whole story.",
            file=sys.stderr,
        )
    return status
