"""What can go wrong, as one tree. Every message says what happened, to what, and what to do next.

SendoffError
├── InputError                 the caller's file, path or parameter cannot be used
│   ├── BlendFileError         not a .blend file, or a damaged one
│   ├── ManifestError          a path or entry of a manifest is not allowed
│   ├── PackError              a pack's bytes are damaged, or it lies about its size
│   └── EncodingError          a compressed body is damaged, too large, or of an unknown encoding
├── ConnectionFailed           the server could not be reached, or the connection broke
├── ServerError                the server answered with a problem
│   ├── SignInRequired         the token is missing, wrong or expired
│   ├── Rejected               the server refused the request and says which field
│   ├── NotFound               no such job, file or task for this person
│   ├── ChunksMissing          a submit names chunks that the server no longer has
│   └── StorageFull            the server's disk is full
├── JobFailed                  the job ended without a result
│   └── JobCancelled           somebody cancelled it
├── TimedOut                   a wait reached its limit
├── Stopped                    the caller asked to stop before the end
└── IntegrityError             bytes that arrived are not the bytes that were promised
"""

from __future__ import annotations


class SendoffError(Exception):
    """Base of everything this package raises on purpose; `str()` of it is one sentence for a person."""


class InputError(SendoffError):
    """The caller's file, path or parameter cannot be used."""


class BlendFileError(InputError):
    """Not a .blend file, or a damaged one."""


class ManifestError(InputError):
    """A path or an entry of a manifest is not allowed."""


class PackError(InputError):
    """A pack's bytes are damaged, or it lies about its size."""


class EncodingError(InputError):
    """A compressed body is damaged, holds too much, or has an encoding that is not known here."""


class ConnectionFailed(SendoffError):
    """The server could not be reached, or the connection broke.

    `is_lasting` tells that waiting does not help: the name or the certificate is wrong.
    """

    def __init__(self, detail: str, *, is_lasting: bool = False) -> None:
        super().__init__(detail)
        self.is_lasting = is_lasting


class ServerError(SendoffError):
    """The server answered with a problem (RFC 9457).

    `status` is the HTTP status, `field` the dotted name of the request's field at fault, if one is named, `kind` the
    problem's own name: "not-found", `retry_after_seconds` when the server asks to be called again, if it says so.
    """

    def __init__(self, detail: str, *, status: int, field: str | None = None, kind: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.field = field
        self.kind = kind
        self.retry_after_seconds: float | None = None


class SignInRequired(ServerError):
    """The token is missing, wrong or expired."""


class Rejected(ServerError):
    """The server refused the request; `field` names what is wrong with it."""


class NotFound(ServerError):
    """No such job, file or task for this person."""


class ChunksMissing(ServerError):
    """A submit names chunks the server no longer has; `missing` are their sha256 in hex."""

    def __init__(self, detail: str, *, missing: tuple[str, ...]) -> None:
        super().__init__(detail, status=409)
        self.missing = missing


class StorageFull(ServerError):
    """The server's disk is full."""


class JobFailed(SendoffError):
    """The job ended without a result."""

    def __init__(self, detail: str, *, job: str) -> None:
        super().__init__(detail)
        self.job = job


class JobCancelled(JobFailed):
    """Somebody cancelled the job."""


class TimedOut(SendoffError):
    """A wait reached its limit."""


class Stopped(SendoffError):
    """The caller asked to stop before the end."""


class IntegrityError(SendoffError):
    """Bytes that arrived are not the bytes that were promised."""
