"""How a command of the stand-in comes to be: a function that has been given what Maya has already checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import signatures, state

Implementation = Callable[..., Any]


@dataclass(frozen=True)
class Command:
    """One command: what does it, whether an undo takes it back, and whether it is of the user interface."""

    name: str
    run: Implementation
    is_undoable: bool = False
    is_ui: bool = False


commands: dict[str, Command] = {}


def command(*, undoable: bool = False, ui: bool = False, name: str = "") -> Callable[[Implementation], Implementation]:
    """Make a function `name(mode, *args, **flags)` a command."""

    def register(function: Implementation) -> Implementation:
        named = name or function.__name__.rstrip("_")
        commands[named] = Command(named, function, undoable, ui)
        return function

    return register


def call(name: str, args: tuple[Any, ...], flags: dict[str, Any]) -> Any:
    """Call a command as a script does; raises what Maya raises."""
    state.check_thread(f"cmds.{name}")
    run = state.now
    if name in run.commands:
        from . import plugin_commands

        return plugin_commands.call(name, args, flags)
    signature = _signature(name)
    mode = signature.check(args, flags)
    found = commands.get(name)
    if found is None:
        raise NotImplementedError(f"The stand-in for Maya does not have the command {name} yet")
    if found.is_ui and run.is_batch:
        raise RuntimeError(f"{name} needs Maya's window, and this Maya is a batch")
    given = {flag: value for flag, value in flags.items() if flag not in ("query", "edit") or isinstance(value, str)}
    if not found.is_undoable or mode == "query" or "exists" in flags:
        return found.run(mode, *args, **given)
    before = run.scene.snapshot() if run.records_undo and not run.open_chunks else None
    result = found.run(mode, *args, **given)
    if before is not None:
        run.undo.append((name, before))
        run.redo.clear()
    return result


def _signature(name: str) -> signatures.Signature:
    if name in ("mayaUSDExport", "mayaUSDImport"):
        if "mayaUsdPlugin" not in state.now.loaded:
            raise AttributeError(f"module 'maya.cmds' has no attribute '{name}'")
        return signatures.of_usd(name, state.now.usd_release)
    found = signatures.of(name)
    if found is None:
        raise AttributeError(f"module 'maya.cmds' has no attribute '{name}'")
    return found
