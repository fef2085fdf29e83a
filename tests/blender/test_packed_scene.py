"""The header of a compressed .blend is read without unpacking what follows, however much that is."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from pathlib import Path

import pytest
from sendoff_inside.scene import file_version

HEADER = b"BLENDER-v402"


def packed(data: bytes, kind: str) -> bytes:
    if kind == "gzip":
        return gzip.compress(data)
    zstandard = pytest.importorskip("zstandard")
    return bytes(zstandard.ZstdCompressor().compress(data))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_the_version_is_read_of_a_bomb_without_unpacking_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bomb.blend"
    path.write_bytes(packed(HEADER.ljust(64 * 1024 * 1024, b"\0"), kind))
    tracemalloc.start()
    try:
        assert file_version(path) == (4, 2)
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "start", [b"\x1f\x8b\x08\x08" + bytes(6), b"\x50\x2a\x4d\x18\xff\xff\xff\x7f", b"\x28\xb5\x2f\xfd"]
)
def test_a_header_that_never_ends_is_not_waited_for(
    tmp_path: Path, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "endless.blend"
    path.write_bytes(start + b"x" * 50_000_000)  # of gzip: the name of the file that was packed
    read: list[int] = []
    plain = io.BufferedReader.read

    class Counted(io.BufferedReader):
        def read(self, size: int | None = -1, /) -> bytes:
            data = plain(self, size)
            read.append(len(data))
            return data

    monkeypatch.setattr(Path, "open", lambda self, _mode: Counted(io.FileIO(self)))
    assert file_version(path) is None
    assert sum(read) < 1_000_000
