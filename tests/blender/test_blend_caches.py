"""A rigid body and a cloth stand in the copy that is sent where the artist's session has them."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from sendoff_sdk.blend_caches import keep_simulations


def lowest(name: str) -> float:
    shown = bpy.data.objects[name].evaluated_get(bpy.context.evaluated_depsgraph_get())
    return min((shown.matrix_world @ vertex.co).z for vertex in shown.data.vertices)


def simulate(frames: int) -> None:
    bpy.ops.mesh.primitive_cube_add(location=(0, 0, 20))
    bpy.context.object.name = "Box"
    bpy.ops.rigidbody.object_add()
    bpy.ops.mesh.primitive_grid_add(location=(5, 0, 20), x_subdivisions=4, y_subdivisions=4)
    bpy.context.object.name = "Sheet"
    bpy.context.object.modifiers.new("Cloth", "CLOTH")
    for frame in range(1, frames + 1):
        bpy.context.scene.frame_set(frame)


def reopened(path: Path) -> dict[str, float]:
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
    return {name: lowest(name) for name in ("Box", "Sheet")}


@pytest.mark.parametrize("shown", [20, 12, 40])
def test_what_was_simulated_stands_where_the_session_has_it(tmp_path: Path, shown: int) -> None:
    simulate(20)
    bpy.context.scene.frame_set(shown)
    before = {name: lowest(name) for name in ("Box", "Sheet")}
    path = tmp_path / "copy.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=False)
    assert before["Box"] < 18.9
    assert keep_simulations(path) == 2
    assert reopened(path) == pytest.approx(before, abs=1e-4)
    assert keep_simulations(path) == 0


def test_a_simulation_that_is_outdated_stays_so(tmp_path: Path) -> None:
    simulate(20)
    path = tmp_path / "played.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=False)
    before = reopened(path)
    assert before["Box"] == pytest.approx(19), "Blender itself begins again once the file is opened"
    copy = tmp_path / "copy.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, compress=False)
    keep_simulations(copy)
    assert reopened(copy) == pytest.approx(before, abs=1e-4)


def test_other_files_are_left_as_they_are(tmp_path: Path) -> None:
    plain, damaged = tmp_path / "plain.blend", tmp_path / "damaged.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(plain), copy=True, compress=False)
    data = plain.read_bytes()
    damaged.write_bytes(data[: len(data) // 2])
    assert keep_simulations(plain) == keep_simulations(damaged) == 0
    assert plain.read_bytes() == data
