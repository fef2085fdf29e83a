"""The open scene stays as it is: selection, modified flag, undo queue and namespace are put back after an export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from maya import cmds


@contextmanager
def unchanged() -> Iterator[None]:
    """Put back what an export touches, also where it fails; nothing of it comes into the undo queue."""
    selected = cmds.ls(selection=True, long=True) or []
    is_modified = bool(cmds.file(query=True, modified=True))
    namespace = cmds.namespaceInfo(currentNamespace=True, absoluteName=True)
    records_undo = bool(cmds.undoInfo(query=True, state=True))
    if records_undo:
        cmds.undoInfo(stateWithoutFlush=False)
    try:
        yield
    finally:
        try:
            select(selected)
            if cmds.namespaceInfo(currentNamespace=True, absoluteName=True) != namespace:
                cmds.namespace(setNamespace=namespace)
            if bool(cmds.file(query=True, modified=True)) != is_modified:
                cmds.file(modified=is_modified)
        finally:
            if records_undo:
                cmds.undoInfo(stateWithoutFlush=True)


@contextmanager
def one_undo(name: str) -> Iterator[None]:
    """Have all that happens undone by one step, which the artist reads in the menu by its name."""
    cmds.undoInfo(openChunk=True, chunkName=name)
    try:
        yield
    finally:
        cmds.undoInfo(closeChunk=True)


def select(names: list[str]) -> None:
    """Select exactly these, sets themselves and not their members; those that are gone are left out."""
    there = [name for name in names if cmds.objExists(name)]
    if there:
        cmds.select(*there, replace=True, noExpand=True)
    else:
        cmds.select(clear=True)
