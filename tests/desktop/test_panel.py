"""The sidebar in the hands of an artist: task, parameters, scope, jobs; what is grey says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desktop.blender import Blender
from tests.desktop.conftest import MakeBlender, stack_in
from tests.desktop.held_jobs import INSIDE
from tests.desktop.reading import Rect, percentages
from tests.desktop.screen import Screen
from tests.stack import Stack

SCENE = """
bpy.ops.mesh.primitive_monkey_add(location=(3, 0, 0))
bpy.context.object.name = "Head"
bpy.ops.object.modifier_add(type="SUBSURF")
bpy.context.object.modifiers[0].levels = 3
bpy.ops.mesh.primitive_cylinder_add(location=(-3, 0, 0))
bpy.context.object.name = "Drum"
bpy.context.object.scale = (2, 1, 1)
bpy.ops.object.select_all(action="DESELECT")
bpy.ops.ed.undo_push(message="scene")
"""
HELD = """
import json
bpy.ops.sendoff.process("INVOKE_DEFAULT", task="studio.held", params=json.dumps({"gate": gate}))
"""
JOB_SECONDS = 120.0
#: The middle of the last button of the status bar, from its right edge.
CROSS_PIXELS = 25
#: A short log opens so far above the status bar.
LOG_PIXELS = 160


@pytest.fixture(scope="module")
def studio(window_system: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server whose worker has the tasks of tests/tasks_for_tests."""
    with stack_in(tmp_path_factory.mktemp("studio")) as stack:
        yield stack


@pytest.fixture
def blender(make_blender: MakeBlender, studio: Stack) -> Blender:
    made = make_blender({"SENDOFF_URL": studio.url, "SENDOFF_TOKEN": studio.token})
    made.start()
    made.run(INSIDE)
    made.run(SCENE)
    return made


def process(blender: Blender, screen: Screen, sidebar: Rect) -> None:
    """Click the button; again where a busy machine has lost the click, as a person would."""
    for _ in range(3):
        screen.click_text("Process on Server", sidebar)
        try:
            blender.wait_until("len(jobs()) == 1", seconds=10)
        except AssertionError:
            continue
        return
    raise AssertionError("three clicks on the button sent nothing")


def test_a_task_its_parameters_and_its_scope_are_chosen_by_mouse(blender: Blender, screen: Screen) -> None:
    sidebar = blender.open_sidebar("Sendoff")
    screen.wait_for_text("Levels of detail", sidebar)
    screen.shot("panel")
    screen.fill("Ratio", "0.3", sidebar)
    screen.fill("Levels", "2", sidebar.below(screen.wait_for_text("with its modifiers applied", sidebar)))
    screen.choose("Whole Scene", "Selected", sidebar)
    screen.wait_for_text("Select the objects to process", sidebar)
    screen.shot("nothing selected")
    screen.click_text("Process on Server", sidebar)
    assert blender.ask("len(jobs())") == 0, "nothing is sent where nothing is selected"
    screen.click_text("Head", blender.area("OUTLINER"))
    screen.wait_until_gone("Select the objects to process", sidebar)
    process(blender, screen, sidebar)
    blender.wait_until("levels()", seconds=JOB_SECONDS)
    screen.shot("result")
    assert blender.ask("levels()") == ["Head_LOD1", "Head_LOD2"]
    assert blender.ask("job().scope_title") == "“Head”"
    full, half = (blender.ask(f"len(bpy.data.objects['Head_LOD{level}'].data.polygons)") for level in (1, 2))
    assert half == pytest.approx(full * 0.3, rel=0.05)


def test_another_tasks_form_is_its_own_and_the_result_is_an_image(blender: Blender, screen: Screen) -> None:
    sidebar = blender.open_sidebar("Sendoff")
    screen.click_text("Levels of detail", sidebar)
    screen.shot("tasks")
    screen.click_text("Colour swatch")
    screen.fill("Size", "32", sidebar)
    screen.shot("swatch")
    process(blender, screen, sidebar)
    blender.wait_until("job() and job().imported", seconds=JOB_SECONDS)
    assert blender.ask("[tuple(image.size) for image in bpy.data.images if image.filepath]") == [[32, 32]]
    screen.wait_for_text("Show", sidebar)
    screen.shot("done")


def test_an_error_is_one_sentence_with_buttons_that_help(blender: Blender, screen: Screen) -> None:
    sidebar = blender.open_sidebar("Sendoff")
    blender.run("bpy.ops.sendoff.process('INVOKE_DEFAULT', task='studio.swatch', params='{\"color\": \"blue\"}')")
    screen.wait_for_text("Open Log", blender.status_bar, seconds=JOB_SECONDS)
    screen.shot("error")
    assert "is not like" in screen.text(sidebar)
    screen.click_text("Open Log", blender.status_bar)
    bar = blender.status_bar
    screen.wait_for_text("Worker's Log", Rect(bar.x, bar.y - LOG_PIXELS, bar.width, bar.height + LOG_PIXELS))
    screen.shot("log")
    screen.key("Escape")
    screen.click_text("Retry", blender.status_bar)
    blender.wait_until("len(jobs()) == 2 and jobs()[1].problem", seconds=JOB_SECONDS)
    assert blender.ask("jobs()[1].sent_bytes") == 0, "a retry sends nothing again"
    assert blender.ask("jobs()[0].is_seen")


def test_several_jobs_are_told_apart_and_one_is_cancelled_in_the_status_bar(
    blender: Blender, screen: Screen, tmp_path: Path
) -> None:
    sidebar = blender.open_sidebar("Sendoff")
    for name in ("one", "two"):
        blender.run(HELD, gate=str(tmp_path / name))
        blender.wait_until("job().message.startswith('Held')", seconds=JOB_SECONDS)
    screen.wait_until(lambda: len(percentages(screen.text(blender.status_bar))) == 2, "two bars", blender.status_bar)
    screen.shot("two jobs")
    bar = blender.status_bar
    screen.click((bar.right - CROSS_PIXELS, bar.middle[1]))  # the cross of the last bar, which is the older job's
    screen.wait_for_text("Cancelled", sidebar, seconds=JOB_SECONDS)
    assert blender.ask("[job.state.value for job in jobs()]") == ["cancelled", "running"]
    screen.shot("one cancelled")
    (tmp_path / "two").touch()
    blender.wait_until("jobs()[1].state.value == 'succeeded'", seconds=JOB_SECONDS)
    screen.shot("one ended")


def test_f3_and_the_file_menu_find_it(blender: Blender, screen: Screen) -> None:
    screen.click_text("File")
    screen.wait_for_text("Process on Server")
    screen.shot("file menu")
    screen.key("Escape")
    screen.hover(blender.region("VIEW_3D", "WINDOW"))
    screen.key("F3")
    screen.type("process on s")
    screen.wait_for_text("Process on Server")
    screen.shot("search")
    screen.key("Return")
    blender.wait_until("len(jobs()) == 1")
