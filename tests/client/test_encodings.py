from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff import encodings
from sendoff.encodings import (
    DEFLATE,
    IDENTITY,
    ZSTD,
    Effort,
    available_encodings,
    choose_encoding,
    compress,
    decompress,
)
from sendoff.errors import EncodingError

ENCODINGS = [IDENTITY, *available_encodings()]


@given(data=st.binary(max_size=3000), encoding=st.sampled_from(ENCODINGS), effort=st.sampled_from(list(Effort)))
def test_bytes_when_compressed_and_back_then_they_are_the_same(data, encoding, effort) -> None:  # type: ignore[no-untyped-def]
    assert decompress(compress(data, encoding, effort), encoding, len(data)) == data


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("size", [1, 70_000, 5_000_000])
def test_a_body_when_one_byte_more_than_allowed_then_it_is_refused(encoding: str, size: int) -> None:
    body = compress(b"x" * size, encoding)
    assert decompress(body, encoding, size) == b"x" * size
    with pytest.raises(EncodingError, match=f"more than the {size - 1} bytes"):
        decompress(body, encoding, size - 1)


def test_a_deflate_body_when_many_bytes_follow_then_it_is_refused() -> None:
    with pytest.raises(EncodingError, match="other bytes follow"):
        decompress(zlib.compress(b"x") + bytes(200_000), DEFLATE, 10)


def test_a_zstd_body_when_it_does_not_say_its_size_then_it_is_refused() -> None:
    zstandard = pytest.importorskip("zstandard")
    body = zstandard.ZstdCompressor(write_content_size=False).compress(b"x" * 100)
    with pytest.raises(EncodingError, match="does not say how many bytes"):
        decompress(body, ZSTD, 1000)


def test_encodings_when_offered_then_the_best_common_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_encoding(["br", DEFLATE]) == DEFLATE
    assert choose_encoding(["br"]) == IDENTITY
    assert choose_encoding([DEFLATE, ZSTD]) == available_encodings()[0]
    monkeypatch.setattr(encodings, "_zstandard", None)
    assert choose_encoding([ZSTD, DEFLATE]) == DEFLATE
    with pytest.raises(EncodingError, match=r"'zstd' is not known here. Use one of: deflate"):
        compress(b"x", ZSTD)
    with pytest.raises(EncodingError, match="not known here"):
        decompress(b"x", ZSTD, 10)
