"""Commands on Maya itself: what it is, its settings, its units, its undo queue, its plug-ins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import plugin_commands, signatures, state
from .registry import command


@command()
def about(_mode: str, **flags: Any) -> Any:
    """What Maya this is."""
    run = state.now
    known = {
        "version": run.version, "batch": run.is_batch, "application": "maya", "apiVersion": int(run.version) * 10000,
        "linux": True, "windows": False, "macOS": False, "product": f"Maya {run.version}",
    }  # fmt: skip
    (flag,) = flags
    return known[flag]


@command()
def internalVar(_mode: str, **flags: Any) -> str:
    """Maya's folders."""
    (flag,) = flags
    folder = {"userAppDir": ".", "userPrefDir": f"{state.now.version}/prefs", "userTmpDir": "tmp"}[flag]
    path = (state.now.user_app_dir / folder).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return f"{path.as_posix()}/"


@command()
def optionVar(_mode: str, **flags: Any) -> Any:
    """Settings that are kept."""
    if "exists" in flags:
        return flags["exists"] in state.option_vars
    if "query" in flags:
        return state.option_vars.get(flags["query"], 0)
    if flags.get("list"):
        return sorted(state.option_vars)
    for flag, kind in (("stringValue", str), ("intValue", int), ("floatValue", float)):
        if flag in flags:
            pairs = flags[flag] if isinstance(flags[flag], list) else [flags[flag]]
            for name, value in pairs:
                state.option_vars[name] = kind(value)
    if "remove" in flags:
        for name in [flags["remove"]] if isinstance(flags["remove"], str) else flags["remove"]:
            state.option_vars.pop(name, None)
    return None


@command()
def currentUnit(mode: str, **flags: Any) -> Any:
    """The working units."""
    if mode == "query":
        return state.now.scene.unit if flags.get("linear") else "film"
    state.now.scene.unit = flags.get("linear", state.now.scene.unit)
    return None


@command()
def upAxis(mode: str, **flags: Any) -> Any:
    """Which way is up."""
    if mode == "query":
        return state.now.scene.up_axis
    state.now.scene.up_axis = flags["axis"]
    return None


@command()
def undoInfo(mode: str, **flags: Any) -> Any:
    """The undo queue."""
    run = state.now
    if mode == "query":
        if flags.get("state"):
            return run.records_undo
        if flags.get("redoName"):
            return run.redo[-1][0] if run.redo else ""
        if flags.get("undoName"):
            return run.undo[-1][0] if run.undo else ""
        raise NotImplementedError("undoInfo query")
    if flags.get("openChunk"):
        run.open_chunks.append((flags.get("chunkName", "chunk"), run.scene.snapshot()))
    elif flags.get("closeChunk"):
        if not run.open_chunks:
            raise RuntimeError("There is no chunk to close")
        name, before = run.open_chunks.pop()
        if not run.open_chunks and run.records_undo:
            run.undo.append((name, before))
            run.redo.clear()
    if "stateWithoutFlush" in flags:
        run.records_undo = bool(flags["stateWithoutFlush"])
    if "state" in flags:
        run.records_undo = bool(flags["state"])
        run.undo.clear()
    return None


@command()
def undo(_mode: str) -> None:
    """Take the last step back."""
    run = state.now
    if not run.undo:
        raise RuntimeError("There are no more commands to undo.")
    name, before = run.undo.pop()
    run.redo.append((name, run.scene.snapshot()))
    run.scene.content = before


@command()
def redo(_mode: str) -> None:
    """Do it again."""
    run = state.now
    if not run.redo:
        raise RuntimeError("There are no more commands to redo.")
    name, after = run.redo.pop()
    run.undo.append((name, run.scene.snapshot()))
    run.scene.content = after


@command()
def play(mode: str, **flags: Any) -> Any:
    """The playback."""
    if mode == "query":
        return state.now.is_playing
    state.now.is_playing = bool(flags.get("state", True))
    return None


@command()
def help(_mode: str, name: str, **_flags: Any) -> str:
    """What Maya prints of a command: its flags."""
    found = (
        signatures.of_usd(name, state.now.usd_release)
        if name in ("mayaUSDExport", "mayaUSDImport") and "mayaUsdPlugin" in state.now.loaded
        else signatures.of(name)
    )
    if found is None:
        raise RuntimeError(f'Cannot find procedure "{name}".')
    lines = [f"   -{found.shorts.get(flag, flag[:3])} -{flag} {_told(kind)}" for flag, kind in found.flags.items()]
    return "\n".join(["", f"Synopsis: {name} [flags] ", "Flags:", *lines, ""])


def _told(kind: str) -> str:
    """A type as Maya's help has it."""
    words = {"str": "String", "bool": "on|off", "int": "Int", "float": "Float"}
    inner = kind.removeprefix("Multiuse[").removeprefix("Tuple[").rstrip("]")
    told = " ".join(words.get(one.strip(), one.strip()) for one in inner.split(","))
    return f"{told} (multi-use)" if kind.startswith("Multiuse") else told


@command()
def pluginInfo(mode: str, *names: str, **flags: Any) -> Any:
    """Which plug-ins are loaded, and which at each start."""
    run = state.now
    if mode == "edit":
        name = Path(names[0]).stem
        (run.autoload.add if flags["autoload"] else run.autoload.discard)(name)
        return None
    if flags.get("listPlugins"):
        return sorted(run.loaded)
    name = Path(names[0]).stem
    if flags.get("loaded"):
        return name in run.loaded
    if flags.get("autoload"):
        return name in run.autoload
    if flags.get("version"):
        return run.loaded[name].version
    raise NotImplementedError("pluginInfo")


@command()
def loadPlugin(_mode: str, *names: str, **_flags: Any) -> list[str]:
    """Load plug-ins."""
    return [plugin_commands.load(name) for name in names]


@command()
def unloadPlugin(_mode: str, *names: str, **_flags: Any) -> list[str]:
    """Unload plug-ins."""
    return [plugin_commands.unload(name) for name in names]
