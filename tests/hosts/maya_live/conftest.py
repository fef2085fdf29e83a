"""The tests for those who have Maya: `mayapy -m pytest tests/hosts/maya_live`, see docs/maya.md.

They use the real Maya without its window, a real server and worker, and the module as `make maya` builds it.
"""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
IN_MAYA = Path(sys.executable).stem.startswith("mayapy")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and not IN_MAYA:
            item.add_marker(pytest.mark.maya)
            item.add_marker(pytest.mark.skip(reason="needs Autodesk Maya and its licence: run it with mayapy"))


@pytest.fixture(scope="session")
def maya(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The real Maya with the plug-in loaded, at the server that SENDOFF_URL names."""
    if not os.environ.get("SENDOFF_URL"):
        pytest.fail("Set SENDOFF_URL (and SENDOFF_TOKEN) to a server with a worker: `make up` starts one.")
    built = max((ROOT / "dist").glob("sendoff-maya-*.zip"), default=None)
    if built is None:
        pytest.fail("Build the module first: make maya")
    folder = tmp_path_factory.mktemp("module")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder)
    import maya.standalone

    maya.standalone.initialize(name="python")
    from maya import cmds

    sys.path.append(str(folder / "sendoff" / "scripts"))
    cmds.loadPlugin(str(folder / "sendoff" / "plug-ins" / "sendoff_plugin.py"))
    yield cmds
    cmds.file(newFile=True, force=True)
    cmds.unloadPlugin("sendoff_plugin")
    maya.standalone.uninitialize()


@pytest.fixture
def scene(maya: Any, tmp_path: Path) -> Any:
    """A saved scene of one ball of known size in centimetres, away from the origin."""
    maya.file(newFile=True, force=True)
    maya.polySphere(name="Ball", radius=100, subdivisionsX=40, subdivisionsY=40)
    maya.xform("Ball", translation=(300, 50, -200), rotation=(0, 90, 0))
    maya.file(rename=str(tmp_path / "ball.ma"))
    maya.file(save=True, type="mayaAscii")
    return maya
