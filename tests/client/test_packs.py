from __future__ import annotations

import struct
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mutated import mutated

from sendoff.encodings import IDENTITY, available_encodings, compress
from sendoff.errors import PackError
from sendoff.packs import FRAME_HEAD_BYTES, PackDecoder, PackWriter, iter_frames
from sendoff.protocol import CHUNK_BYTES, PACK_BYTES, PACK_RAW_BYTES

ENCODINGS = [IDENTITY, *available_encodings()]
compressible = st.builds(lambda part, times: part * times, st.binary(min_size=1, max_size=40), st.integers(1, 2000))


def packed(chunks: list[bytes]) -> bytes:
    writer = PackWriter()
    assert all(writer.add(chunk) for chunk in chunks)
    body = writer.body()
    assert (len(body), writer.count) == (writer.size, len(chunks))
    return body


def decoded(body: bytes, encoding: str, piece_bytes: int = 1 << 20, **limits: int) -> list[bytes]:
    decoder = PackDecoder(encoding, **limits)
    for at in range(0, len(body), piece_bytes):
        decoder.feed(body[at : at + piece_bytes])
    return list(decoder.finish())


@given(
    chunks=st.lists(st.one_of(st.binary(min_size=1, max_size=500), compressible), max_size=10),
    encoding=st.sampled_from(ENCODINGS),
    piece_bytes=st.integers(1, 5000),
)
def test_chunks_when_packed_and_read_then_they_are_the_same(chunks, encoding, piece_bytes) -> None:  # type: ignore[no-untyped-def]
    assert decoded(compress(packed(chunks), encoding), encoding, piece_bytes) == chunks


@given(garbage=st.binary(max_size=400), encoding=st.sampled_from([*ENCODINGS, "br", ""]))
def test_garbage_when_read_then_only_pack_error(garbage: bytes, encoding: str) -> None:
    bodies = [garbage, b"\x78\x9c" + garbage, b"\x28\xb5\x2f\xfd" + garbage]
    bodies += [compress(garbage, known) for known in ENCODINGS]
    for body in bodies:
        with suppress(PackError):
            assert sum(map(len, decoded(body, encoding, max_raw_bytes=1000))) <= 1000


@given(raw=compressible, encoding=st.sampled_from(ENCODINGS), data=st.data())
def test_a_pack_when_a_byte_is_flipped_then_pack_error_or_no_more_bytes(raw, encoding, data) -> None:  # type: ignore[no-untyped-def]
    body = bytearray(compress(packed([raw]), encoding))
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(PackError):
        assert sum(map(len, decoded(bytes(body), encoding))) <= len(raw)


@given(raw=compressible, encoding=st.sampled_from(ENCODINGS), data=st.data())
def test_a_pack_when_cut_short_then_pack_error(raw, encoding, data) -> None:  # type: ignore[no-untyped-def]
    body = compress(packed([raw]), encoding)
    with pytest.raises(PackError, match=r"\.$"):
        decoded(body[: data.draw(st.integers(1, len(body) - 1))], encoding)


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=200) | compressible, min_size=1, max_size=6),
    encoding=st.sampled_from(ENCODINGS),
    inside=st.booleans(),
    data=st.data(),
)
def test_a_pack_when_changed_anywhere_then_pack_error_or_no_more_bytes_than_allowed(  # type: ignore[no-untyped-def]
    chunks, encoding, inside, data
) -> None:
    body = packed(chunks)
    if inside:  # well compressed, but no pack
        body = compress(data.draw(mutated(st.just(body))), encoding)
    else:
        body = data.draw(mutated(st.just(compress(body, encoding))))
    with suppress(PackError):
        assert sum(map(len, decoded(body, encoding, max_raw_bytes=100_000))) <= 100_000


@pytest.mark.parametrize("encoding", ENCODINGS[1:])
def test_a_bomb_when_read_then_pack_error(encoding: str) -> None:
    bomb = compress(bytes(200_000_000), encoding)
    assert len(bomb) < PACK_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(PackError, match="more than the 8388608 bytes"):
            decoded(bomb, encoding)
        assert tracemalloc.get_traced_memory()[1] < len(bomb) + 3 * PACK_RAW_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ENCODINGS[1:])
def test_a_body_when_bytes_follow_it_then_pack_error(encoding: str) -> None:
    with pytest.raises(PackError, match="damaged"):
        decoded(compress(packed([b"x"]), encoding) + b"more", encoding)


def test_a_body_when_larger_than_allowed_then_it_is_refused_while_it_comes() -> None:
    decoder = PackDecoder(max_bytes=10)
    decoder.feed(b"12345678")
    with pytest.raises(PackError, match="larger than the 10 bytes"):
        decoder.feed(b"901")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (struct.pack("<IB", 5, 0) + b"1234", "ends in the middle of frame 1"),
        (struct.pack("<IB", 1, 0) + b"1" + b"\1", "ends in the head of frame 2"),
        (struct.pack("<IB", 0, 0), "says it holds 0 bytes"),
        (struct.pack("<IB", CHUNK_BYTES + 1, 0) + bytes(CHUNK_BYTES + 1), "1 to 1048576 are allowed"),
        (struct.pack("<IB", 1, 4) + b"1", "unknown flags 4"),
    ],
)
def test_a_frame_when_wrong_then_the_sentence_says_which(body: bytes, says: str) -> None:
    with pytest.raises(PackError, match=says):
        list(iter_frames(body))


def test_a_pack_when_full_then_the_chunk_is_refused_and_the_pack_is_whole() -> None:
    writer = PackWriter(max_bytes=10 + FRAME_HEAD_BYTES)
    assert writer.add(b"0123456789")
    assert not writer.add(b"0")
    assert list(iter_frames(writer.body())) == [b"0123456789"]


def test_a_pack_when_it_has_too_many_chunks_then_both_sides_refuse() -> None:
    writer = PackWriter(max_chunks=2)
    assert [writer.add(b"x") for _ in range(3)] == [True, True, False]
    with pytest.raises(PackError, match="more than 1 chunks"):
        list(iter_frames(writer.body(), max_chunks=1))


def test_a_full_pack_when_sent_as_it_is_then_it_keeps_both_limits() -> None:
    writer = PackWriter()
    while writer.add(bytes(CHUNK_BYTES - FRAME_HEAD_BYTES)):
        pass
    assert writer.size == PACK_RAW_BYTES <= PACK_BYTES
    assert len(decoded(writer.body(), IDENTITY)) == 8


@pytest.mark.parametrize("raw", [b"", bytes(CHUNK_BYTES + 1)])
def test_a_chunk_when_of_a_size_that_is_not_allowed_then_pack_error(raw: bytes) -> None:
    with pytest.raises(PackError, match="cannot be packed"):
        PackWriter().add(raw)
