"""Installs Sendoff into Maya: drag this file into the viewport of a running Maya. The same again brings an update.

For machines without a window: python install_sendoff.py --user-app-dir DIR [--uninstall]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import uuid
from pathlib import Path

MODULE, PLUGIN = "sendoff", "sendoff_plugin"
OLDEST_MAYA = 2023
INSTALL, UNINSTALL, CANCEL = "Install", "Uninstall", "Cancel"
HERE = Path(__file__).resolve().parent
#: Where Maya looks, and the module's folder for it; on Linux it puts an icon's name in the place of `%B`.
SEARCHED = (
    ("MAYA_PLUG_IN_PATH", "plug-ins"),
    ("XBMLANGPATH", "icons/%B" if sys.platform.startswith("linux") else "icons"),
)


class CannotInstall(Exception):
    """It cannot be done; the text is a sentence that says what to do."""


def onMayaDroppedPythonFile(*_: object) -> None:
    """Called by Maya when this file is dropped into its window."""
    try:
        _in_maya()
    finally:
        sys.modules.pop(__name__, None)  # or the file of the next version, dropped into the same Maya, is not read


def install(app_dir: Path, source: Path = HERE, *, downgrade: bool = False) -> tuple[str, str]:
    """Put the module into a user's Maya folder, in the place of an older one.

    Args:
        app_dir: Maya's folder of the user, the one with `prefs` and `scripts` of all versions.
        source: The folder with `sendoff` in it, as it was unpacked.
        downgrade: Whether it may take the place of a newer one.

    Returns:
        The version that was there ("" for none) and the one that is there now.

    Raises:
        CannotInstall: With a sentence; what was there is there still.
    """
    new = source / MODULE
    if not (new / "plug-ins" / f"{PLUGIN}.py").is_file():
        raise CannotInstall(
            f"There is no folder “{MODULE}” beside {Path(__file__).name} in {source}. Unpack the whole archive first, "
            "and drag the file from there."
        )
    modules = app_dir / "modules"
    place = modules / MODULE
    before, version = _version(place), _version(new)
    if not downgrade and _order(before) > _order(version):
        raise CannotInstall(f"Sendoff {before} is installed, which is newer than {version}. Take it out first.")
    part, old = modules / f".{MODULE}-{uuid.uuid4().hex}.part", modules / f".{MODULE}-{uuid.uuid4().hex}.old"
    try:
        modules.mkdir(parents=True, exist_ok=True)
        _copy(new, part)
        (part / "description").write_text(_description(new, place), encoding="utf-8")
        if place.exists():
            place.rename(old)
        part.rename(place)
        (place / "description").replace(modules / f"{MODULE}.mod")
    except OSError as error:
        if old.exists():
            shutil.rmtree(place, ignore_errors=True)
            with contextlib.suppress(OSError):
                old.rename(place)
        raise CannotInstall(
            f"Sendoff cannot be written into {modules}: {error.strerror or error}. Close other Mayas, make room, or "
            "ask for the right to write there, and try again."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        _clear_away(modules)
    return before, version


def uninstall(app_dir: Path) -> str:
    """Take the module out of a user's Maya folder; settings and sign-ins stay. Returns the version that was there."""
    modules = app_dir / "modules"
    place = modules / MODULE
    version = _version(place)
    try:
        if place.exists():
            place.rename(modules / f".{MODULE}-{uuid.uuid4().hex}.old")
        (modules / f"{MODULE}.mod").unlink(missing_ok=True)
    except OSError as error:
        raise CannotInstall(
            f"Sendoff cannot be taken out of {modules}: {error.strerror or error}. Close Maya and try again."
        ) from error
    _clear_away(modules)
    return version


def _copy(new: Path, part: Path) -> None:
    """Copy a folder; unlike `copytree`, end with the system's own reason at the first file that cannot be written."""
    part.mkdir()
    for path in sorted(new.rglob("*")):
        copy = part / path.relative_to(new)
        if path.is_dir():
            copy.mkdir()
        else:
            shutil.copyfile(path, copy)


def _description(new: Path, place: Path) -> str:
    """The text of sendoff.mod in the user's folder.

    It names the place in full, or, where Maya may take the letters for others than they are, as seen from itself.
    """
    path = place.as_posix() if place.as_posix().isascii() else f"./{MODULE}"
    return (new / f"{MODULE}.mod").read_text("utf-8").replace(" .\n", f" {path}\n")


def _clear_away(modules: Path) -> None:
    """Remove what took the place of nothing; a file that Windows holds stays until the next time."""
    for path in modules.glob(f".{MODULE}-*.old"):
        shutil.rmtree(path, ignore_errors=True)


