"""What the tool calls right, and what it says of what deviates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from judge import Request, box_tolerance, judge_levels, judge_unsaid

REQUEST = Request(levels=1, ratio=0.5, texts=())
BOX = np.array([(x, y, z) for x in (0.0, 1) for y in (0.0, 1) for z in (0.0, 1)])


@dataclass(kw_only=True)
class Surface:
    triangles: int = 1000
    positions: np.ndarray = field(default_factory=lambda: BOX)
    uv_layers: list[str] = field(default_factory=lambda: ["UVMap"])
    colours: list[str] = field(default_factory=list)
    slots: list[str] = field(default_factory=lambda: ["Paint"])
    used: list[str] = field(default_factory=lambda: ["Paint"])
    has_custom_normals: bool = False
    is_smooth: bool = False
    is_finite: bool = True
    wrong_slots: int = 0


@dataclass(kw_only=True)
class Shown:
    name: str = "Rock"
    library: str = ""
    instancer: str = ""
    mesh: str = "Rock"
    matrix: np.ndarray = field(default_factory=lambda: np.eye(4))
    surface: Surface = field(default_factory=Surface)
    is_left_alone: str = ""
    may_be_left_alone: bool = False
    is_tessellated: bool = True
    parent: str = ""
    bone: str = ""
    scenes: tuple[str, ...] = ("Scene",)
    properties: dict[str, Any] = field(default_factory=dict)
    mesh_properties: dict[str, Any] = field(default_factory=dict)

    @property
    def box(self) -> np.ndarray:
        world = self.surface.positions @ self.matrix[:3, :3].T + self.matrix[:3, 3]
        return np.stack([world.min(axis=0), world.max(axis=0)])


@dataclass(kw_only=True)
class Level:
    object_name: str = "Rock_LOD1"
    source: str = "Rock"
    library: str | None = None
    number: int = 1
    shown: Shown = field(default_factory=lambda: Shown(surface=Surface(triangles=500)))
    scenes: tuple[str, ...] = ("Scene",)
    bone: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    mesh_properties: dict[str, Any] = field(default_factory=dict)


def at(x: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3] = x
    return matrix


def level_at(x: float, *, triangles: int = 500, **more: Any) -> Level:
    return Level(shown=Shown(matrix=at(x), surface=Surface(triangles=triangles)), **more)


def test_a_level_like_its_original_is_right() -> None:
    assert judge_levels([Shown()], [Level()], REQUEST) == []


def test_a_level_that_is_missing_or_too_much_is_told() -> None:
    (line,) = judge_levels([Shown()], [], REQUEST)
    assert line.startswith("no level: “Rock” shows 1 times")
    (line,) = judge_levels([Shown()], [Level(), Level()], REQUEST)
    assert line.startswith("too many:")
    (line,) = judge_levels([], [Level()], REQUEST)
    assert line.startswith("not shown:")


@pytest.mark.parametrize("text", ["“Rock” has no faces; it is left out.", "15 more objects are left out."])
def test_what_is_said_is_no_deviation(text: str) -> None:
    assert judge_levels([Shown()], [], Request(levels=1, ratio=0.5, texts=(text,))) == []


def test_a_wrong_place_is_told_with_the_way_to_it() -> None:
    (line,) = judge_levels([Shown()], [level_at(3)], REQUEST)
    assert line.startswith("place: Rock_LOD1")
    assert "moved by [3.0, 0.0, 0.0]" in line


def test_another_matrix_is_right_if_the_box_is() -> None:
    baked = Shown(surface=Surface(triangles=500, positions=BOX * 2))
    stretched = Shown(matrix=np.diag([2.0, 2, 2, 1]))
    assert judge_levels([stretched], [Level(shown=baked)], Request(levels=1, ratio=0.95, texts=("Rock",))) != []
    baked.surface.triangles = 950
    assert judge_levels([stretched], [Level(shown=baked)], Request(levels=1, ratio=0.95, texts=())) == []


def test_each_instance_is_paired_with_the_level_at_its_place() -> None:
    shown = [Shown(matrix=at(3.0 * index), instancer=f"Instance {index}") for index in range(3)]
    levels = [level_at(6), level_at(0), level_at(3)]
    assert judge_levels(shown, levels, REQUEST) == []
    (line,) = judge_levels(shown, levels[:2], REQUEST)
    assert line.startswith("no level: “Rock”, instanced by “Instance 1”")


def test_instances_without_an_object_of_their_own_are_found_by_the_instancer() -> None:
    shown = [Shown(name="Ground", matrix=at(0)), Shown(name="Leaf", instancer="Ground", matrix=at(5))]
    levels = [
        level_at(5, source="Ground", object_name="Ground_LOD1"),
        level_at(0, source="Ground", object_name="Ground_LOD1"),
    ]
    assert [line for line in judge_levels(shown, levels, REQUEST) if not line.startswith("name")] == []


@pytest.mark.parametrize(("triangles", "is_right"), [(500, True), (525, True), (526, False), (449, True), (440, False)])
def test_triangles_are_held_to_five_percent(triangles: int, is_right: bool) -> None:
    assert (judge_levels([Shown()], [level_at(0, triangles=triangles)], REQUEST) == []) == is_right


def test_more_triangles_are_right_if_the_job_says_so_of_that_mesh() -> None:
    shown = [Shown(), Shown(name="Twin", matrix=at(3))]
    levels = [level_at(0, triangles=900), level_at(3, triangles=900, source="Twin", object_name="Twin_LOD1")]
    said = Request(levels=1, ratio=0.5, texts=("“Rock” keeps 900 triangles at LOD 1",))
    assert judge_levels(shown, levels, said) == []
    assert len(judge_levels(shown, levels, REQUEST)) == 2


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"uv_layers": []}, "UV layers"),
        ({"colours": ["Paint"]}, "colour attributes"),
        ({"slots": ["Paint.001"]}, "material slots"),
        ({"used": ["Paint.001"]}, "materials of faces"),
        ({"is_finite": False}, "broken"),
        ({"triangles": 0}, "broken"),
    ],
)
def test_each_layer_is_compared(change: dict[str, Any], kind: str) -> None:
    level = Level(shown=Shown(surface=Surface(**({"triangles": 500} | change))))
    assert any(line.startswith(kind) for line in judge_levels([Shown()], [level], REQUEST))


def test_parents_and_properties_go_along() -> None:
    original = Shown(parent="Mover", properties={"id": 7}, mesh_properties={"density": 1.0})
    kinds = {line.partition(":")[0] for line in judge_levels([original], [Level()], REQUEST)}
    assert kinds == {"parent", "object properties", "mesh properties"}


def test_levels_are_in_the_scene_of_their_original() -> None:
    request = Request(levels=1, ratio=0.5, texts=(), scene="Scene")
    assert judge_levels([Shown()], [Level()], request) == []
    assert judge_levels([Shown()], [Level(scenes=("Other",))], request)[0].startswith("scene")
    assert judge_levels([Shown(scenes=("Set",))], [Level(scenes=("Set",))], request) == []


def test_normals_and_shape_are_measured() -> None:
    off = judge_levels([Shown()], [Level()], REQUEST, measure=lambda *_: (0.4, 0.0))
    assert off[0].startswith("shape")
    turned = judge_levels([Shown()], [Level()], REQUEST, measure=lambda *_: (0.0, 120.0))
    assert turned[0].startswith("normals")


def test_rock_lod0_gives_rock_lod1() -> None:
    original = Shown(name="Rock_LOD0")
    right = Level(source="Rock_LOD0")
    assert judge_levels([original], [right], REQUEST) == []
    wrong = Level(source="Rock_LOD0", object_name="Rock_LOD0_LOD1")
    assert judge_levels([original], [wrong], REQUEST)[0].startswith("name")


def test_a_hull_has_no_levels_and_that_is_said() -> None:
    hull = Shown(name="UCX_Rock", is_left_alone="hull")
    assert judge_levels([hull], [], REQUEST) == []
    assert judge_levels([hull], [Level(source="UCX_Rock")], REQUEST)[0].startswith("not left alone")
    assert judge_unsaid([hull], REQUEST)
    assert not judge_unsaid([hull], Request(levels=1, ratio=0.5, texts=("1 hull is left alone",)))


def test_the_tolerance_follows_from_the_triangles() -> None:
    assert box_tolerance(10, 0.5) > box_tolerance(10_000, 0.5) > box_tolerance(10_000, 0.95)
    assert box_tolerance(1_000_000, 0.95) < 0.003


def test_a_long_name_is_cut_by_bytes() -> None:
    level = Level(object_name=f"{'é' * 29}_LOD1", source="é" * 31)
    assert judge_levels([Shown(name="é" * 31)], [level], REQUEST) == []


def test_faces_without_a_slot_are_the_originals_own() -> None:
    level = Level(shown=Shown(surface=Surface(triangles=500, wrong_slots=7)))
    assert judge_levels([Shown(surface=Surface(wrong_slots=9))], [level], REQUEST) == []
    assert len(judge_levels([Shown()], [level], REQUEST)) == 1


def test_of_a_path_the_last_step_is_named() -> None:
    request = Request(levels=1, ratio=0.5, texts=("“Rock” keeps 900 triangles at LOD 1.",))
    level = Level(source="/World/Rock", shown=Shown(surface=Surface(triangles=900)))
    assert judge_levels([Shown(name="/World/Rock")], [level], request) == []


def test_a_slash_in_a_name_is_no_path() -> None:
    level = Level(object_name="a/b_LOD1", source="a/b")
    assert judge_levels([Shown(name="a/b")], [level], REQUEST) == []
