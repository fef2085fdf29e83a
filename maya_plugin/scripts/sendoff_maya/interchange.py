"""Maya's plug-ins for interchange, USD and FBX: whether they can be used, and what is written and read by them."""

from __future__ import annotations

from pathlib import Path

from maya import cmds, mel

from . import usd_flags
from .scene_formats import Plugins

USD, FBX = "mayaUsdPlugin", "fbxmaya"
#: Flags that every version of Maya's USD plug-in knows.
_ALWAYS = frozenset({"file", "selection", "mergeTransformAndShape", "exportUVs"})


def plugins() -> Plugins:
    """What can be used here; what is not loaded is loaded now."""
    return Plugins(usd=_is_usable(USD), fbx=_is_usable(FBX))


def write_usd(path: Path, *, selection: bool) -> None:
    """Write the scene, or what is selected, as USD in Maya's own units and up-axis. Raises RuntimeError."""
    wanted = {
        "file": path.as_posix(),
        "selection": selection,
        "defaultUSDFormat": "usda" if path.suffix == ".usda" else "usdc",
        "mergeTransformAndShape": True,
        "exportUVs": True,
        "exportColorSets": True,
        "exportComponentTags": False,
        "exportSkels": "none",
        "exportBlendShapes": False,
        "exportInstances": True,
        "exportVisibility": True,
        "exportDisplayColor": True,
        "defaultMeshScheme": "none",
        "shadingMode": "useRegistry",
        "convertMaterialsTo": ["UsdPreviewSurface"],
        "stripNamespaces": False,
        "staticSingleSample": True,
        "upAxis": "mayaPrefs",
        "unit": "mayaPrefs",
    }
    flags = usd_flags.fitting("mayaUSDExport", wanted, always=_ALWAYS)
    cmds.mayaUSDExport(**flags)  # type: ignore[attr-defined] # Maya's USD plug-in brings it


def write_fbx(path: Path, *, selection: bool) -> None:
    """Write the scene, or what is selected, as FBX; the artist's own FBX settings stay. Raises RuntimeError."""
    with _fbx_settings("Export"):
        mel.eval("FBXExportSmoothingGroups -v true")
        mel.eval("FBXExportInputConnections -v false")
        mel.eval(f"FBXExportUpAxis {cmds.upAxis(query=True, axis=True)}")
        mel.eval(f"FBXExport -f {mel_text(path.as_posix())}" + (" -s" if selection else ""))


def read_usd(path: Path) -> None:
    """Import a USD file into the current namespace. Raises RuntimeError."""
    wanted = {
        "file": path.as_posix(),
        "primPath": "/",
        "readAnimData": False,
        "shadingMode": [["useRegistry", "UsdPreviewSurface"]],
        "upAxis": True,
        "unit": True,
    }
    flags = usd_flags.fitting("mayaUSDImport", wanted, always=("file", "primPath", "readAnimData"))
    cmds.mayaUSDImport(**flags)  # type: ignore[attr-defined]


def read_fbx(path: Path) -> None:
    """Import an FBX file into the current namespace; the artist's own FBX settings stay. Raises RuntimeError."""
    with _fbx_settings("Import"):
        mel.eval("FBXImportMode -v add")
        mel.eval(f"FBXImport -f {mel_text(path.as_posix())}")


class _fbx_settings:  # noqa: N801 - used as a function
    """Have FBX's factory settings for the length of a `with` block."""

    def __init__(self, direction: str) -> None:
        self._direction = direction

    def __enter__(self) -> None:
        mel.eval("FBXPushSettings")
        mel.eval(f"FBXReset{self._direction}")

    def __exit__(self, *_: object) -> None:
        mel.eval("FBXPopSettings")


def mel_text(text: str) -> str:
    """A text as MEL has it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_usable(plugin: str) -> bool:
    if cmds.pluginInfo(plugin, query=True, loaded=True):
        return True
    try:
        cmds.loadPlugin(plugin, quiet=True)
    except RuntimeError:
        return False
    return bool(cmds.pluginInfo(plugin, query=True, loaded=True))
