"""Sendoff for Maya: heavy scene processing on the studio's server, with live progress in Maya's own window.

Only this file is Maya's plug-in. All else lies in scripts/sendoff_maya and is imported when it is needed first, so
that a Maya in which something is broken (its `ssl`, for example) loads the plug-in and says what to do.
"""

from __future__ import annotations

import traceback

import maya.api.OpenMaya as om


def maya_useNewAPI() -> None:
    """Tell Maya that the objects here are those of its Python API 2.0."""


def initializePlugin(plugin: om.MObject) -> None:
    """Called by Maya when the plug-in is loaded."""
    try:
        from sendoff_maya import registration

        registration.register(plugin)
    except Exception as error:
        traceback.print_exc()
        om.MGlobal.displayError(
            f"Sendoff could not be loaded ({type(error).__name__}: {error}). "
            "Install it again with install_sendoff.py, or tell your TD."
        )
        raise


def uninitializePlugin(plugin: om.MObject) -> None:
    """Called by Maya when the plug-in is unloaded."""
    from sendoff_maya import registration

    registration.unregister(plugin)
