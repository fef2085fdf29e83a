"""What each command of Maya takes: read from the types of `maya-stubs`."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import usd_signatures


@dataclass(frozen=True)
class Signature:
    """A command's flags by their long names with their types as text, and whether it takes names of objects."""

    name: str
    flags: dict[str, str] = field(default_factory=dict)
    positional: int = 0
    takes_any: bool = False
    #: Short names by the long ones, where they are known: the stubs leave them out.
    shorts: dict[str, str] = field(default_factory=dict)

    def check(self, args: tuple[Any, ...], flags: dict[str, Any]) -> str:
        """Refuse what Maya refuses, with a TypeError; returns the mode: "create", "query" or "edit"."""
        for name in flags:
            if name not in self.flags:
                raise TypeError(f"Invalid flag '{name}'")
            if name in self.flags and name not in ("query", "edit") and flags[name] is None:
                raise TypeError(f"Invalid arguments for flag '{name}'. Expected {self.flags[name]}, got NoneType")
        if flags.get("query") and flags.get("edit"):
            raise TypeError("Cannot use the query and edit flags at the same time")
        if not self.takes_any and len(args) > self.positional:
            raise TypeError(f"Too many objects or values for the command '{self.name}'.")
        mode = "query" if flags.get("query") else "edit" if flags.get("edit") else "create"
        for name, value in flags.items():
            if name not in ("query", "edit"):
                self._check_value(name, value, mode)
        for one in args:
            if not isinstance(one, str) and self.name != "setAttr" and self.name != "move":
                raise TypeError(f"{self.name}: objects are named by texts, not by {type(one).__name__}")
        return mode

    def _check_value(self, name: str, value: Any, mode: str) -> None:
        wanted = self.flags[name]
        if mode == "query":
            if wanted.startswith("Queryable") or wanted == "bool":
                if value is not True and value is not False:
                    raise TypeError(f"{self.name}: '{name}' is queried by True, not by {value!r}")
                return
            if name in _NEVER_QUERIED.get(self.name, ()):
                raise RuntimeError(f"Flag '{name}' cannot be used in query mode.")
        inner = wanted.removeprefix("Queryable[").removesuffix("]") if wanted.startswith("Queryable") else wanted
        is_ui = "useTemplate" in self.flags
        if mode != "query" and (name in _QUERY_ONLY.get(self.name, ()) or (is_ui and name in _UI_QUERY_ONLY)):
            raise RuntimeError(f"Flag '{name}' can only be used in query mode.")
        if mode == "edit" and is_ui and name in _UI_NOT_EDITED:
            raise RuntimeError(f"Flag '{name}' cannot be used in edit mode.")
        if not _fits(inner, value):
            raise TypeError(f"Invalid arguments for flag '{name}'. Expected {inner}, got {type(value).__name__}")


#: What the types do not tell: flags for one mode only, from Maya's own reference of commands.
_QUERY_ONLY = {
    "progressBar": ("isCancelled", "isMainProgressBar"),
    "undoInfo": ("undoName", "redoName", "undoQueueEmpty", "redoQueueEmpty", "printQueue"),
    "optionMenuGrp": ("itemListLong", "itemListShort", "numberOfItems"),
    "optionMenu": ("itemListLong", "itemListShort", "numberOfItems"),
    "menu": ("itemArray", "numberOfItems"),
    "textScrollList": ("allItems", "numberOfItems", "numberOfSelectedItems", "numberOfRows"),
    "file": ("sceneName", "shortName", "location", "list", "anyModified"),
    "referenceQuery": (),
    "pluginInfo": ("listPlugins", "loaded", "command", "registered", "apiVersion"),
}  # fmt: skip
#: Of every control: what can only be asked, and what is settled when it is made.
_UI_QUERY_ONLY = {
    "isObscured",
    "numberOfPopupMenus",
    "popupMenuArray",
    "fullPathName",
    "childArray",
    "numberOfChildren",
}
_UI_NOT_EDITED = {"parent", "useTemplate"}
_NEVER_QUERIED = {"progressBar": ("beginProgress", "endProgress", "step")}


def _fits(wanted: str, value: Any) -> bool:
    if wanted.startswith("Multiuse["):
        inner = wanted.removeprefix("Multiuse[").removesuffix("]")
        return _fits(inner, value) or (isinstance(value, (list, tuple)) and all(_fits(inner, one) for one in value))
    if wanted.startswith("Tuple["):
        parts = _split(wanted.removeprefix("Tuple[").removesuffix("]"))
        return (
            isinstance(value, (list, tuple))
            and len(value) == len(parts)
            and all(_fits(part, one) for part, one in zip(parts, value, strict=True))
        )
    if wanted.startswith("List["):
        return isinstance(value, (list, tuple))
    if wanted.startswith("Callable"):
        return callable(value) or isinstance(value, str)
    if wanted == "str":
        return isinstance(value, str)
    if wanted == "bool":
        return isinstance(value, bool) or value in (0, 1)
    if wanted == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if wanted == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return True


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and not depth:
            parts.append(text[start:index].strip())
            start = index + 1
    return [*parts, text[start:].strip()]


@functools.cache
def _all() -> dict[str, Signature]:
    distribution = importlib.metadata.distribution("maya-stubs")
    path = distribution.locate_file("maya-stubs/cmds/__init__.pyi")
    tree = ast.parse(Path(str(path)).read_text("utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            flags = {
                one.arg: ast.unparse(one.annotation) if one.annotation is not None else "Any"
                for one in node.args.kwonlyargs
            }
            takes_any = node.args.vararg is not None
            positional = len(node.args.posonlyargs) + len(node.args.args)
            found[node.name] = Signature(node.name, flags, positional, takes_any)
    return found


def of(command: str) -> Signature | None:
    """The signature of a command of Maya itself; None where there is none of that name."""
    return _all().get(command)


def of_usd(command: str, release: str) -> Signature:
    """The signature of a command of maya-usd in a release."""
    known = usd_signatures.flags_of(command, release)
    flags = {long: kind for long, (_, kind) in known.items()}
    return Signature(command, flags, shorts={long: short for long, (short, _) in known.items()})
