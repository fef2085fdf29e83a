"""Maya's commands."""

from __future__ import annotations

from functools import partial
from typing import Any

from . import (
    file_commands,
    mesh_commands,
    node_commands,
    registry,
    settings_commands,
    signatures,
    state,
    ui_commands,
    usd_commands,
)

__all__: list[str] = []
_ = (
    file_commands,
    mesh_commands,
    node_commands,
    settings_commands,
    ui_commands,
    usd_commands,
)  # they register themselves


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    usd = name in ("mayaUSDExport", "mayaUSDImport") and "mayaUsdPlugin" in state.now.loaded
    if not usd and name not in state.now.commands and signatures.of(name) is None:
        raise AttributeError(f"module 'maya.cmds' has no attribute '{name}'")
    return partial(_call, name)


def _call(name: str, /, *args: Any, **flags: Any) -> Any:
    return registry.call(name, args, flags)
