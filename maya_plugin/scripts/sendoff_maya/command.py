"""`sendoffProcess`, the command for MEL and Python, in a window and in a batch."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import maya.api.OpenMaya as om

if TYPE_CHECKING:
    from .sendoff.host.jobs import Job

NAME = "sendoffProcess"
#: Short name, long name, type: what each is for is in docs/maya.md.
FLAGS = (
    ("t", "task", om.MSyntax.kString),
    ("p", "params", om.MSyntax.kString),
    ("sc", "scope", om.MSyntax.kString),
    ("set", "setName", om.MSyntax.kString),
    ("w", "wait", om.MSyntax.kBoolean),
    ("to", "timeoutSeconds", om.MSyntax.kDouble),
)
SCOPES = {"scene": "SCENE", "selected": "SELECTED", "set": "SET"}


class SendoffProcess(om.MPxCommand):
    """Process the open scene on the server; the result is the job's key.

    Raises RuntimeError in Python, and stops a MEL script, where the job could not be sent or has failed.
    """

    def doIt(self, arguments: om.MArgList) -> None:
        """Called by Maya."""
        try:
            job = _run(om.MArgDatabase(self.syntax(), arguments))
        except _Refused as refusal:
            raise RuntimeError(str(refusal)) from None
        except Exception as error:
            traceback.print_exc()
            raise RuntimeError(
                f"Sendoff made a mistake ({type(error).__name__}: {error}). Please tell your TD."
            ) from error
        self.setResult(job.key)

    def isUndoable(self) -> bool:
        """The import of a result is an undo step of its own."""
        return False


class _Refused(Exception):
    """Nothing came of it; the text is a sentence for whoever wrote the script."""


def create() -> SendoffProcess:
    """Called by Maya for each call of the command."""
    return SendoffProcess()


def syntax() -> om.MSyntax:
    """The command's flags."""
    made = om.MSyntax()
    for short, long, kind in FLAGS:
        made.addFlag(short, long, kind)
    return made


def _run(given: om.MArgDatabase) -> Job:
    from . import broken
    from .interactive import is_interactive

    problem = broken.why()
    if problem:
        raise _Refused(problem)
    from . import process
    from .sendoff import InputError
    from .sendoff.host.waiting import WAIT_SECONDS

    scope = _text(given, "scope").lower()
    if scope and scope not in SCOPES:
        raise _Refused(f"The scope is one of {', '.join(SCOPES)}, not “{scope}”.")
    request = process.Request(
        task=_text(given, "task"),
        params=_text(given, "params"),
        scope=SCOPES.get(scope, "SET" if given.isFlagSet("setName") else ""),
        set_name=_text(given, "setName"),
    )
    waits = given.flagArgumentBool("wait", 0) if given.isFlagSet("wait") else not is_interactive()
    seconds = given.flagArgumentDouble("timeoutSeconds", 0) if given.isFlagSet("timeoutSeconds") else WAIT_SECONDS
    try:
        if not waits and is_interactive():
            job = process.begin(request)
            process.answer()
        else:
            job = process.run(request, wait=waits, timeout_seconds=seconds)
    except InputError as error:
        raise _Refused(str(error)) from error
    if job.problem is not None:
        raise _Refused(f"{job.name}: {job.problem.text}")
    if waits and job.is_active:
        raise _Refused(f"{process.said(job)} when the wait ended; the job goes on")
    for note in (*job.notes, *job.warnings, *job.import_notes):
        om.MGlobal.displayWarning(f"Sendoff: {note}")
    if waits:
        om.MGlobal.displayInfo(f"Sendoff: {process.said(job)}")
    return job


def _text(given: om.MArgDatabase, flag: str) -> str:
    return str(given.flagArgumentString(flag, 0)) if given.isFlagSet(flag) else ""
