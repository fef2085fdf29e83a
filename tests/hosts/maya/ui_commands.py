"""Commands that make, change and read controls."""

from __future__ import annotations

from typing import Any

from . import state
from .controls import Control, Controls, menu_of
from .registry import command, commands

#: Kinds that are only made, changed and read.
_PLAIN = (
    "columnLayout", "rowLayout", "rowColumnLayout", "frameLayout", "scrollLayout", "tabLayout", "text", "textField",
    "textFieldGrp", "textFieldButtonGrp", "intField", "intFieldGrp", "floatField", "floatFieldGrp", "intSliderGrp",
    "floatSliderGrp", "checkBox", "checkBoxGrp", "button", "iconTextButton", "symbolButton", "separator",
    "scrollField", "shelfLayout", "shelfTabLayout", "shelfButton", "helpLine", "menu", "popupMenu", "window",
    "renderWindowEditor",
)  # fmt: skip
#: What a control answers that was told nothing.
_DEFAULTS: dict[str, Any] = {
    "label": "", "text": "", "value": False, "enable": True, "visible": True, "manage": True, "command": "",
    "annotation": "", "progress": 0, "collapse": False, "select": 1, "docTag": "", "image": "",
}  # fmt: skip


def _controls() -> Controls:
    found = state.now.controls
    assert isinstance(found, Controls)
    return found


def _plain(kind: str) -> Any:
    def run(mode: str, name: str = "", **flags: Any) -> Any:
        return _run(kind, mode, name, flags)

    return run


def _run(kind: str, mode: str, name: str, flags: dict[str, Any]) -> Any:
    controls = _controls()
    if flags.get("exists"):
        return controls.exists(name) and controls.find(name).kind == kind
    if mode == "query":
        return _query(_of_kind(name, kind), flags)
    if mode == "edit":
        found = _of_kind(name, kind)
        found.values.update(flags)
        return found.path
    parent = flags.pop("parent", "")
    made = controls.make(kind, name, parent=parent, **flags)
    return made.name if kind == "window" else made.path


def _of_kind(name: str, kind: str) -> Control:
    found = _controls().find(name)
    if found.kind != kind:
        raise RuntimeError(f"Object '{name}' is a {found.kind}, and no {kind}.")
    return found


def _query(found: Control, flags: dict[str, Any]) -> Any:
    if len(flags) != 1:
        raise RuntimeError(f"{found.kind}: one flag is queried at a time, not {sorted(flags)}")
    (flag,) = flags
    if flag == "childArray":
        return [child.name for child in found.children] or None
    if flag == "numberOfChildren":
        return len(found.children)
    if flag == "parent":
        return found.parent.path if found.parent is not None else ""
    if flag in found.values:
        return found.values[flag]
    if flag not in _DEFAULTS:
        raise NotImplementedError(f"{found.kind}: query of {flag}")
    return _DEFAULTS[flag]


for _kind in _PLAIN:
    command(ui=True, name=_kind)(_plain(_kind))


@command(ui=True)
def formLayout(mode: str, name: str = "", **flags: Any) -> Any:
    """A layout whose children are attached to its sides and to each other."""
    if mode == "edit":
        form = _of_kind(name, "formLayout")
        inside = {child.name for child in form.children}
        for flag in ("attachForm", "attachControl"):
            for entry in flags.get(flag, ()):
                for child in (entry[0], *entry[3:]):
                    if child.rpartition("|")[2] not in inside:
                        raise RuntimeError(f"Object '{child}' not found.")
                if entry[1] not in ("top", "bottom", "left", "right"):
                    raise RuntimeError(f"Invalid side: {entry[1]}")
    return _run("formLayout", mode, name, flags)


@command(ui=True)
def progressBar(mode: str, name: str = "", **flags: Any) -> Any:
    """A bar; Maya's main one can be begun, ended, and stopped by Esc."""
    run = state.now
    if flags.get("exists"):
        return _controls().exists(name)
    if mode == "create":
        return _run("progressBar", mode, name, flags)
    bar = _of_kind(name, "progressBar")
    is_main = bar.name == "mainProgressBar"
    if mode == "query" and flags.get("isCancelled"):
        if not (is_main and bar.values.get("is_shown") and bar.values.get("isInterruptable")):
            raise RuntimeError("Only an interruptable main progress bar can be cancelled")
        return run.is_escaped
    if mode == "query":
        return _query(bar, flags)
    if flags.get("beginProgress"):
        if not is_main:
            raise RuntimeError("beginProgress is only valid for the main progress bar")
        if bar.values.get("is_shown"):
            run.offences.append("the main progress bar was begun twice")
        bar.values.update(is_shown=True, progress=0)
        run.is_escaped = False
    if flags.get("endProgress"):
        bar.values.update(is_shown=False, isInterruptable=False)
    if "step" in flags:
        bar.values["progress"] = bar.values.get("progress", 0) + flags["step"]
    bar.values.update(
        {flag: value for flag, value in flags.items() if flag not in ("beginProgress", "endProgress", "step")}
    )
    return bar.path


