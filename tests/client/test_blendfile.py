from __future__ import annotations

import gzip
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mutated import mutated

from sendoff.blend_dna import BlendFile
from sendoff.blendfile import read_head, series_of, walk_blocks
from sendoff.errors import BlendFileError

blocks = st.lists(
    st.tuples(st.sampled_from([b"DATA", b"OB\0\0", b"ME\0\0"]), st.binary(max_size=300), st.integers(0, 2**64 - 1)),
    max_size=20,
)


@pytest.mark.parametrize(("version", "series"), [(405, "4.5"), (500, "5.0"), (293, "2.93"), (280, "2.80"), (0, "")])
def test_a_version_when_asked_for_its_series_then_it_is_as_people_write_it(version: int, series: str) -> None:
    assert series_of(version) == series


@given(blocks=blocks, modern=st.booleans())
def test_a_blend_when_walked_then_its_blocks_follow_one_another_to_the_end(blocks, modern, make_blend) -> None:  # type: ignore[no-untyped-def]
    data = make_blend(*blocks, modern=modern)
    head = read_head(data)
    assert (head.version, head.head_bytes, head.block_head_bytes) == ((500, 17, 32) if modern else (405, 12, 24))
    walked = walk_blocks(data)
    assert [size - head.block_head_bytes for _, size in walked] == [*(len(body) for _, body, _ in blocks), 0]
    assert [data[offset : offset + 4] for offset, _ in walked] == [*(code for code, _, _ in blocks), b"ENDB"]
    assert sum(walked[-1]) == len(data)


@given(st.binary(max_size=400))
def test_garbage_when_read_then_only_our_own_error(data: bytes) -> None:
    for start in (b"", b"BLENDER-v405", b"BLENDER17-01v0500", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"):
        for read in (read_head, walk_blocks):
            with suppress(BlendFileError):
                read(start + data)


@pytest.mark.parametrize("packed", ["plain", "gzip", "zstd"])
@given(blocks=blocks, modern=st.booleans(), data=st.data())
def test_a_blend_when_changed_anywhere_then_only_our_own_error(packed, blocks, modern, data, make_blend) -> None:  # type: ignore[no-untyped-def]
    pack = {"plain": bytes, "gzip": gzip.compress, "zstd": pytest.importorskip("zstandard").compress}[packed]
    changed = data.draw(mutated(st.just(pack(make_blend(*blocks, modern=modern)))))
    with suppress(BlendFileError):
        read_head(changed)
    with suppress(BlendFileError):
        walked = walk_blocks(changed)
        assert all(size > 0 and offset >= 0 and offset + size <= len(changed) for offset, size in walked)
        assert [offset + size for offset, size in walked[:-1]] == [offset for offset, _ in walked[1:]]


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_a_bomb_when_asked_for_its_head_then_no_more_than_that_is_unpacked(packed: str) -> None:
    zstandard = pytest.importorskip("zstandard")
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    zeros = b"BLENDER-v405".ljust(64 * 1024 * 1024, b"\0")
    bomb = (
        gzip.compress(zeros) if packed == "gzip" else zstandard.ZstdCompressor(compression_params=wide).compress(zeros)
    )
    del zeros
    tracemalloc.start()
    try:
        assert read_head(bomb).series == "4.5"
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()


@given(cut=st.integers(0, 900), modern=st.booleans())
def test_a_blend_when_cut_short_then_it_is_said(cut: int, modern: bool, make_blend) -> None:  # type: ignore[no-untyped-def]
    data = make_blend((b"DATA", b"x" * 500, 1), (b"DATA", b"y" * 300, 2), modern=modern)
    with pytest.raises(BlendFileError):
        walk_blocks(data[: min(cut, len(data) - 33)])


def test_a_path_when_the_file_is_half_written_then_the_sentence_names_it(tmp_path: Path, make_blend) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "car.blend"
    path.write_bytes(make_blend((b"DATA", b"x" * 500, 1))[:-40])
    with pytest.raises(BlendFileError, match=r"car\.blend is damaged or not completely written"):
        read_head(path)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "car.blend is empty. Save it again in Blender."),
        (b"\0" * 4096, "car.blend is not completely written. Save it again in Blender."),
        (b"BLENDER-", "car.blend is not completely written. Save it again in Blender."),
        (b"PK\x03\x04rest", "car.blend is not a .blend file but a zip archive: unpack it and send the file inside."),
        (b"version https://git-lfs.github.com/spec/v1", "but a pointer of Git LFS: fetch the file itself with"),
        (b"a text of some length", "it does not begin as Blender writes it. Send a file that Blender saved."),
        (gzip.compress(b"x" * 99999)[:20], "car.blend is damaged: it cannot be decompressed. Save it again in Blender"),
    ],
)
def test_a_path_when_it_is_no_blend_then_the_sentence_says_what_it_is_and_what_to_do(tmp_path, data, says) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "car.blend"
    path.write_bytes(data)
    for read in (read_head, BlendFile):
        with pytest.raises(BlendFileError) as caught:
            read(path)
        assert says in str(caught.value)


def test_gzip_when_read_then_the_head_inside_is_told(make_blend) -> None:  # type: ignore[no-untyped-def]
    head = read_head(gzip.compress(make_blend((b"DATA", b"x" * 500, 1))))
    assert (head.series, head.compressed) == ("4.5", "gzip")
    with pytest.raises(BlendFileError, match="compressed with gzip"):
        walk_blocks(gzip.compress(make_blend()))


def test_zstd_when_read_then_the_head_inside_is_told(make_blend) -> None:  # type: ignore[no-untyped-def]
    zstandard = pytest.importorskip("zstandard")
    head = read_head(zstandard.ZstdCompressor().compress(make_blend((b"DATA", b"x" * 500, 1), modern=True)))
    assert (head.series, head.compressed) == ("5.0", "zstd")


def test_a_form_from_the_future_when_read_then_update_is_advised() -> None:
    with pytest.raises(BlendFileError, match="Update Sendoff"):
        read_head(b"BLENDER19-02v0700".ljust(40, b"\0"))
