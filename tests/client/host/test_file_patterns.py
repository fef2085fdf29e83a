from __future__ import annotations

from pathlib import Path

import pytest

from sendoff.host.file_patterns import all_tiles, frames, split_number, tile_name, tiles


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("plate.0001.jp2", ("plate.", "0001", ".jp2")),
        ("v2_12.png", ("v2_", "12", ".png")),
        ("s0001_left.exr", ("s", "0001", "_left.exr")),
        ("frame.0001", ("frame.", "0001", "")),
        ("paint.mp4", None),
        ("paint", None),
    ],
)
def test_a_name_when_it_has_a_number_then_it_is_the_last_of_its_stem(name: str, parts: object) -> None:
    assert split_number(name) == parts


def test_frames_when_listed_then_only_those_of_the_sequence(tmp_path: Path) -> None:
    for name in ("p.1.jp2", "p.02.jp2", "p.3.jp3", "q.1.jp2", "p.x.jp2"):
        (tmp_path / name).touch()
    assert [path.name for path in frames(tmp_path / "p.1.jp2")] == ["p.02.jp2", "p.1.jp2"]
    assert [path.name for path in frames(tmp_path / "p.1.jp2", {2})] == ["p.02.jp2", "p.1.jp2"]
    assert [path.name for path in frames(tmp_path / "p.02.jp2", {2})] == ["p.02.jp2"]
    assert frames(tmp_path / "no/p.1.jp2") == [tmp_path / "no/p.1.jp2"]


def test_tiles_when_named_then_as_blender_names_them() -> None:
    assert tile_name("a.<UDIM>.exr", 1012) == "a.1012.exr"
    assert tile_name("a_<UVTILE>.exr", 1012) == "a_u2_v2.exr"
    assert tiles(Path("/p/a.<UDIM>.exr"), [1002, 1001]) == [Path("/p/a.1001.exr"), Path("/p/a.1002.exr")]
    assert tiles(Path("/p/a2.1001.jp2"), [1002, 1001]) == [Path("/p/a2.1001.jp2"), Path("/p/a2.1002.jp2")]
    assert tiles(Path("/p/a.exr"), [1002, 1001]) == [Path("/p/a.exr")]


def test_all_tiles_when_asked_for_then_those_that_are_there(tmp_path: Path) -> None:
    for name in ("a.1001.exr", "a.1012.exr", "a.0001.exr", "a.10010.exr"):
        (tmp_path / name).touch()
    assert [path.name for path in all_tiles(tmp_path / "a.<UDIM>.exr")] == ["a.1001.exr", "a.1012.exr"]
    assert all_tiles(tmp_path / "no/a.<UDIM>.exr") == []
