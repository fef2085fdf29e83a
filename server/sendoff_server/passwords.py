"""Passwords, kept as argon2id has them. Slow on purpose, so never on the event loop."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_CHARACTERS, MOST_CHARACTERS = 10, 256
_hasher = PasswordHasher()
#: What is compared with where there is no such person, so that it takes as long.
_NOBODY = _hasher.hash("nobody has this password")


def why_not(password: str) -> str:
    """Why a text can be no password, as a sentence; "" where it can."""
    if len(password) < LEAST_CHARACTERS:
        return f"The password has {len(password)} characters; {LEAST_CHARACTERS} or more are needed."
    if len(password) > MOST_CHARACTERS:
        return f"The password has {len(password)} characters; {MOST_CHARACTERS} at most are taken."
    return ""


def hashed(password: str) -> str:
    """A password as it is kept."""
    return _hasher.hash(password)


def is_right(kept: str, password: str) -> bool:
    """Whether a password is the one that is kept; `kept` is empty for somebody who has none."""
    try:
        _hasher.verify(kept or _NOBODY, password[:MOST_CHARACTERS])
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)
