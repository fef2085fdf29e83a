from __future__ import annotations

from types import SimpleNamespace

import bpy
import pytest

from told import NOW, event, submitted


@pytest.fixture
def jobs(addon):
    return addon.host.jobs.JobList()


@pytest.fixture
def job(addon, jobs):
    return one_more(addon, jobs, "k", "car")


def one_more(addon, jobs, key, title, **fields):
    made = addon.host.jobs.Job(
        key=key, task="mesh.lods", task_title="LODs", title=title, server_url="http://127.0.0.1:9", **fields
    )
    jobs.add(made)
    return made


def front(addon, jobs):
    return addon.host.status.model(jobs, NOW).front


@pytest.mark.parametrize("pixels", [900, 1280, 1920, 3840])
def test_a_long_sentence_gives_way_so_that_no_button_leaves_the_window(addon, jobs, job, pixels, monkeypatch):
    submitted(addon.host, jobs)
    event(addon.host, jobs, message="word " * 100, fraction=0.5)
    one_more(addon, jobs, "k2", "house")
    monkeypatch.setattr(addon.status_bar, "shown", addon.host.status.model(jobs, NOW))
    scale = 1.0
    context = SimpleNamespace(
        window=None,
        region=SimpleNamespace(width=pixels),
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=scale)),
    )
    layout = Layout()
    addon.status_bar.draw(SimpleNamespace(layout=layout), context)
    sentences = [text for text in layout.drawn if isinstance(text, str)]
    assert all(len(text) <= max(24, pixels / 7) for text in sentences)
    assert "sendoff.cancel" in [thing[0] for thing in layout.drawn if isinstance(thing, tuple)]


def bar_of(addon, fraction):
    return addon.host.status.StatusBar(addon.host.status.Entry(key="k", text="a", fraction=fraction))


class Layout:
    """Takes down what is drawn, in the order in which it is drawn; refuses what Blender's layouts have not."""

    def __init__(self, drawn=None):
        self.drawn = [] if drawn is None else drawn
        self.ui_units_x = 0.0

    def row(self, *, align=False):
        return Layout(self.drawn)

    def separator(self):
        pass

    def label(self, *, text, icon="NONE"):
        self.drawn.append(text)

    def progress(self, *, factor, text, type):
        self.drawn.append((factor, text))

    def operator(self, name, *, text, icon):
        properties = SimpleNamespace(job="")
        self.drawn.append((name, text, properties))
        return properties


def test_what_is_drawn_is_the_model_with_the_buttons_of_its_jobs(addon, jobs, job, monkeypatch):
    submitted(addon.host, jobs)
    event(addon.host, jobs, message="Baking", fraction=0.5)
    monkeypatch.setattr(addon.status_bar, "shown", addon.host.status.model(jobs, NOW))
    layout = Layout()
    addon.status_bar.draw(SimpleNamespace(layout=layout), bpy.context)
    text, bar, (operator, _, properties) = layout.drawn
    assert (text, bar, operator, properties.job) == ("car · LODs: Baking", (0.575, "57 %"), "sendoff.cancel", "k")


def test_it_is_drawn_anew_on_change_only_and_not_too_often(addon, monkeypatch):
    status_bar, clock = addon.status_bar, [1000.0]
    monkeypatch.setattr(status_bar.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(status_bar, "shown", addon.host.status.StatusBar())
    monkeypatch.setattr(status_bar, "_asked_at", 0.0)
    first, second = bar_of(addon, 0.1), bar_of(addon, 0.2)
    assert status_bar.show(first)
    clock[0] += 0.1
    assert not status_bar.show(second)
    clock[0] += 0.15
    assert status_bar.show(second)
    clock[0] += 5
    assert not status_bar.show(second)


def test_it_comes_back_where_another_add_on_threw_it_out(addon):
    header = bpy.types.STATUSBAR_HT_header
    header.remove(addon.status_bar.draw)
    assert addon.status_bar.draw not in header.draw._draw_funcs
    addon.status_bar.append()
    addon.status_bar.append()
    assert header.draw._draw_funcs.count(addon.status_bar.draw) == 1


def test_what_another_add_on_brings_back_does_not_hold_us_after_the_end(addon, monkeypatch):
    header, draw = bpy.types.STATUSBAR_HT_header, addon.status_bar.draw
    before = header.draw
    monkeypatch.setattr(header, "_draw_orig", before, raising=False)  # as WorkSpace.status_text_set leaves it
    monkeypatch.setattr(header, "draw", lambda _self, _context: None)
    addon.status_bar.append()
    try:
        addon.status_bar.remove()
        assert draw not in header.draw._draw_funcs
        assert draw not in before._draw_funcs
    finally:
        monkeypatch.undo()
        addon.status_bar.append()


def test_windows_that_are_closed_are_forgotten(addon, monkeypatch):
    monkeypatch.setattr(addon.status_bar, "_regions", {1: object()})
    addon.status_bar.redraw()
    assert addon.status_bar._regions == {}
