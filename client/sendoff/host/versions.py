"""Which of two versions is newer."""

from __future__ import annotations

import re


def is_newer(offered: str, own: str) -> bool:
    """Whether a version like 1.10.0 is newer than another; what is no version is not."""
    return bool(_numbers(offered)) and _numbers(offered) > _numbers(own)


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d{1,9}(\.\d{1,9})*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
