from __future__ import annotations

import pytest

from sendoff_server.params import check_params
from sendoff_server.problems import Problem

STEPS = {"properties": {"size": {"type": "number", "multipleOf": 0.1}}}


@pytest.mark.parametrize("value", [0.3, 0.7, 1.1, 2, 1e3])
def test_a_multiple_when_its_digits_say_so_then_it_is_taken(value: float) -> None:
    check_params("studio.bake", STEPS, {"size": value})


@pytest.mark.parametrize("value", [0.35, 1e-9])
def test_what_is_no_multiple_when_sent_then_the_field_and_the_step_are_named(value: float) -> None:
    with pytest.raises(Problem) as caught:
        check_params("studio.bake", STEPS, {"size": value})
    assert caught.value.detail == f"size is {value!r}; it has to be a multiple of 0.1."
