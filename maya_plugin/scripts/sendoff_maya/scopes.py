"""What of the scene a job is about: all of it, what is selected, or a set."""

from __future__ import annotations

from maya import cmds

from . import answers, meshes
from .sendoff import InputError
from .sendoff.scope import MAX_TITLE_CHARACTERS, Scope

#: Name, what the artist reads, and what it means.
SCOPES = (
    ("SCENE", "Whole Scene", "Everything in the scene"),
    ("SELECTED", "Selected", "What is selected when you click, with all that is below it"),
    ("SET", "Set", "The members of a set, with all that is below them"),
)


def why_not(scope: str, set_name: str = "") -> str:
    """Why a scope cannot be processed now, as a sentence; "" where it can."""
    if scope == "SELECTED" and not _nodes(answers.names(cmds.ls(selection=True, long=True))):
        return "Select the objects to process, or choose another scope"
    if scope != "SET":
        return ""
    if not set_name:
        return "Choose the set to process, or another scope"
    if set_name not in sets():
        return f"There is no set “{set_name}” in this scene: choose another one, or another scope"
    if not _members(set_name):
        return f"The set “{set_name}” is empty: choose another one, or another scope"
    return ""


def scope_of(scope: str, set_name: str = "") -> Scope | None:
    """The scope as DAG paths; None for the whole scene. Raises InputError where there is nothing in it."""
    reason = why_not(scope, set_name)
    if reason:
        raise InputError(f"{reason}.")
    if scope == "SELECTED":
        nodes = _nodes(answers.names(cmds.ls(selection=True, long=True)))
        title = f"“{nodes[0].rpartition('|')[2]}”" if len(nodes) == 1 else f"{len(nodes)} selected objects"
        return _scope(title, nodes)
    if scope == "SET":
        return _scope(f"the set “{set_name}”", _members(set_name))
    return None


def sets() -> list[str]:
    """The scene's sets of objects, without Maya's own and without shading groups."""
    found = answers.names(cmds.ls(exactType="objectSet"))
    own = {
        "defaultLightSet",
        "defaultObjectSet",
        "defaultHideFaceDataSet",
        "defaultLastHiddenSet",
        "defaultCreaseDataSet",
    }
    return [name for name in found if name not in own]


def _members(set_name: str) -> list[str]:
    members = answers.names(cmds.sets(set_name, query=True))
    return _nodes(answers.names(cmds.ls(*members, long=True)) if members else [])


def _nodes(selected: list[str]) -> list[str]:
    """The transforms meant by a selection: of a face or a shape it is the transform above it."""
    found: dict[str, None] = {}
    for name in selected:
        node = name.partition(".")[0]
        if not cmds.objectType(node, isAType="dagNode"):
            continue
        if cmds.objectType(node, isAType="shape"):
            node = node.rpartition("|")[0]
        if node:
            found[node] = None
    return list(found)


def _scope(title: str, nodes: list[str]) -> Scope:
    if not meshes.under(nodes):
        raise InputError(f"There is no mesh in {title}. Choose something else to process.")
    return Scope(title=title[:MAX_TITLE_CHARACTERS], objects=tuple((node, None) for node in nodes))
