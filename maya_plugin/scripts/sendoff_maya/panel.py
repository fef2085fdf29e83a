"""Sendoff's window: a panel that docks, in Maya's own controls: server, task, what to process, and the jobs."""

from __future__ import annotations

from maya import cmds

from . import answers, broken
from .interactive import is_interactive

WORKSPACE = "sendoffWorkspaceControl"
BODY = "sendoffBody"
SERVER, PROCESS, JOBS, SETTINGS = (
    "sendoffServerFrame",
    "sendoffProcessFrame",
    "sendoffJobsFrame",
    "sendoffSettingsFrame",
)
#: Maya runs it again in a later session, where the panel was open when it ended.
UI_SCRIPT = "from sendoff_maya import panel; panel.build()"
_WIDTH = 380


def show(*_: object, settings: bool = False) -> None:
    """Open the panel, or bring it to the front; with its settings unfolded where they are wanted."""
    if not is_interactive():
        return
    if cmds.workspaceControl(WORKSPACE, exists=True):
        cmds.workspaceControl(WORKSPACE, edit=True, restore=True)
    else:
        cmds.workspaceControl(
            WORKSPACE,
            label="Sendoff",
            initialWidth=_WIDTH,
            minimumWidth=_WIDTH,
            tabToControl=("AttributeEditor", -1),
            requiredPlugin="sendoff_plugin",
            loadImmediately=True,
            uiScript=UI_SCRIPT,  # type: ignore[arg-type] # Maya keeps a text over a restart, and no function
        )
    if settings and cmds.frameLayout(SETTINGS, exists=True):
        cmds.frameLayout(SETTINGS, edit=True, collapse=False)


def process(*_: object) -> None:
    """The click in the menu, on the shelf and in the panel: send, or say in one sentence why not."""
    problem = broken.why()
    if problem:
        cmds.confirmDialog(title="Sendoff", message=problem, button=["OK"])
        return
    from . import notices
    from .process import click
    from .sendoff import InputError

    try:
        click()
    except InputError as error:
        notices.tell(str(error))
        show()


def build() -> None:
    """Make what is in the panel, below the layout that is the current one."""
    column = answers.text(cmds.scrollLayout(childResizable=True))
    body = answers.text(cmds.columnLayout(BODY, adjustableColumn=True, rowSpacing=4, parent=column))
    problem = broken.why()
    if problem:
        cmds.text(label=problem, align="left", wordWrap=True, parent=body)
        return
    from . import job_card, process_form, server_form, settings_form

    for name, label, part in (
        (SERVER, "Server", server_form),
        (PROCESS, "Process", process_form),
        (JOBS, "Jobs", job_card),
        (SETTINGS, "Settings", settings_form),
    ):
        frame = answers.text(
            cmds.frameLayout(
                name, label=label, collapsable=True, collapse=part is settings_form, marginWidth=6, parent=body
            )
        )
        inner = answers.text(cmds.columnLayout(adjustableColumn=True, rowSpacing=4, parent=frame))
        part.build(inner)
    refresh()
    from . import pump

    pump.start()


def refresh() -> None:
    """Bring what is shown up to date; nothing where the panel is not open."""
    if not is_interactive() or not cmds.columnLayout(BODY, exists=True) or broken.why():
        return
    from . import job_card, process_form, server_form

    for part in (server_form, process_form, job_card):
        part.refresh()


def remove() -> None:
    """Close the panel and forget it."""
    if cmds.workspaceControl(WORKSPACE, exists=True):
        cmds.deleteUI(WORKSPACE)
