"""Nodes' attributes of our own and Maya's, set with the types that `setAttr` takes."""

from __future__ import annotations

from maya import cmds


def set_number(plug: str, value: float) -> None:
    """Set a number, or a switch."""
    cmds.setAttr(plug, value)  # type: ignore[arg-type] # the types know of texts alone


def set_text(node: str, name: str, value: str) -> None:
    """Set a text; the attribute is made where it is not there."""
    if not cmds.attributeQuery(name, node=node, exists=True):
        cmds.addAttr(node, longName=name, dataType="string")
    cmds.setAttr(f"{node}.{name}", value, type="string")


def set_whole(node: str, name: str, value: int) -> None:
    """Set a whole number; the attribute is made where it is not there."""
    if not cmds.attributeQuery(name, node=node, exists=True):
        cmds.addAttr(node, longName=name, attributeType="long")
    set_number(f"{node}.{name}", value)
