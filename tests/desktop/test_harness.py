"""The harness itself: what it says where something is wrong, and that a Blender can be ended and started again."""

from __future__ import annotations

import pytest
from tests.desktop.conftest import MakeBlender
from tests.desktop.screen import Screen


def test_what_goes_wrong_inside_is_told(make_blender: MakeBlender, screen: Screen) -> None:
    blender = make_blender({}, installed=False)
    blender.start()
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        blender.ask("1 / 0")
    assert not blender.problems()
    blender.run("import traceback\ntry:\n    [][0]\nexcept IndexError:\n    traceback.print_exc()")
    assert blender.problems() == ["Traceback (most recent call last):", "IndexError: list index out of range"]
    blender.expected += ["Traceback", "IndexError"]
    with pytest.raises(AssertionError, match=r"'Sendoff' on the screen did not come within 0 s.*not-there\.png shows"):
        screen.wait_for_text("Sendoff", blender.status_bar, seconds=0)


def test_the_add_on_is_there_after_a_power_cut(make_blender: MakeBlender, screen: Screen) -> None:
    blender = make_blender({})
    blender.start()
    blender.run("bpy.data.objects['Cube'].name = 'Not saved'")
    blender.kill()
    assert not blender.is_running
    blender.start()
    assert blender.ask("list(bpy.data.objects.keys())") == ["Camera", "Cube", "Light"]
    blender.open_sidebar("Sendoff")
    window = blender.open_preferences("Sendoff")
    screen.wait_for_text("Maintainer The Sendoff project", window)
    screen.shot("the preferences")
    blender.close_window(1)
    assert blender.quit() < 10
