"""The loop in the real Maya, without its window."""

from __future__ import annotations

import json
from typing import Any

import pytest


def test_levels_come_back_with_their_counts_sizes_and_places(scene: Any) -> None:
    box = scene.exactWorldBoundingBox("Ball")
    triangles = scene.polyEvaluate("Ball", triangle=True)
    selected, modified = scene.ls(selection=True), scene.file(query=True, modified=True)
    scene.optionVar(stringValue=("sendoffLodPlacement", "OVER"))
    scene.sendoffProcess(task="mesh.lods", params=json.dumps({"levels": 2, "ratio": 0.5}), wait=True)
    levels = {
        scene.getAttr(f"{one}.sendoffLevel"): one
        for one in scene.ls("*.sendoffLevel", objectsOnly=True, recursive=True, long=True)
    }
    assert sorted(levels) == [1, 2]
    for level, one in levels.items():
        assert scene.polyEvaluate(one, triangle=True) == pytest.approx(triangles * 0.5**level, rel=0.03)
        assert scene.exactWorldBoundingBox(one) == pytest.approx(box, abs=6.0)
    scene.undo()
    assert not scene.ls("*.sendoffLevel", recursive=True)
    assert (scene.ls(selection=True), scene.file(query=True, modified=True)) == (selected, modified)


@pytest.mark.parametrize("kind", ["usd", "fbx", "own"])
def test_every_way_to_write_the_scene_works(scene: Any, tmp_path: Any, kind: str) -> None:
    from sendoff_maya.sendoff.host.submitting import Order

    from sendoff_maya import scene_export

    accepts = {"usd": ("usdc",), "fbx": ("fbx",), "own": ("ma", "mb")}[kind]
    before = (scene.ls(), scene.file(query=True, modified=True), scene.ls(selection=True))
    export = scene_export.export(Order(task="mesh.lods", params={}), accepts)
    assert export.scene_bytes > 1000
    assert "/Ball" in export.fingerprints
    assert (scene.ls(), scene.file(query=True, modified=True), scene.ls(selection=True)) == before


def test_a_check_ends_and_nonsense_is_a_sentence(scene: Any) -> None:
    assert scene.sendoffProcess(task="scene.check", wait=True)
    with pytest.raises(RuntimeError, match="not a JSON object"):
        scene.sendoffProcess(task="mesh.lods", params="[1]")


def test_maya_usd_tells_its_flags(scene: Any) -> None:
    from sendoff_maya import interchange, usd_flags

    assert interchange.plugins().usd
    known = usd_flags.known("mayaUSDExport")
    assert {"file", "selection", "mergeTransformAndShape", "exportUVs"} <= set(known)
