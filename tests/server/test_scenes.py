"""What a task says to a scene before it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from sendoff_server.problems import Problem
from sendoff_server.scenes import check_kind, scene_needs, series_of
from sendoff_store.offers import TaskInfo
from sendoff_store.scene_needs import SceneNeeds

FORMATS = {"properties": {"formats": {"type": "array", "default": ["scene"]}}}
LODS = TaskInfo(name="mesh.lods", accepts=("blend", "usd", "usda", "fbx"), params=FORMATS, blender=True)
CHECK = TaskInfo(name="scene.check", accepts=("blend",), blender=True)
ARTIST = {"application": "blender", "version": "4.2.12"}


@pytest.mark.parametrize(
    ("task", "scene", "words"),
    [
        (LODS, "car.glb", "Import it in Blender, and click there."),
        (LODS, "car.ABC", "Import it in Blender, and click there."),
        (LODS, "car.blend2", "copy it to a name that ends in .blend"),
        (LODS, "car.max", "Export it as USD or FBX, and send that."),
        (LODS, "car.zip", "Unpack it, and send the file inside."),
        (LODS, "car", "Export it as USD or FBX, and send that."),
        (CHECK, "car.max", "The task scene.check takes .blend, and car.max is something else."),
        (CHECK, None, "needs a scene (.blend)"),
    ],
)
def test_a_kind_that_a_task_does_not_take_is_refused_with_what_to_do(
    task: TaskInfo, scene: str | None, words: str
) -> None:
    with pytest.raises(Problem) as caught:
        check_kind(task, scene)
    assert words in caught.value.detail
    assert caught.value.detail.endswith(".")


@pytest.mark.parametrize(
    ("task", "params", "reader"),
    [
        (LODS, {}, "4.2"),
        (LODS, {"formats": ["glb", "blend"]}, "4.2"),
        (LODS, {"formats": ["glb"]}, ""),
        (CHECK, {}, ""),
    ],
)
def test_the_artists_blender_counts_if_a_blend_comes_back(task: TaskInfo, params: dict[str, Any], reader: str) -> None:
    needs = scene_needs(task, kind="blend", series="4.2", host=ARTIST, params=params)
    assert needs == SceneNeeds(kind="blend", series="4.2", read_by=reader)


def test_other_hosts_and_other_kinds_read_no_blend() -> None:
    assert scene_needs(LODS, kind="blend", series="4.2", host={}, params={}).read_by == ""
    assert scene_needs(LODS, kind="usda", host=ARTIST, params={}) == SceneNeeds(kind="usda")


@pytest.mark.parametrize(("version", "series"), [("4.5.15", "4.5"), ("5.0", "5.0"), ("2025", ""), ("", ""), ("x", "")])
def test_a_series_when_read_of_a_version_then_its_first_two_numbers(version: str, series: str) -> None:
    assert series_of(version) == series
