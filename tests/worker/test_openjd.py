"""Lines of Open Job Description."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff_worker.openjd import Said, parse


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("openjd_progress: 50", Said(fraction=0.5)),
        ("openjd_progress: 142", Said(fraction=1.0)),
        ("openjd_progress: nan", None),
        ("openjd_progress: half", None),
        ("openjd_status: Baking", Said(status="Baking")),
        ("openjd_fail: No cage.", Said(failure="No cage.")),
        (" openjd_progress: 50", None),
        ("openjd_env: A=B", None),
        ("", None),
    ],
)
def test_a_line_says_what_it_says(line: str, said: Said | None) -> None:
    assert parse(line) == said


@given(st.text())
def test_no_line_breaks_it(line: str) -> None:
    parse("openjd_progress: " + line)
    parse(line)
