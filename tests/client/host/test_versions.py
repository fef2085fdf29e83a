from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("offered", "own", "newer"),
    [
        ("0.2.0", "0.1.0", True), ("0.10.0", "0.9.9", True), ("0.1.0", "0.1.0", False), ("0.1.0", "0.2.0", False),
        ("0.1.1", "0.1", True), ("", "0.1.0", False), ("soon", "0.1.0", False), ("9" * 5000, "0.1.0", True),
    ],
)  # fmt: skip
def test_a_newer_version_is_told_from_an_older_one_and_from_none(host, offered, own, newer):
    assert host.versions.is_newer(offered, own) is newer
