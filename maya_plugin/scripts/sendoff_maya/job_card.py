"""The panel's list of jobs, the newest first: how each is, how far, and what can be done about it."""

from __future__ import annotations

import time

from maya import cmds

from . import answers, job_operators, results
from .current import desk
from .sendoff.host.buttons import of
from .sendoff.host.jobs import Job
from .sendoff.host.words import line

LIST, EMPTY = "sendoffJobList", "sendoffNoJobs"
_STEPS = 1000
_NOTES_SHOWN = 4
#: More cards than these are not made: a panel is no archive.
_CARDS_SHOWN = 20
#: What was made: for each card what makes it look as it does, but words and numbers.
_built: tuple[object, ...] | None = None


def build(parent: str) -> None:
    """Make the list; its cards are made by `refresh`."""
    global _built  # noqa: PLW0603
    _built = None
    cmds.text(EMPTY, parent=parent, label="What you send is listed here.", align="left")
    cmds.columnLayout(LIST, parent=parent, adjustableColumn=True, rowSpacing=6)


def refresh() -> None:
    """Make the cards anew where one has other buttons, and edit words and bars in place."""
    global _built  # noqa: PLW0603
    jobs = list(reversed(desk.jobs.jobs))[:_CARDS_SHOWN]
    wanted = tuple((job.key, _buttons(job), _notes(job)) for job in jobs)
    if wanted != _built:
        for child in answers.names(cmds.columnLayout(LIST, query=True, childArray=True)):
            cmds.deleteUI(child)
        for job in jobs:
            _make(job)
        _built = wanted
    cmds.text(EMPTY, edit=True, manage=not jobs)
    now = time.time()
    for job in jobs:
        said = line(job, desk.jobs.connectivity, now)
        is_elsewhere = job.is_active and desk.jobs.is_elsewhere(job)
        text = f"On {job.server_url}, which is not the server that is set now" if is_elsewhere else said.text
        cmds.text(name_of(job, "text"), edit=True, label=text)
        cmds.progressBar(
            name_of(job, "bar"),
            edit=True,
            manage=said.fraction is not None and not is_elsewhere,
            progress=int((said.fraction or 0.0) * _STEPS),
            annotation=said.bar_text,
        )


def name_of(job: Job, part: str) -> str:
    """The name of a part of a job's card: "text", "bar", "card"."""
    return f"sendoffJob_{job.key}_{part}"


def _make(job: Job) -> None:
    card = answers.text(
        cmds.frameLayout(
            name_of(job, "card"), parent=LIST, label=job.name, collapsable=True, marginWidth=6, marginHeight=4
        )
    )
    column = answers.text(cmds.columnLayout(parent=card, adjustableColumn=True, rowSpacing=2))
    if job.scope_title:
        cmds.text(parent=column, label=job.scope_title, align="left")
    cmds.progressBar(name_of(job, "bar"), parent=column, minValue=0, maxValue=_STEPS)
    cmds.text(name_of(job, "text"), parent=column, label="", align="left", wordWrap=True)
    for note in _notes(job):
        cmds.text(parent=column, label=note, align="left", wordWrap=True)
    buttons = _buttons(job)
    if buttons:
        row = answers.text(cmds.rowLayout(parent=column, numberOfColumns=len(buttons)))
        job_operators.make_buttons(row, job.key, buttons, prefix=f"sendoffJob_{job.key}")


def _buttons(job: Job) -> tuple[str, ...]:
    """Those that help, and those that every card has."""
    names = [name for name in of(job, desk.jobs, is_here=results.is_here(job)) if name != "seen"]
    if job.id:
        names += ["open_log", "open_page"]
    if job.files:
        names.append("open_folder")
    if not job.is_active and "retry" not in names:
        names.append("retry")
    if job not in desk.jobs.active or desk.jobs.connectivity.state != "online":
        names.append("dismiss")
    return tuple(dict.fromkeys(names))


def _notes(job: Job) -> tuple[str, ...]:
    """What there is to know besides: of what was sent, of the result, of what changed meanwhile."""
    notes = [*job.notes, *job.warnings, *job.import_notes]
    shown = notes[:_NOTES_SHOWN]
    if len(notes) > _NOTES_SHOWN:
        shown.append(f"and {len(notes) - _NOTES_SHOWN} more notes: see the log")
    return tuple(shown)
