"""Installs Sendoff into Maya: drag this file into the viewport of a running Maya. The same again brings an update.

For machines without a window: python install_sendoff.py --user-app-dir DIR [--uninstall]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import uuid
from pathlib import Path

MODULE, PLUGIN = "sendoff", "sendoff_plugin"
OLDEST_MAYA = 2023
INSTALL, UNINSTALL, CANCEL = "Install", "Uninstall", "Cancel"
HERE = Path(__file__).resolve().parent


class CannotInstall(Exception):
    """It cannot be done; the text is a sentence that says what to do."""


def onMayaDroppedPythonFile(*_: object) -> None:
    """Called by Maya when this file is dropped into its window."""
    _in_maya()


def install(app_dir: Path, source: Path = HERE) -> tuple[str, str]:
    """Put the module into a user's Maya folder, in the place of an older one.

    Args:
        app_dir: Maya's folder of the user, the one with `prefs` and `scripts` of all versions.
        source: The folder with `sendoff` in it, as it was unpacked.

    Returns:
        The version that was there ("" for none) and the one that is there now.

    Raises:
        CannotInstall: With a sentence.
    """
    new = source / MODULE
    if not (new / "plug-ins" / f"{PLUGIN}.py").is_file():
        raise CannotInstall(
            f"There is no folder “{MODULE}” beside {Path(__file__).name} in {source}. Unpack the whole archive first, "
            "and drag the file from there."
        )
    modules = app_dir / "modules"
    place, description = modules / MODULE, modules / f"{MODULE}.mod"
    before, version = _version(place), _version(new)
    part, old = modules / f".{MODULE}-{uuid.uuid4().hex}.part", modules / f".{MODULE}-{uuid.uuid4().hex}.old"
    try:
        modules.mkdir(parents=True, exist_ok=True)
        shutil.copytree(new, part)
        if place.exists():
            place.rename(old)
        part.rename(place)
        # The absolute path: Maya looks for one that is relative in the folder that it was started in.
        text = (place / f"{MODULE}.mod").read_text("utf-8").replace(" .\n", f" {place.as_posix()}\n")
        description.write_text(text, encoding="utf-8")
    except OSError as error:
        if old.exists() and not place.exists():
            old.rename(place)
        raise CannotInstall(
            f"Sendoff cannot be written into {modules}: {error.strerror or error}. "
            "Make room or ask for the right to write there, and drag the file again."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)  # a file that Windows holds stays, and Maya does not look at it
    return before, version


def uninstall(app_dir: Path) -> str:
    """Take the module out of a user's Maya folder; settings and sign-ins stay. Returns the version that was there."""
    modules = app_dir / "modules"
    place, description = modules / MODULE, modules / f"{MODULE}.mod"
    version = _version(place)
    try:
        description.unlink(missing_ok=True)
        if place.exists():
            shutil.rmtree(place)
    except OSError as error:
        raise CannotInstall(
            f"Sendoff cannot be taken out of {modules}: {error.strerror or error}. Close Maya and try again."
        ) from error
    return version


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


def _done(app_dir: Path, *, remove: bool) -> str:
    if remove:
        version = uninstall(app_dir)
        return f"Sendoff {version} was taken out." if version else "Sendoff was not installed there."
    before, version = install(app_dir)
    if before and before != version:
        return f"Sendoff was brought from {before} to {version}."
    return f"Sendoff {version} was installed{' again' if before else ''}."


def _in_maya() -> None:
    from maya import cmds

    app_dir = Path(str(cmds.internalVar(userAppDir=True)))
    is_batch = bool(cmds.about(batch=True))
    try:
        _check_maya(str(cmds.about(version=True)))
        answer = INSTALL if is_batch else _ask(_version(app_dir / "modules" / MODULE), _version(HERE / MODULE))
        if answer == CANCEL:
            return
        if cmds.pluginInfo(PLUGIN, query=True, loaded=True):
            cmds.unloadPlugin(PLUGIN)
        _forget_modules()
        if answer == UNINSTALL:
            cmds.pluginInfo(PLUGIN, edit=True, autoload=False)
        said = _done(app_dir, remove=answer == UNINSTALL)
        if answer == INSTALL:
            _use_now(app_dir / "modules" / MODULE)
            cmds.loadPlugin(PLUGIN)
            cmds.pluginInfo(PLUGIN, edit=True, autoload=True)
            said += " It is in the menu Sendoff."
    except CannotInstall as error:
        said = str(error)
    except RuntimeError as error:
        said = f"Sendoff was installed, and Maya could not load it: {str(error).strip()}. The Script Editor says more."
    if is_batch:
        print(said)
    else:
        cmds.confirmDialog(title="Sendoff", message=said, button=["OK"])


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
    for name, folder in (("MAYA_PLUG_IN_PATH", "plug-ins"), ("XBMLANGPATH", "icons")):
        path = (place / folder).as_posix()
        there = [one for one in os.environ.get(name, "").split(os.pathsep) if one]
        if path not in there:
            os.environ[name] = os.pathsep.join([path, *there])
    scripts = str(place / "scripts")
    if scripts not in sys.path:
        sys.path.append(scripts)


def _forget_modules() -> None:
    """What Python has in memory of an older version."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "sendoff_maya"]:
        del sys.modules[name]


def _version(place: Path) -> str:
    """As the module's description has it: `+ sendoff 0.1.0 .`"""
    try:
        words = (place / f"{MODULE}.mod").read_text("utf-8").split()
    except OSError:
        return ""
    return words[2] if len(words) > 2 else ""


if __name__ == "__main__":
    sys.exit(main())
