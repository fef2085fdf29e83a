from __future__ import annotations

import sys

import pytest


@pytest.fixture
def turns(addon):
    """Without a session, whose turns are short."""
    addon.current.end()
    before = sys.getswitchinterval()
    yield addon.turns
    sys.setswitchinterval(before)


def test_turns_are_short_while_there_is_a_session_and_as_before_after_it(turns, addon, silent_server, monkeypatch):
    before = sys.getswitchinterval()
    monkeypatch.setenv("SENDOFF_URL", silent_server)
    addon.current.session()
    assert sys.getswitchinterval() < before / 2
    addon.current.end()
    assert sys.getswitchinterval() == pytest.approx(before)


def test_shortened_twice_they_are_still_restored(turns):
    before = sys.getswitchinterval()
    turns.shorten()
    turns.shorten()
    turns.restore()
    assert sys.getswitchinterval() == pytest.approx(before)


def test_what_somebody_else_has_set_meanwhile_stays(turns):
    turns.shorten()
    sys.setswitchinterval(0.002)
    turns.restore()
    assert sys.getswitchinterval() == pytest.approx(0.002)


def test_shorter_ones_of_somebody_else_stay(turns):
    sys.setswitchinterval(0.0001)
    turns.shorten()
    assert sys.getswitchinterval() == pytest.approx(0.0001)
    turns.restore()
    assert sys.getswitchinterval() == pytest.approx(0.0001)
