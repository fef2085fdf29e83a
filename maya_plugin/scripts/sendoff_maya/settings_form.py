"""The panel's settings: what becomes of results, of references, and whom to trust."""

from __future__ import annotations

from functools import partial

from maya import cmds

from . import answers, preferences
from .current import desk

_SWITCHES = (
    (
        preferences.IMPORTS,
        "Import results by themselves",
        "A result comes into the scene as soon as it is here, where that scene is open",
    ),
    (preferences.LOD_GROUP, "Levels of detail in a LOD group", "The view shows one level at a time, by distance"),
    (
        preferences.KEEP_REFERENCES,
        "Keep references",
        "For tasks that take Maya's own files: send references as files of their own, not as part of the scene",
    ),
)
_FOLDER_MODE, _FILE_MODE = 3, 1


def build(parent: str) -> None:
    """Make the controls."""
    for name, label, annotation in _SWITCHES:
        cmds.checkBox(
            f"{name}Box",
            parent=parent,
            label=label,
            annotation=annotation,
            value=preferences.is_on(name),
            changeCommand=partial(_switch, name),
        )
    _path(
        parent,
        preferences.RESULTS_FOLDER,
        "Results",
        "Where the files of results lie; empty: in Sendoff's own folder, where they are kept for a week",
        _FOLDER_MODE,
    )
    _path(
        parent,
        preferences.CA_BUNDLE,
        "CA bundle",
        "A file of certificates to trust for https, where the studio has an authority of its own. "
        "The environment variable SENDOFF_CA_BUNDLE overrides it",
        _FILE_MODE,
    )


def _path(parent: str, name: str, label: str, annotation: str, mode: int) -> None:
    field = f"{name}Field"
    cmds.textFieldButtonGrp(
        field,
        parent=parent,
        label=label,
        annotation=annotation,
        text=preferences.text(name),
        buttonLabel="...",
        columnWidth=(1, 60),
        adjustableColumn=2,
        changeCommand=partial(_set_path, name),
        buttonCommand=partial(_choose, name, label, mode),
    )


def _switch(name: str, value: object, *_: object) -> None:
    preferences.set_on(name, bool(value))


def _set_path(name: str, text: str, *_: object) -> None:
    preferences.set_text(name, text.strip())
    if name == preferences.CA_BUNDLE:
        desk.server_changed()


def _choose(name: str, label: str, mode: int, *_: object) -> None:
    chosen = answers.names(cmds.fileDialog2(fileMode=mode, caption=label))
    if chosen:
        cmds.textFieldButtonGrp(f"{name}Field", edit=True, text=chosen[0])
        _set_path(name, chosen[0])
