"""Plug-ins in Python: their files are really run, and the commands that they register are checked as strictly."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from . import state


@dataclass
class Loaded:
    """A plug-in that is loaded."""

    name: str
    module: ModuleType | None = None
    vendor: str = ""
    version: str = ""


def load(name: str) -> str:
    """Run a plug-in's file and have it register what it brings; raises what Maya raises."""
    run = state.now
    if name in ("mayaUsdPlugin", "fbxmaya"):
        if name not in run.plugins_available:
            raise RuntimeError(f'Plug-in, "{name}", was not found on MAYA_PLUG_IN_PATH.')
        run.loaded[name] = Loaded(name, version="0.30" if name == "mayaUsdPlugin" else "2020")
        return name
    path = _path(name)
    stem = path.stem
    if stem in run.loaded:
        return stem
    spec = importlib.util.spec_from_file_location(stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "maya_useNewAPI"):
        raise RuntimeError(f"Unexpected Internal Failure: ({stem})")
    run.loaded[stem] = Loaded(stem, module)
    try:
        module.initializePlugin(PluginObject(stem))
    except Exception as error:
        del run.loaded[stem]
        raise RuntimeError(f"initializePlugin function failed ({stem})") from error
    return stem


def unload(name: str) -> str:
    """Have a plug-in take back what it brought."""
    run = state.now
    if name not in run.loaded:
        raise RuntimeError(f'Plug-in, "{name}", is not loaded.')
    loaded = run.loaded[name]
    if loaded.module is not None:
        loaded.module.uninitializePlugin(PluginObject(name))
    del run.loaded[name]
    if not any(one.module is not None for one in run.loaded.values()):
        left = [f"the command {one}" for one in run.commands] + [f"callback {one}" for one in run.callbacks]
        run.offences += [f"{one} was left behind by {name}, which is unloaded" for one in left]
    return name


@dataclass(frozen=True)
class PluginObject:
    """The MObject of a plug-in."""

    name: str


def call(name: str, args: tuple[Any, ...], flags: dict[str, Any]) -> Any:
    """Call a command of a plug-in."""
    from .api import OpenMaya

    make, make_syntax = state.now.commands[name]
    syntax = make_syntax() if make_syntax is not None else OpenMaya.MSyntax()
    given = {}
    for flag, value in flags.items():
        known = syntax.flags.get(flag)
        if known is None:
            raise TypeError(f"Invalid flag '{flag}'")
        syntax.check(flag, value)
        given[known.long] = value
    if args:
        raise TypeError(f"Too many objects or values for the command '{name}'.")
    command = make()
    command._begin(syntax)
    command.doIt(OpenMaya.MArgList(given))
    return command._result


def _path(name: str) -> Path:
    if name.endswith(".py"):
        path = Path(name)
        if path.is_file():
            return path
    for folder in os.environ.get("MAYA_PLUG_IN_PATH", "").split(os.pathsep):
        path = Path(folder, f"{Path(name).stem}.py")
        if folder and path.is_file():
            return path
    raise RuntimeError(f'Plug-in, "{name}", was not found on MAYA_PLUG_IN_PATH.')
