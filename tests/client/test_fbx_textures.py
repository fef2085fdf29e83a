from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mutated import mutated

from sendoff.fbx_textures import FbxTexture, textures
from sendoff.scene_files import collect


def node(name: bytes, value: bytes, kind: bytes = b"S") -> bytes:
    """A node of a binary FBX as far as it is looked at: its name, and one property."""
    return bytes([len(name)]) + name + kind + struct.pack("<I", len(value)) + value


def binary(*nodes: bytes) -> bytes:
    return b"Kaydara FBX Binary  \0\x1a\0" + b"\0".join(nodes)


RELATIVE = node(b"RelativeFilename", b"..\\tex\\wood.png")
BINARY = binary(
    node(b"Filename", b"C:\\tex\\wood.png"), RELATIVE, b" " * 3000, node(b"FileName", b"a|Take.tak"),
    node(b"RelativeFilename", b"in.png"), node(b"Content", b"png", b"R"), b" " * 3000,
    node(b"RelativeFilename", b"none.jpg"), node(b"Content", b"", b"R"),
)  # fmt: skip
TEXT = b"""; FBX 7.4.0 project file
Video: 1, "x" { Filename: "C:\\tex\\wood.png"
  RelativeFilename: "..\\tex\\wood.png" }
""" + b" " * 3000 + b'Video: { RelativeFilename: "none.jpg" }'  # fmt: skip
NAMED = [FbxTexture(("C:\\tex\\wood.png", "..\\tex\\wood.png")), FbxTexture(("none.jpg",))]


@pytest.mark.parametrize("data", [BINARY, TEXT])
def test_textures_when_read_then_those_that_the_file_does_not_hold_are_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.fbx"
    path.write_bytes(data)
    assert textures(path) == NAMED


@given(mutated(st.just(BINARY) | st.just(TEXT)))
def test_a_file_when_changed_anywhere_then_no_error(tmp_path_factory, data: bytes) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "a.fbx"
    path.write_bytes(data)
    for texture in textures(path):
        with suppress(FileNotFoundError):
            texture.find(path.parent)


def test_an_fbx_when_collected_then_its_textures_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "tex").mkdir()
    (tmp_path / "geo").mkdir()
    (tmp_path / "tex/wood.png").write_bytes(b"x")
    (tmp_path / "geo/a.fbx").write_bytes(BINARY)
    found = collect(tmp_path / "geo/a.fbx")
    assert {file.path: file.source.resolve() for file in found.files} == {"wood.png": tmp_path / "tex/wood.png"}
    assert found.missing == ("none.jpg (texture of “a.fbx”)",)
    assert found.place == "a.fbx"
    assert list(found.paths["missing"]) == ["a.fbx"]
