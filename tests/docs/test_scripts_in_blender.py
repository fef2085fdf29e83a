"""The scripts of docs/td.md, run as they stand in a real Blender that has the add-on, against a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.pages import blocks, marked
from tests.runtimes import blender
from tests.stack import ROOT, Stack

#: What the block finds: a file that is open, with a collection "Props".
SCENE = """
import bpy, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
props = bpy.data.collections.new("Props")
bpy.context.scene.collection.children.link(props)
bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=4)
ball = bpy.context.object
props.objects.link(ball)
bpy.context.scene.collection.objects.unlink(ball)
ball.name = "Ball"
bpy.ops.mesh.primitive_cube_add(size=2)
bpy.context.object.scale = (1, 2, 3)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""
INSTALL = """
import bpy, sys
bpy.ops.extensions.package_install_files(filepath=sys.argv[2], repo="user_default", enable_on_install=True)
bpy.ops.wm.save_userpref()
"""
BEGIN = """
import bpy, sys
bpy.ops.preferences.addon_enable(module="bl_ext.user_default.sendoff")
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
"""
TELL_OBJECTS = "\nprint('OBJECTS', *sorted(one.name for one in bpy.data.objects))"
TELL_PREFERENCES = """
from bl_ext.user_default.sendoff import preferences

choice = preferences.server_choice()
print("PREFERENCES", choice.url, choice.url_from, preferences.results_folder(), preferences.imports_by_itself())
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack"), SENDOFF_BLENDERS=str(blender()), SENDOFF_CONCURRENCY="1") as stack:
        yield stack


@pytest.fixture(scope="module")
def machine(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"), stack)


class Machine:
    """A machine of a farm: Blender with settings of its own, the add-on, and a scene."""

    def __init__(self, folder: Path, stack: Stack) -> None:
        self.scene = folder / "car.blend"
        (folder / "blender").mkdir()
        self.environment = stack.environment | {"BLENDER_USER_RESOURCES": str(folder / "blender")}
        build = [sys.executable, ROOT / "scripts" / "build_addon.py", "--out", folder / "dist"]
        built = subprocess.run(build, check=True, capture_output=True, text=True, timeout=120)
        self._run(SCENE, str(self.scene))
        self._run(INSTALL, str(self.scene), built.stdout.strip().splitlines()[-1])

    def run(self, text: str, **environment: str) -> str:
        """Run a script in a Blender that has just opened the scene; returns what it prints."""
        return self._run(BEGIN + text, str(self.scene), **environment)

    def _run(self, text: str, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            [blender(), "-c", text, *arguments], env=self.environment | environment, capture_output=True, text=True,
            timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def test_the_farms_script_when_run_then_the_levels_are_in_the_saved_file(machine: Machine) -> None:
    first, _ = marked("docs/td.md", "process").values()
    said = machine.run(first + TELL_OBJECTS)
    assert "OBJECTS Ball Ball_LOD1 Ball_LOD2 Cube" in said
    assert said.count("Sendoff: car · ") >= 3, said
    assert " [25 %]" in said
    assert machine.scene.with_name("car_lods.blend").is_file()


def test_the_scope_of_a_script_is_a_collection_and_its_failure_a_sentence(machine: Machine) -> None:
    _, second = marked("docs/td.md", "process").values()
    said = machine.run(second)
    assert "not checked" not in said
    assert re.search(r"Info: car · Check the scene: (nothing to mend|\d+ finding)", said), said
    said = machine.run(second, SENDOFF_URL="http://127.0.0.1:9", SENDOFF_TOKEN="x.y.z")
    assert "The props were not checked: Error: car · " in said
    assert "cannot be reached" in said


def test_a_failed_script_when_it_ends_then_blender_can_tell_the_farm(machine: Machine) -> None:
    text = marked("docs/td.md", "process")["0"].replace('"levels": 2', '"levels": 99')
    with pytest.raises(AssertionError, match=r"RuntimeError: Error: car · .*: levels is 99"):
        machine.run(text)


def test_the_scripts_arguments_are_all_in_the_table(machine: Machine) -> None:
    said = machine.run("print('ARGUMENTS', *bpy.ops.sendoff.process.get_rna_type().properties.keys())")
    (names,) = [line.split()[1:] for line in said.splitlines() if line.startswith("ARGUMENTS")]
    page = (ROOT / "docs/td.md").read_text()
    assert [name for name in names if name != "rna_type" and f"\n| `{name}` |" not in page] == []


def test_the_start_up_script_sets_the_preferences(machine: Machine) -> None:
    (text,) = marked("docs/td.md", "preferences").values()
    assert "PREFERENCES http://render01:8780 preferences /mnt/results False" in machine.run(text + TELL_PREFERENCES)
    url = "http://render02:8780"
    said = machine.run(text + TELL_PREFERENCES, SENDOFF_URL=url)
    assert f"PREFERENCES {url} SENDOFF_URL /mnt/results False" in said


def test_the_artists_script_is_understood(machine: Machine) -> None:
    (text,) = [block.text for block in blocks(ROOT / "docs/artist.md") if block.language == "python"]
    assert "OBJECTS Ball Ball_LOD1 Ball_LOD2 Cube" in machine.run(text + TELL_OBJECTS)
