"""What a machine cannot have is skipped with its reason; under CI=true that is a failure."""

from __future__ import annotations

import os

import pytest


def require(available: object, reason: str) -> None:
    """Skip the test with the reason where something is not available; fail it under CI."""
    if available:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI lacks something: {reason}")
    pytest.skip(reason)
