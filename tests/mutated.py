"""What comes of bytes that were good: a strategy for readers, which get nearer to their ends by it than by noise."""

from __future__ import annotations

from hypothesis import strategies as st

#: What lies about a size or a count, or means something in the formats that are read.
_TELLING = [
    b"", b"\0" * 4, b"\xff" * 4, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"ENDB",
    b"BLENDER", b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"[" * 3000, b"9" * 5000, b"1e999", b"NaN", b"null", b"\\ud800",
    b'"', b"{}", b"-1", b"../", b"\\",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, valid: st.SearchStrategy[bytes], *, most_changes: int = 4) -> bytes:
    """Valid bytes of which some places were overwritten, cut out, doubled or put in."""
    data = draw(valid)
    for _ in range(draw(st.integers(1, most_changes))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 16)))
        put = draw(st.sampled_from(_TELLING) | st.binary(max_size=8) | st.just(data[at:end] * 2))
        data = data[:at] + put + data[draw(st.sampled_from([at, end, min(len(data), at + len(put))])) :]
    return data
