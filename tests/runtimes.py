"""The Blender environments that tests may use: what scripts/setup.py has made."""

from __future__ import annotations

import os
from pathlib import Path

from tests.requirements import require

ROOT = Path(__file__).resolve().parent.parent


def blenders() -> dict[str, Path]:
    """Every Blender environment that is there: its series, and its Python."""
    named = os.environ.get("SENDOFF_TEST_BLENDERS", "")
    folders = [Path(part) for part in named.split(os.pathsep) if part] or [
        stamp.parent for stamp in sorted((ROOT / "build").glob("bpy-*/sendoff-stamp"))
    ]
    return {folder.name.removeprefix("bpy-"): folder / "bin" / "python" for folder in folders}


def blender(series: str = "") -> Path:
    """The Python of a Blender environment: of a series, or the first there is; skipped where there is none."""
    found = blenders()
    if series:
        require(series in found, f"there is no Blender {series}: python3.11 scripts/setup.py bpy {series}")
        return found[series]
    require(found, "there is no Blender: make bpy")
    return found.get("4.5") or next(iter(found.values()))
