from __future__ import annotations

import os
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sendoff import packs
from sendoff.errors import PackError
from sendoff.packs import Codec, PackWriter, choose_codec, encode_frame, iter_frames
from sendoff.protocol import CHUNK_BYTES

CODECS = [Codec.RAW, Codec.ZLIB, *([Codec.ZSTD] if "zstd" in packs.available_codecs() else [])]
compressible = st.builds(lambda part, times: part * times, st.binary(min_size=1, max_size=40), st.integers(1, 2000))


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=500), compressible), max_size=10), st.sampled_from(CODECS))
def test_chunks_when_packed_and_read_then_they_are_the_same(chunks: list[bytes], codec: Codec) -> None:
    writer = PackWriter(codec)
    assert all(writer.add(chunk) for chunk in chunks)
    body = writer.body()
    assert (len(body), writer.count) == (writer.size, len(chunks))
    assert list(iter_frames(body)) == chunks


@given(st.binary(max_size=300), st.integers(0, 4), st.integers(0, 70_000))
def test_garbage_when_read_then_only_pack_error_and_no_bomb(stored: bytes, flag: int, raw_bytes: int) -> None:
    for body in (stored, struct.pack("<IBI", len(stored), flag, raw_bytes) + stored):
        try:
            for raw in iter_frames(body, max_chunk_bytes=65_536):
                assert len(raw) <= 65_536
        except PackError as error:
            assert str(error).endswith(".")


@given(compressible, st.sampled_from(CODECS), st.data())
def test_a_pack_when_a_byte_is_flipped_then_pack_error_or_bytes_of_the_promised_size(raw, codec, data) -> None:  # type: ignore[no-untyped-def]
    body = bytearray(encode_frame(raw, codec))
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert sum(map(len, iter_frames(body))) <= CHUNK_BYTES
    except PackError:
        pass


@pytest.mark.parametrize("codec", CODECS[1:])
def test_a_frame_when_it_holds_more_than_it_says_then_pack_error(codec: Codec) -> None:
    raw = bytes(CHUNK_BYTES)
    frame = encode_frame(raw, codec)
    lying = struct.pack("<IBI", len(frame) - 9, codec, 1000) + frame[9:]
    with pytest.raises(PackError, match="does not hold"):
        list(iter_frames(lying))
    with pytest.raises(PackError, match="are allowed"):
        list(iter_frames(frame, max_chunk_bytes=1000))


def test_a_frame_when_bytes_follow_the_compressed_ones_then_pack_error() -> None:
    stored = zlib.compress(b"x" * 100) + b"more"
    with pytest.raises(PackError):
        list(iter_frames(struct.pack("<IBI", len(stored), Codec.ZLIB, 100) + stored))


@pytest.mark.parametrize("codec", CODECS)
def test_noise_when_packed_then_it_is_left_raw(codec: Codec) -> None:
    noise = os.urandom(100_000)
    assert len(encode_frame(noise, codec)) == len(noise) + packs.FRAME_HEAD_BYTES


def test_a_pack_when_full_then_the_chunk_is_refused_and_the_pack_is_whole() -> None:
    writer = PackWriter(Codec.RAW, max_bytes=30)
    assert writer.add(b"0123456789")
    assert not writer.add(b"0123456789")
    assert list(iter_frames(writer.body())) == [b"0123456789"]


@pytest.mark.parametrize("raw", [b"", bytes(CHUNK_BYTES + 1)])
def test_a_chunk_when_of_a_size_that_is_not_allowed_then_pack_error(raw: bytes) -> None:
    with pytest.raises(PackError, match="cannot be packed"):
        encode_frame(raw)


def test_codecs_when_offered_then_the_best_common_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_codec(["raw", "zlib"]) is Codec.ZLIB
    assert choose_codec(["raw", "brotli"]) is Codec.RAW
    monkeypatch.setattr(packs, "_zstandard", None)
    assert choose_codec(["raw", "zlib", "zstd"]) is Codec.ZLIB
    with pytest.raises(PackError, match="zstd"):
        list(iter_frames(struct.pack("<IBI", 1, 2, 5) + b"x"))