def main() -> int:
    """The command for a TD."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user-app-dir", type=Path, required=True, help="the user's Maya folder, MAYA_APP_DIR")
    parser.add_argument("--uninstall", action="store_true", help="take it out again")
    given = parser.parse_args()
    try:
        print(_done(given.user_app_dir, remove=given.uninstall))
    except CannotInstall as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _done(app_dir: Path, *, remove: bool, downgrade: bool = False) -> str:
    if remove:
        version = uninstall(app_dir)
        said = f"Sendoff {version} was taken out." if version else "Sendoff was not installed there."
    else:
        before, version = install(app_dir, downgrade=downgrade)
        if before and before != version:
            said = f"Sendoff was brought from {before} to {version}."
        else:
            said = f"Sendoff {version} was installed{' again' if before else ''}."
    if any((app_dir / "modules").glob(f".{MODULE}-*.old")):
        said += " Files of the old one are in use: restart Maya. They go at the next installation."
    return said


def _in_maya() -> None:
    from maya import cmds

    app_dir = Path(str(cmds.internalVar(userAppDir=True)))
    is_batch = bool(cmds.about(batch=True))
    try:
        _check_maya(str(cmds.about(version=True)))
        answer = INSTALL if is_batch else _ask(_version(app_dir / "modules" / MODULE), _version(HERE / MODULE))
        if answer == CANCEL:
            return
        said = _taken_out(app_dir) if answer == UNINSTALL else _installed(app_dir, downgrade=not is_batch)
    except CannotInstall as error:
        said = str(error)
    if is_batch:
        print(said)
    else:
        cmds.confirmDialog(title="Sendoff", message=said, button=["OK"])


def _installed(app_dir: Path, *, downgrade: bool) -> str:
    from maya import cmds

    was_loaded = _unload()
    try:
        said = _done(app_dir, remove=False, downgrade=downgrade)
    except CannotInstall:
        if was_loaded:
            with contextlib.suppress(RuntimeError):
                cmds.loadPlugin(PLUGIN)
        raise
    _use_now(app_dir / "modules" / MODULE)
    try:
        cmds.loadPlugin(PLUGIN)
        cmds.pluginInfo(PLUGIN, edit=True, autoload=True)
    except RuntimeError as error:
        raise CannotInstall(
            f"{said} But Maya could not load it: {_words(error)}. The Script Editor says more."
        ) from error
    return said if cmds.about(batch=True) else f"{said} It is in the menu Sendoff."


def _taken_out(app_dir: Path) -> str:
    from maya import cmds

    with contextlib.suppress(RuntimeError):  # Maya may not know it
        cmds.pluginInfo(PLUGIN, edit=True, autoload=False)
    _unload()
    said = _done(app_dir, remove=True)
    _use_no_more(app_dir / "modules" / MODULE)
    return said


def _unload() -> bool:
    """Unload the plug-in and forget its modules; whether it was loaded."""
    from maya import cmds

    was_loaded = bool(cmds.pluginInfo(PLUGIN, query=True, loaded=True))
    if was_loaded:
        try:
            cmds.unloadPlugin(PLUGIN)
        except RuntimeError as error:
            raise CannotInstall(
                f"Maya could not unload the Sendoff that is there: {_words(error)}. Nothing was changed. "
                "Restart Maya and drag the file again."
            ) from error
    for name in [name for name in sys.modules if name.partition(".")[0] == "sendoff_maya"]:
        del sys.modules[name]
    return was_loaded


def _words(error: RuntimeError) -> str:
    """What Maya says, without its line's end."""
    return str(error).strip().rstrip(".")


def _ask(before: str, version: str) -> str:
    """What to do where the same version, or a newer one, is there already."""
    from maya import cmds

    if not before or not version or _order(before) < _order(version):
        return INSTALL
    is_same = before == version
    said = f"Sendoff {before} is installed" + ("." if is_same else f", which is newer than {version}.")
    buttons = [INSTALL, *([UNINSTALL] if is_same else []), CANCEL]
    return str(
        cmds.confirmDialog(
            title="Sendoff", message=said, button=buttons, defaultButton=CANCEL, cancelButton=CANCEL,
            dismissString=CANCEL,
        )
    )  # fmt: skip


def _check_maya(version: str) -> None:
    year = "".join(letter for letter in version.split(".", maxsplit=1)[0] if letter.isdigit())
    if year and int(year) < OLDEST_MAYA:
        raise CannotInstall(f"Sendoff needs Maya {OLDEST_MAYA} or newer, and this is Maya {year}.")


def _order(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _use_now(place: Path) -> None:
    """Have this Maya find the module without a restart."""
    _use_no_more(place)
    for name, folder in SEARCHED:
        there = [one for one in os.environ.get(name, "").split(os.pathsep) if one]
        os.environ[name] = os.pathsep.join([(place / folder).as_posix(), *there])
    sys.path.append(str(place / "scripts"))


def _use_no_more(place: Path) -> None:
    """Have this Maya look for nothing there."""
    for name, folder in SEARCHED:
        there = os.environ.get(name, "").split(os.pathsep)
        if (place / folder).as_posix() in there:
            os.environ[name] = os.pathsep.join(one for one in there if one != (place / folder).as_posix())
    sys.path[:] = [one for one in sys.path if one != str(place / "scripts")]


def _version(place: Path) -> str:
    """As the module's description has it: `+ sendoff 0.1.0 .`"""
    try:
        words = (place / f"{MODULE}.mod").read_text("utf-8").split()
    except OSError:
        return ""
    return words[2] if len(words) > 2 else ""


if __name__ == "__main__":
    sys.exit(main())
