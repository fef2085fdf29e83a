"""The findings of a check as a list in a window of their own; a click selects what a finding is about."""

from __future__ import annotations

from functools import partial

from maya import cmds

from . import answers, element_selection, names, notices
from .current import desk
from .interactive import is_interactive
from .sendoff.host import findings
from .sendoff.host.findings import Finding, Report
from .sendoff.host.jobs import Job

WINDOW, LIST, SUMMARY = "sendoffFindingsWindow", "sendoffFindingsList", "sendoffFindingsSummary"
#: A list longer than this is not worked through in a list.
_MOST_ROWS = 2_000


def show(job: Job) -> str:
    """Open the list with a job's findings; returns its summary, or why it cannot be read, as a sentence."""
    path = findings.report_file(job)
    report = findings.read(path) if path is not None else Report(problem="This job has no report of a check.")
    if is_interactive() and not report.problem:
        _open(job, report)
    elif not is_interactive():
        for finding in report.findings[:_MOST_ROWS]:
            print(f"Sendoff: {_row(finding)}", flush=True)
    return report.problem or report.summary.capitalize()


def close() -> None:
    """Close the list's window."""
    if is_interactive() and cmds.window(WINDOW, exists=True):
        cmds.deleteUI(WINDOW)


def _open(job: Job, report: Report) -> None:
    close()
    cmds.window(WINDOW, title=f"Findings: {job.name}", widthHeight=(560, 420))
    form = answers.text(cmds.formLayout())
    cmds.text(SUMMARY, label=report.summary.capitalize(), align="left", parent=form)
    cmds.textScrollList(
        LIST,
        parent=form,
        allowMultiSelection=False,
        append=[_row(finding) for finding in report.findings[:_MOST_ROWS]],
    )
    cmds.textScrollList(LIST, edit=True, selectCommand=partial(_select, job.key, report))
    cmds.formLayout(
        form,
        edit=True,
        attachForm=[
            (SUMMARY, "top", 6),
            (SUMMARY, "left", 6),
            (SUMMARY, "right", 6),
            (LIST, "left", 4),
            (LIST, "right", 4),
            (LIST, "bottom", 4),
        ],
        attachControl=[(LIST, "top", 6, SUMMARY)],
    )
    cmds.showWindow(WINDOW)


def _select(key: str, report: Report, *_: object) -> None:
    chosen = answers.numbers(cmds.textScrollList(LIST, query=True, selectIndexedItem=True))
    job = desk.jobs.find(key)
    if not chosen:
        return
    finding = report.findings[int(chosen[0]) - 1]
    sent = job.fingerprints.get(finding.object) if job is not None else None
    said = element_selection.select_finding(finding, sent=sent)
    if said:
        notices.tell(said)


def _row(finding: Finding) -> str:
    where = f"{names.leaf(finding.object)}: " if finding.object else ""
    return f"{finding.severity.capitalize()}: {where}{finding.message}"
