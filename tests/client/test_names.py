from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff.manifest import check_path
from sendoff.names import folder_name, is_device, readable, safe_name, safe_pattern, utf16_units

#: Any text, also with lone surrogates, devices and what Windows refuses.
names = st.text(st.characters(), min_size=1, max_size=300) | st.sampled_from(
    ["aux.blend", "COM0", "com¹.txt", "CONIN$", "a. ", "nul .x", "con", "CON.tar.gz", ". .", "é", "\udce9\udcff.png"]
)


@given(names)
def test_any_name_when_made_safe_then_the_manifest_takes_it_and_it_stays(name: str) -> None:
    safe = safe_name(name)
    check_path("external/00/" + safe)
    assert safe_name(safe) == safe
    assert len(safe.encode()) <= 200


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("shot: 010.blend", "shot_ 010.blend"),
        ("aux.blend", "_aux.blend"),
        ("COM0.png", "_COM0.png"),
        ("com².png", "_com².png"),
        ("conin$", "_conin$"),
        (os.fsdecode(b"caf\xe9.png"), "caf_.png"),
        ("e\u0301.png", "\u00e9.png"),
        ("a. . ", "a"),
        ("???", "___"),
        ("<UDIM>.png", "_UDIM_.png"),
        ("paint.<UVTILE>.png", "paint._UVTILE_.png"),
        ("computer.png", "computer.png"),
        (".hidden", ".hidden"),
    ],
)
def test_a_name_when_made_safe_then_it_is_as_near_as_can_be(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(names, st.sampled_from(["<UDIM>", "<UVTILE>"]))
def test_a_pattern_of_tiles_when_made_safe_then_its_token_stays(name: str, token: str) -> None:
    safe = safe_pattern(f"{name}.{token}.png")
    assert safe.endswith(f".{token}.png")
    check_path("external/00/" + safe.replace("<UDIM>", "1001").replace("<UVTILE>", "u1_v1"))
    assert safe_pattern("paint<1>.<UVTILE>.png") == "paint_1_.<UVTILE>.png"


@pytest.mark.parametrize("letter", ["a", "é", "景", "😀"])
def test_a_long_name_when_made_safe_then_its_end_stays(letter: str) -> None:
    safe = safe_name(letter * 300 + ".0042.exr")
    assert safe.endswith(letter + ".0042.exr")
    assert 150 < len(safe.encode()) <= 200
    assert utf16_units(safe) <= 200


@given(names)
def test_any_text_when_made_readable_then_it_can_be_written(text: str) -> None:
    shown = readable(text)
    json.dumps(shown, ensure_ascii=False).encode()
    assert readable(shown) == shown
    assert shown == text or any("\ud800" <= character <= "\udfff" for character in text)


@given(title=names, id_=st.text("0123456789abcdef", min_size=20, max_size=20), room=st.integers(0, 300))
def test_a_folder_when_named_then_it_fits_and_keeps_the_id(title: str, id_: str, room: int) -> None:
    name = folder_name(title, id_, room)
    check_path(name)
    assert name.endswith(id_)
    assert utf16_units(name) <= max(room, len(id_))
    assert len(name.encode()) <= 200


def test_a_folder_when_there_is_room_then_it_has_the_whole_title() -> None:
    assert folder_name("shot: 010", "fe16580c", 100) == "shot_ 010-fe16580c"
    assert folder_name("景" * 200, "fe16580c", 30) == "景" * 21 + "-fe16580c"
    assert folder_name("Car", "fe16580c", 9) == "fe16580c"


@pytest.mark.parametrize("name", ["con", "Aux.blend", "LPT9.a.b", "nul ", "com³"])
def test_a_device_when_asked_then_it_is_one(name: str) -> None:
    assert is_device(name)
    assert not is_device(f"x{name}")
