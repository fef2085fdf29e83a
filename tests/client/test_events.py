from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mutated import mutated

from sendoff.errors import InputError
from sendoff.events import Event, EventKind
from sendoff.states import TRANSITIONS, Health, JobState, may_change

counts = st.integers(0, 2**53)
events = st.builds(
    Event,
    job=st.text(max_size=8),
    kind=st.sampled_from(EventKind),
    state=st.sampled_from(JobState),
    health=st.sampled_from(Health),
    seq=counts,
    epoch=counts,
    conflated=counts,
    message=st.text(max_size=30),
    fraction=st.none() | st.floats(0, 1),
    done=st.none() | counts,
    after=st.none() | counts,
    recovered=st.none() | st.booleans(),
    at=st.floats(0, 2e9),
    result=st.none() | st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)
values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})


@given(events)
def test_an_event_when_written_and_read_then_it_is_the_same(event: Event) -> None:
    assert Event.from_json(event.to_json()) == event


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_garbage_when_read_then_only_input_error(text: bytes | str) -> None:
    with suppress(InputError):
        Event.from_json(text)


@given(event=events, wrong=st.dictionaries(st.sampled_from(sorted(Event.__dataclass_fields__)), values, max_size=4))
def test_an_event_when_fields_are_of_any_type_then_only_input_error(event: Event, wrong: dict[str, object]) -> None:
    with suppress(InputError):
        Event.from_dict(event.to_dict() | wrong)


@given(mutated(events.map(lambda event: event.to_json().encode("utf-8", "surrogatepass"))))
def test_an_event_when_changed_anywhere_then_only_input_error(text: bytes) -> None:
    with suppress(InputError):
        Event.from_json(text)


def test_an_event_when_it_is_a_list_then_input_error() -> None:
    with pytest.raises(InputError, match="not a JSON object"):
        Event.from_json("[]")


@pytest.mark.parametrize("before", JobState)
def test_a_final_state_when_reached_then_it_never_changes(before: JobState) -> None:
    assert before.is_final == (not TRANSITIONS[before])
    assert may_change(before, before) != before.is_final
    assert all(may_change(before, after) == (after in TRANSITIONS[before]) for after in JobState if after is not before)
