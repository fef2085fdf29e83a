from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff import scope
from sendoff.errors import InputError
from sendoff.scope import Scope

#: Names as Blender has them: also those whose bytes are not UTF-8.
names = st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text) | st.just("Caf\udce9")
pairs = st.tuples(names, st.none() | names)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["version", "title", "objects"]), inner)
    ),
    max_leaves=12,
)


@given(title=st.text(max_size=40), objects=st.lists(pairs, min_size=1, max_size=8))
def test_a_scope_when_written_and_read_then_it_is_the_same(title: str, objects: list[tuple[str, str | None]]) -> None:
    made = Scope(title, tuple(objects))
    assert Scope.from_json(made.to_json()) == made
    assert Scope.from_json(made.to_json().encode()) == made
    assert set(made.objects) == set(objects)


@given(st.lists(pairs, min_size=1, max_size=8).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_same_choice_when_made_in_another_order_then_the_bytes_are_the_same(two) -> None:  # type: ignore[no-untyped-def]
    first, second = (Scope("Props", tuple(some)).to_json() for some in two)
    assert first == second
    assert Scope("Props", tuple(two[0] * 2)).to_json() == first


@given(st.one_of(json_values, json_values.map(lambda value: {"version": 1, "title": "x", "objects": value})))
def test_garbage_when_read_then_only_input_error(data: object) -> None:
    with suppress(InputError):
        Scope.from_json(json.dumps(data))


def document(**changes: object) -> str:
    return json.dumps({"version": 1, "title": "Props", "objects": [["Chair", None]]} | changes)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\xff", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "version 1"),
        (document(version=2), "Update Sendoff"),
        (document(objects=None), "no list"),
        (document(objects=[]), "names no object"),
        (document(objects=["Chair"]), "not a pair"),
        (document(objects=[["Chair"]]), "not a pair"),
        (document(objects=[["Chair", 3]]), "not a pair"),
        (document(objects=[[None, None]]), "cannot be an object"),
        (document(objects=[["", None]]), "cannot be an object"),
        (document(objects=[["a\0b", None]]), "cannot be an object"),
        (document(objects=[["x" * 5000, None]]), "cannot be an object"),
        (document(objects=[["Chair", ""]]), "cannot be the path"),
        (document(objects=[["Chair", "x" * 2000]]), "cannot be the path"),
        (document(objects=[[str(number), None] for number in range(200_001)]), "at most 200000"),
        (document(title=3), "title"),
        (document(title="x" * 300), "title"),
    ],
)
def test_a_scope_that_cannot_be_when_read_then_a_sentence_says_why(text: str | bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        Scope.from_json(text)
    assert str(refused.value).endswith(".")


def test_a_scope_when_too_large_then_it_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="more than 10 bytes"):
        Scope.from_json(document())


def test_a_scope_when_written_then_it_is_a_file_of_a_submission(tmp_path: Path) -> None:
    made = Scope("the collection “Props”", (("Table", None), ("Chair", "//lib.blend")))
    file = made.write(tmp_path)
    assert (file.path, file.role) == ("sendoff-scope.json", "scope")
    assert json.loads(file.source.read_bytes()) == {
        "version": 1,
        "title": "the collection “Props”",
        "objects": [["Chair", "//lib.blend"], ["Table", None]],
    }
