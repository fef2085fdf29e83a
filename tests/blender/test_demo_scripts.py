from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def run(script: str, *arguments: Path) -> str:
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=180).stdout


@pytest.fixture(scope="module")
def car(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "scene"
    run("demo_scene.py", folder)
    return folder / "car.blend"


def test_the_car_is_large_and_shares_its_wheels(car: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(car), load_ui=False, use_scripts=False)
    assert len(bpy.data.objects["Body"].data.polygons) >= 200_000
    assert len({bpy.data.objects[f"Wheel {corner}"].data for corner in ("FL", "FR", "RL", "RR")}) == 1
    assert any(one.modifiers for one in bpy.data.objects)
    paths = {image.name: image.filepath for image in bpy.data.images if image.source == "FILE"}
    assert paths == {"Paint": "//textures/paint.png", "Tire": "//../shared-textures/tire.png"}
    assert all(Path(bpy.path.abspath(path)).is_file() for path in paths.values())


def test_the_levels_are_rendered_side_by_side_wherever_they_stand(tmp_path: Path) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add()
    source = bpy.context.object
    levels = [source.copy() for _ in range(2)]
    for level, one in enumerate(levels, 1):
        one["sendoff_source"], one["sendoff_level"] = source.name, level
        bpy.context.scene.collection.objects.link(one)
    pictures = []
    for step in (0.0, 2.0):
        for level, one in enumerate(levels, 1):
            one.location.x = source.location.x + step * level
        scene, picture = tmp_path / f"scene {step}.blend", tmp_path / f"lods {step}.png"
        bpy.ops.wm.save_as_mainfile(filepath=str(scene), copy=True)
        assert run("render_lods.py", scene, picture).splitlines()[-1] == str(picture)
        image = bpy.data.images.load(str(picture))
        assert tuple(image.size) == (1600, 500)
        pictures.append(np.array(image.pixels))
    assert np.abs(pictures[0] - pictures[1]).max() < 0.02


def test_a_scene_without_levels_is_told(tmp_path: Path) -> None:
    scene = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(scene), copy=True)
    command = [sys.executable, str(SCRIPTS / "render_lods.py"), str(scene), str(tmp_path / "out.png")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert "scene.blend holds no levels of detail to render." in ended.stderr
