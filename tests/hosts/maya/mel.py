"""maya.mel: the few procedures and variables of Maya's own MEL that are used."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import registry, state, ui_commands

_VARIABLES = {
    "gMainProgressBar": "mainProgressBar", "gMainWindow": "MayaWindow", "gShelfTopLevel": "ShelfLayout",
    "gHelpLineForm": "helpLineForm", "gStatusLineForm": "statusLineForm",
}  # fmt: skip
_VARIABLE = re.compile(r"(?:global string \$(\w+);\s*)?\$(\w+) = \$(\w+);?")
_CALL = re.compile(r"(\w+)\s*(.*?);?", re.DOTALL)


def eval(text: str) -> Any:
    """Run MEL; raises where Maya knows no such thing."""
    state.check_thread("mel.eval")
    variable = _VARIABLE.fullmatch(text.strip())
    if variable is not None:
        name = variable[3]
        if name not in _VARIABLES and variable[1] != name:
            raise RuntimeError(f'"${name}" is an undeclared variable.')
        value = _VARIABLES.get(name, "")
        return value if not value or state.now.controls.exists(value) else ""
    call = _CALL.fullmatch(text.strip())
    if call is None:
        raise RuntimeError("Syntax error")
    name, rest = call[1], call[2]
    state.now.mel_calls.append(text)
    if name in state.now.commands:
        return registry.call(name, (), _flags(name, rest))
    if name in _PROCEDURES:
        return _PROCEDURES[name](shlex.split(rest))
    if name.startswith("FBX") and "fbxmaya" in state.now.loaded:
        return _fbx(name, shlex.split(rest))
    raise RuntimeError(f'Cannot find procedure "{name}".')


def _flags(name: str, rest: str) -> dict[str, Any]:
    """A plug-in's command as MEL calls it: a switch may stand alone."""
    _, make_syntax = state.now.commands[name]
    assert make_syntax is not None
    known = make_syntax().flags
    words, given = shlex.split(rest), {}
    while words:
        flag = words.pop(0)
        if not flag.startswith("-") or flag[1:] not in known:
            raise RuntimeError(f"Invalid flag: {flag}")
        wanted = known[flag[1:]]
        if not words:
            raise RuntimeError(f"Flag '{flag}' must be passed a value.")
        given[wanted.long] = wanted.read(words.pop(0))
    return given


def _add_shelf(words: list[str]) -> None:
    controls = state.now.controls
    if not controls.exists(words[0]):
        controls.make("shelfLayout", words[0], parent="ShelfLayout")


def _delete_ui(words: list[str]) -> None:
    state.now.controls.delete(words[-1])


def _fbx(name: str, words: list[str]) -> None:
    if name == "FBXExport":
        Path(words[words.index("-f") + 1]).write_bytes(b"Kaydara FBX Binary  \x00 (the stand-in writes no FBX)")
    elif name == "FBXImport":
        raise RuntimeError("The stand-in for Maya reads no FBX")


_PROCEDURES: dict[str, Callable[[list[str]], Any]] = {
    "addNewShelfTab": _add_shelf,
    "deleteUI": _delete_ui,
    "saveAllShelves": lambda _words: None,
    "RenderViewWindow": lambda _words: ui_commands.open_render_view(),
    "FilePathEditor": lambda _words: None,
}
