from __future__ import annotations

import base64
import json

import pytest

from sendoff.tokens import TokenClaims, read_claims


def token(payload: object) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.sig"


def test_person_and_end_are_read() -> None:
    assert read_claims(token({"sub": "ada", "exp": 1800000000, "sid": "x"})) == TokenClaims("ada", 1800000000.0, "x")


@pytest.mark.parametrize(
    "text",
    [
        "", "secret", "a.b", "a.b.c", "a.é.c", "e30.e30.", token([]), token("ada"), token({"sub": 3, "exp": "soon"}),
        token({"exp": True}), "e30.AAAA=.c", f"e30.{base64.urlsafe_b64encode(b'[' * 100_000).decode()}.c",
    ],
)  # fmt: skip
def test_what_is_no_token_has_no_claims(text: str) -> None:
    assert read_claims(text) == TokenClaims()


def test_an_end_that_is_no_time_is_left_out() -> None:
    endless = base64.urlsafe_b64encode(b'{"sub": "a", "exp": 1e999}').decode()
    assert read_claims(f"e30.{endless}.sig") == TokenClaims("a")
