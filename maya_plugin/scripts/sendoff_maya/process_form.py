"""The panel's part on what is sent: the task, its parameters, what of the scene, and the button."""

from __future__ import annotations

from typing import Any

from maya import cmds

from . import answers, form, panel, preferences, process, pump, scopes
from .current import desk

TASK, DESCRIPTION, PARAMS = "sendoffTaskMenu", "sendoffDescription", "sendoffParams"
SCOPE, SET, PLACEMENT = "sendoffScopeMenu", "sendoffSetMenu", "sendoffPlacementMenu"
BUTTON, REASON = "sendoffProcessButton", "sendoffReason"
PLACEMENTS = (("BESIDE", "Beside the originals"), ("OVER", "Over the originals"))
_ROW: dict[str, Any] = {"columnWidth": (1, 60), "adjustableColumn": 2}
#: What was built: the tasks by their names and fields, and the chosen one.
_built: tuple[object, ...] = ()


def build(parent: str) -> None:
    """Make the controls; those of the task are made by `refresh`."""
    global _built  # noqa: PLW0603
    _built = ()
    cmds.optionMenuGrp(TASK, parent=parent, label="Task", changeCommand=_choose_task, **_ROW)
    cmds.text(DESCRIPTION, parent=parent, label="", align="left", wordWrap=True)
    cmds.columnLayout(PARAMS, parent=parent, adjustableColumn=True)
    cmds.optionMenuGrp(PLACEMENT, parent=parent, label="Levels", changeCommand=_choose_placement, **_ROW)
    for _, title in PLACEMENTS:
        cmds.menuItem(label=title, parent=f"{PLACEMENT}|OptionMenu")
    _select(PLACEMENT, [name for name, _ in PLACEMENTS], preferences.text(preferences.PLACEMENT))
    cmds.optionMenuGrp(SCOPE, parent=parent, label="Scope", changeCommand=_choose_scope, **_ROW)
    for _, title, meaning in scopes.SCOPES:
        cmds.menuItem(label=title, annotation=meaning, parent=f"{SCOPE}|OptionMenu")
    _select(SCOPE, [name for name, _, _ in scopes.SCOPES], preferences.text(preferences.SCOPE))
    cmds.textFieldGrp(
        SET,
        parent=parent,
        label="Set",
        text=preferences.text(preferences.SET),
        annotation="The name of the set to process",
        changeCommand=_choose_set,
        **_ROW,
    )
    cmds.button(BUTTON, parent=parent, label="Process on Server", height=32, command=panel.process)
    cmds.text(REASON, parent=parent, label="", align="left", wordWrap=True)


def refresh() -> None:
    """Show the tasks that the server offers now, and whether one can be sent."""
    global _built  # noqa: PLW0603
    if desk.wants_look():
        pump.start()
    task = process.chosen_task()
    wanted = (desk.tasks, task)
    if wanted != _built:
        _rebuild()
        _built = wanted
    scope = preferences.text(preferences.SCOPE)
    cmds.textFieldGrp(SET, edit=True, manage=scope == "SET")
    cmds.optionMenuGrp(PLACEMENT, edit=True, manage=task is not None and task.name == "mesh.lods")
    reason = process.why_not() or process.why_no_task()
    cmds.button(BUTTON, edit=True, enable=not reason)
    cmds.text(REASON, edit=True, label=reason)


def _rebuild() -> None:
    task = process.chosen_task()
    for item in answers.names(cmds.optionMenuGrp(TASK, query=True, itemListLong=True)):
        cmds.deleteUI(item)
    for one in desk.tasks:
        cmds.menuItem(label=one.title, annotation=one.description, parent=f"{TASK}|OptionMenu")
    _select(TASK, [one.name for one in desk.tasks], process.chosen_name())
    for child in answers.names(cmds.columnLayout(PARAMS, query=True, childArray=True)):
        cmds.deleteUI(child)
    cmds.text(DESCRIPTION, edit=True, label=task.description.replace("`", "") if task is not None else "")
    if task is not None:
        form.build(PARAMS, task)


def _select(menu: str, names: list[str], name: str) -> None:
    if name in names:
        cmds.optionMenuGrp(menu, edit=True, select=names.index(name) + 1)


def _choose_task(*_: object) -> None:
    index = int(answers.numbers(cmds.optionMenuGrp(TASK, query=True, select=True))[0])
    if 1 <= index <= len(desk.tasks):  # by its place: two tasks may have the same title
        preferences.set_text(preferences.TASK, desk.tasks[index - 1].name)
    refresh()


def _choose_scope(title: str, *_: object) -> None:
    preferences.set_text(preferences.SCOPE, next(name for name, one, _ in scopes.SCOPES if one == title))
    refresh()


def _choose_set(text: str, *_: object) -> None:
    preferences.set_text(preferences.SET, text.strip())


def _choose_placement(title: str, *_: object) -> None:
    preferences.set_text(preferences.PLACEMENT, next(name for name, one in PLACEMENTS if one == title))