@command(ui=True)
def optionMenuGrp(mode: str, name: str = "", **flags: Any) -> Any:
    """A menu of choices with its label."""
    if mode == "query":
        items = menu_of(_of_kind(name, "optionMenuGrp")).children
        if flags.get("itemListLong"):
            return [item.path for item in items] or None
        if flags.get("numberOfItems"):
            return len(items)
        if flags.get("value"):
            return items[_of_kind(name, "optionMenuGrp").values.get("select", 1) - 1].values["label"]
    if mode == "edit" and "select" in flags:
        count = len(menu_of(_of_kind(name, "optionMenuGrp")).children)
        if not 1 <= flags["select"] <= count:
            raise RuntimeError(f"Invalid item to select: {flags['select']} of {count}")
    return _run("optionMenuGrp", mode, name, flags)


@command(ui=True)
def menuItem(mode: str, name: str = "", **flags: Any) -> Any:
    """One choice in a menu."""
    if flags.get("optionBox") and mode == "create":
        holder = _controls().find(flags["parent"])
        if not holder.children or holder.children[-1].values.get("optionBox"):
            raise RuntimeError("An option box belongs to the item before it")
    return _run("menuItem", mode, name, flags)


@command(ui=True)
def textScrollList(mode: str, name: str = "", **flags: Any) -> Any:
    """A list of lines."""
    added = flags.pop("append", [])
    if mode == "query" and flags.get("selectIndexedItem"):
        return _of_kind(name, "textScrollList").values.get("selectIndexedItem")
    if mode == "query" and flags.get("allItems"):
        return list(_of_kind(name, "textScrollList").values.get("items", ())) or None
    made = _run("textScrollList", mode, name, flags)
    if added:
        found = _controls().find(made)
        found.values.setdefault("items", []).extend([added] if isinstance(added, str) else added)
    return made


@command(ui=True)
def control(mode: str, name: str, **flags: Any) -> Any:
    """What all controls have in common."""
    if flags.get("exists"):
        return _controls().exists(name)
    found = _controls().find(name)
    if mode == "query":
        return _query(found, flags)
    found.values.update(flags)
    return found.path


@command(ui=True)
def workspaceControl(mode: str, name: str, **flags: Any) -> Any:
    """A panel that docks; its script makes what is in it."""
    controls = _controls()
    if flags.get("exists"):
        return controls.exists(name)
    if mode == "create":
        made = controls.make("workspaceControl", name, parent=None, **flags)
        build(made)
        return made.name
    found = _of_kind(name, "workspaceControl")
    if mode == "query":
        return _query(found, flags)
    if flags.get("close"):
        controls.delete(name)
    if flags.get("restore"):
        found.values["visible"] = True
    return found.name


def build(panel: Control) -> None:
    """Run a panel's script, as Maya does when it is made and when a session comes back."""
    script = panel.values.get("uiScript")
    if script is None:
        return
    if not isinstance(script, str):
        raise TypeError("A uiScript has to be a text: a function does not come back after a restart")
    _controls().current = panel
    exec(script, {"__name__": "__main__"})


@command(ui=True)
def setParent(mode: str, name: str = "", **_flags: Any) -> Any:
    """The layout that new controls go into."""
    controls = _controls()
    if mode == "query":
        return controls.current.path if controls.current is not None else ""
    if name == "..":
        controls.current = controls.current.parent if controls.current is not None else None
    elif name:
        controls.current = controls.find(name)
    return controls.current.path if controls.current is not None else ""


@command(ui=True)
def deleteUI(_mode: str, *names: str, **_flags: Any) -> None:
    """Remove controls."""
    for name in names:
        _controls().delete(name)


@command(ui=True)
def showWindow(_mode: str, name: str) -> None:
    """Show a window."""
    _of_kind(name, "window").values["visible"] = True


@command(ui=True)
def confirmDialog(_mode: str, **flags: Any) -> str:
    """Ask the artist, who has to have been told what to answer."""
    state.now.asked.append(flags.get("message", ""))
    if not state.now.answers:
        raise AssertionError(f"Nobody answers the dialog: {flags.get('message')}")
    answer = state.now.answers.popleft()
    buttons = flags.get("button", ["Confirm"])
    if answer not in ([buttons] if isinstance(buttons, str) else buttons):
        raise AssertionError(f"The dialog offers {buttons}, and not {answer}")
    return answer


@command(ui=True)
def fileDialog2(_mode: str, **flags: Any) -> list[str] | None:
    """Ask for a file or folder."""
    state.now.asked.append(flags.get("caption", ""))
    return [state.now.answers.popleft()] if state.now.answers else None


@command(ui=True)
def inViewMessage(_mode: str, **flags: Any) -> None:
    """A sentence in the view."""
    position = flags.get("position", "topCenter")
    if position not in {f"{row}{column}" for row in ("top", "mid", "bot") for column in ("Left", "Center", "Right")}:
        raise RuntimeError(f"Invalid position: {position}")
    state.now.in_view.append(flags.get("assistMessage") or flags.get("message") or flags.get("statusMessage", ""))


@command(ui=True)
def refresh(_mode: str, **_flags: Any) -> None:
    """Draw now."""


def open_render_view() -> None:
    """Maya's own window for rendered images."""
    if not _controls().exists("renderView"):
        window = _controls().make("window", "renderViewWindow", parent=None)
        _controls().make("renderWindowEditor", "renderView", parent=window.path)


assert "text" in commands
