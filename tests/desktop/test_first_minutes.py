"""An artist's first minutes: the tab, a click, the status bar, the result; and a quick way out while a job runs."""

from __future__ import annotations

from tests.desktop.blender import Blender
from tests.desktop.reading import percentages
from tests.desktop.screen import Screen

SPHERE = "bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=7, radius=2)"
JOB_SECONDS = 120.0


def process(blender: Blender, screen: Screen) -> None:
    """Open the tab and click its button."""
    screen.click_text("Process on Server", blender.open_sidebar("Sendoff"))


def test_a_click_in_the_sidebar_brings_lods_into_the_scene(blender: Blender, screen: Screen) -> None:
    blender.run(SPHERE)
    process(blender, screen)
    seen: list[int] = []

    def has_landed() -> object:
        before = len(seen)
        seen.extend(percentages(screen.text(blender.status_bar)))
        if not before and seen:
            screen.shot("in the middle")
        return blender.ask("[o.name for o in bpy.data.objects if '_LOD' in o.name]")

    screen.wait_until(has_landed, "the LODs in the scene", seconds=JOB_SECONDS)
    screen.shot("the result")
    assert seen, "the status bar never showed a percentage"


def test_quitting_while_a_job_runs_takes_seconds(blender: Blender, screen: Screen) -> None:
    blender.run(SPHERE)
    process(blender, screen)
    screen.wait_until(lambda: percentages(screen.text(blender.status_bar)), "progress", seconds=JOB_SECONDS)
    assert blender.quit() < 10
