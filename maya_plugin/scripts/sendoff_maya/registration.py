"""What the plug-in brings into Maya when it is loaded, and takes away when it is unloaded."""

from __future__ import annotations

import contextlib

import maya.api.OpenMaya as om
from maya import cmds

from . import broken, command
from .interactive import is_interactive

VENDOR = "Sendoff"
PLUGIN = "sendoff_plugin"
_callbacks: list[int] = []


def register(plugin: om.MObject) -> None:
    """Register the command; with a window make menu and button, take up the jobs and have the pump called."""
    from . import menus
    from .version import VERSION

    om.MFnPlugin(plugin, VENDOR, VERSION).registerCommand(command.NAME, command.create, command.syntax)
    if is_interactive():
        menus.make()
    problem = broken.why()
    if problem:
        om.MGlobal.displayWarning(problem)
        return
    from . import pump, scene_export
    from .current import desk

    desk.begin()
    scene_export.clear_away(kept=[parcel.folder for parcel in desk.parcels().values()])
    for message, react in (
        (om.MSceneMessage.kAfterOpen, _another_scene),
        (om.MSceneMessage.kAfterNew, _another_scene),
        (om.MSceneMessage.kMayaExiting, _maya_ends),
    ):
        _callbacks.append(om.MSceneMessage.addCallback(message, react))
    pump.start()


def unregister(plugin: om.MObject) -> None:
    """Leave nothing behind: no thread, callback, window, menu, button or command."""
    for callback in _callbacks:
        with contextlib.suppress(RuntimeError):
            om.MMessage.removeCallback(callback)
    _callbacks.clear()
    if not broken.why():
        _end()
    if is_interactive():
        from . import menus

        menus.remove()
    om.MFnPlugin(plugin).deregisterCommand(command.NAME)


def _end() -> None:
    from . import findings_list, notices, panel, pump, status_bar
    from .current import desk, submitting

    pump.stop()
    desk.end()
    submitting.forget()
    if is_interactive():
        status_bar.remove()
        panel.remove()
        findings_list.close()
        notices.close()


def _another_scene(*_: object) -> None:
    """Another scene is open; a result may be waiting for it."""
    from . import pump
    from .current import desk

    desk.another_file_is_open()
    pump.start()


def _maya_ends(*_: object) -> None:
    """Maya ends without unloading plug-ins."""
    from . import pump
    from .current import desk

    pump.stop()
    desk.end()


def is_loaded() -> bool:
    """Whether the plug-in is loaded."""
    return bool(cmds.pluginInfo(PLUGIN, query=True, loaded=True))
