"""The menu in Maya's main window and the button on the shelf: made once, edited in place, gone with the plug-in."""

from __future__ import annotations

from functools import partial
from typing import Any

from maya import cmds, mel

from . import answers, panel

MENU, ITEM = "sendoffMenu", "sendoffProcessItem"
SHELF_BUTTON, SHELF = "sendoffShelfButton", "Sendoff"
ICON = "sendoff.svg"
#: What the shelf keeps over a restart: a text.
_CLICK = "from sendoff_maya import panel; panel.process()"
_OPTIONS = "from sendoff_maya import panel; panel.show()"


def make() -> None:
    """Make the menu and the button; what is there already is left where the artist put it."""
    remove_menu()
    window = _mel_global("gMainWindow")
    cmds.menu(MENU, label="Sendoff", parent=window, tearOff=True)
    cmds.menuItem(ITEM, label="Process on Server", parent=MENU, image=ICON, command=panel.process)
    cmds.menuItem(parent=MENU, optionBox=True, command=panel.show)
    cmds.menuItem(label="Jobs", parent=MENU, command=panel.show)
    cmds.menuItem(label="Settings", parent=MENU, command=partial(panel.show, settings=True))
    make_shelf_button()


def remove() -> None:
    """Take both out of Maya's window."""
    remove_menu()
    for shelf in _shelves():
        for button in _own_buttons(shelf):
            cmds.deleteUI(button)
    if cmds.shelfLayout(SHELF, exists=True) and not answers.names(cmds.shelfLayout(SHELF, query=True, childArray=True)):
        mel.eval(f'deleteUI -layout "{SHELF}"')


def remove_menu() -> None:
    """Take the menu out of the main window."""
    if cmds.menu(MENU, exists=True):
        cmds.deleteUI(MENU)


def make_shelf_button() -> None:
    """Have one button on the shelves: the one that is there is brought up to date, wherever the artist moved it."""
    there = [button for shelf in _shelves() for button in _own_buttons(shelf)]
    if there:
        for button in there[1:]:
            cmds.deleteUI(button)
        cmds.shelfButton(there[0], edit=True, **_look())
        return
    if not cmds.shelfLayout(SHELF, exists=True):
        mel.eval(f'addNewShelfTab "{SHELF}"')
        for child in answers.names(cmds.shelfLayout(SHELF, query=True, childArray=True)):
            cmds.deleteUI(child)
    cmds.shelfButton(parent=SHELF, docTag=SHELF_BUTTON, **_look())


def _look() -> dict[str, Any]:
    """What makes it our button, as it is in this version."""
    return {
        "label": "Process on Server",
        "annotation": "Send a copy of this scene to the server and go on working; double-click for the options",
        "image": ICON,
        "sourceType": "python",
        "command": _CLICK,
        "doubleClickCommand": _OPTIONS,
    }


def _shelves() -> list[str]:
    top = _mel_global("gShelfTopLevel")
    if not top or not cmds.shelfTabLayout(top, exists=True):
        return []
    return answers.names(cmds.shelfTabLayout(top, query=True, childArray=True))


def _own_buttons(shelf: str) -> list[str]:
    """Those that call us: Maya keeps no names of buttons over a restart."""
    found = []
    for child in answers.names(cmds.shelfLayout(shelf, query=True, childArray=True)):
        if cmds.shelfButton(child, exists=True):
            command = answers.text(cmds.shelfButton(child, query=True, command=True))
            if "sendoff_maya" in command:
                found.append(child)
    return found


def _mel_global(name: str) -> str:
    return answers.text(mel.eval(f"global string ${name}; $sendoffTemporary = ${name};"))
