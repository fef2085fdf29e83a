"""How far levels of detail go beside their originals."""

from __future__ import annotations

import pytest


@pytest.fixture
def box(host):
    def make(low, high, depth=1.0):
        return host.placement.Box((low, 0.0, 0.0), (high, 1.0, depth))

    return make


def test_each_level_goes_one_step_of_the_whole_width_farther(host, box):
    ways = host.placement.offsets([box(0, 1), box(3, 4)], [1, 2, 1], [])
    assert ways == {1: pytest.approx(4.6), 2: pytest.approx(9.2)}


def test_what_stands_in_the_way_is_passed(host, box):
    ways = host.placement.offsets([box(0, 1)], [1, 2], [box(1.5, 2.5)])
    assert ways[1] >= 2.5
    assert ways[2] - ways[1] == pytest.approx(1.15)


def test_a_floor_that_they_stand_on_is_not_in_the_way(host, box):
    assert host.placement.offsets([box(0, 1)], [1], [box(-50, 50, depth=50.0)]) == {1: pytest.approx(1.15)}


def test_a_detour_that_would_be_far_is_not_made(host, box):
    wall = [box(1.2 + 2 * index, 3.1 + 2 * index) for index in range(40)]
    assert host.placement.offsets([box(0, 1)], [1], wall) == {1: pytest.approx(1.15)}


def test_what_has_no_width_steps_by_a_part_of_its_largest_side(host):
    wall = host.placement.Box((0.0, 0.0, 0.0), (0.0, 10.0, 4.0))
    assert host.placement.offsets([wall], [1], [])[1] == pytest.approx(0.115)


def test_without_originals_nothing_moves(host):
    assert host.placement.offsets([], [1, 2], []) == {1: 0.0, 2: 0.0}
