"""A second submit after a small edit, saved by a new Blender process, sends next to nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.runtimes import blender

from sendoff import Client

ROOT = Path(__file__).resolve().parent.parent.parent
MEGABYTES = 140


@pytest.mark.blender
@pytest.mark.parametrize(("series", "most"), [("4.5", 0.005), ("5.0", 0.001)])
@pytest.mark.parametrize("edit", ["edit", "sculpt"])
def test_a_small_edit_puts_a_small_share_of_the_bytes_on_the_wire(
    client: Client, tmp_path: Path, series: str, most: float, edit: str
) -> None:
    python = blender(series)
    first, edited = tmp_path / "scene.blend", tmp_path / "edited.blend"
    for arguments in (["make", first, MEGABYTES], [edit, first, edited]):
        subprocess.run(
            [python, "-I", ROOT / "bench" / "make_scene.py", *map(str, arguments)], check=True, timeout=300,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    _wire_bytes(client, first)
    again = _wire_bytes(client, edited)
    size = edited.stat().st_size
    assert size > MEGABYTES * 0.9e6
    assert again <= most * size, f"{again} of {size} bytes: {again / size:.3%}"


def _wire_bytes(client: Client, path: Path) -> int:
    wire = [0]
    client.submit(path, task="system.noop", on_progress=lambda done, total, sent: wire.append(sent))
    return max(wire)
