"""Which flags Maya's USD commands know in this version; a flag that one does not know fails the whole command."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from maya import cmds

#: In the help of a command a flag stands as "   -f -file  String".
_FLAG = re.compile(r"^\s*-(\w+)\s+-(\w+)", re.MULTILINE)


def known(command: str) -> Collection[str]:
    """The long names of a command's flags; nothing where its help cannot be read."""
    try:
        text = str(cmds.help(command, list=False))
    except (RuntimeError, TypeError):
        return frozenset()
    return frozenset(long for _, long in _FLAG.findall(text))


def fitting(command: str, wanted: Mapping[str, Any], *, always: Collection[str]) -> dict[str, Any]:
    """Those of some flags that the command knows, and those that every version knows."""
    there = known(command)
    return {name: value for name, value in wanted.items() if name in there or name in always}
