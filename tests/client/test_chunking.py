from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sendoff.chunking import BLOCK_BYTES, RUN_BYTES, Cutting, cut
from sendoff.errors import InputError
from sendoff.protocol import CHUNK_BYTES

sizes = st.one_of(st.integers(0, 4000), st.integers(BLOCK_BYTES - 40, 3 * BLOCK_BYTES), st.just(CHUNK_BYTES + 5))


def check_cut(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    found = cut(path)
    assert (found.size, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    at = 0
    for chunk in found.chunks:
        assert chunk.offset == at
        assert 1 <= chunk.size <= CHUNK_BYTES
        assert chunk.sha256 == hashlib.sha256(data[at : at + chunk.size]).hexdigest()
        at += chunk.size
    assert at == len(data)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    blocks=st.lists(sizes, max_size=12), modern=st.booleans(), damage=st.integers(0, 200), seed=st.integers(0, 2**32)
)
def test_any_blend_when_cut_then_the_chunks_are_the_file(blocks, modern, damage, seed, make_blend, tmp_path) -> None:  # type: ignore[no-untyped-def]
    noise = random.Random(seed)
    data = make_blend(*((b"DATA", noise.randbytes(size), noise.getrandbits(64)) for size in blocks), modern=modern)
    check_cut(tmp_path / "a.blend", data)
    check_cut(tmp_path / "a.blend", data[: max(0, len(data) - damage)])
    check_cut(tmp_path / "a.blend", data + noise.randbytes(damage))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=3000))
def test_any_file_when_cut_then_the_chunks_are_the_file(tmp_path: Path, data: bytes) -> None:
    check_cut(tmp_path / "a.bin", data)
    check_cut(tmp_path / "a.bin", b"BLENDER-v405" + data)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(sizes=st.lists(st.integers(0, 1_500_000), max_size=6), seed=st.integers(0, 2**32), zeros=st.booleans())
def test_any_scene_of_another_kind_when_cut_then_the_chunks_are_the_file(sizes, seed, zeros, tmp_path) -> None:  # type: ignore[no-untyped-def]
    noise = random.Random(seed)
    parts = [bytes(size) if zeros and index % 2 else noise.randbytes(size) for index, size in enumerate(sizes)]
    check_cut(tmp_path / "a.usdc", b"\xa7\x3c".join(parts))
    check_cut(tmp_path / "a.MA", b"\n\t417".join(parts))


@pytest.mark.parametrize("suffix", [".usdc", ".ma"])
def test_a_scene_of_another_kind_when_something_is_put_in_then_little_is_new(suffix: str, tmp_path: Path) -> None:
    noise = random.Random(3)
    if suffix == ".ma":
        before = b"".join(b"\tsetAttr %d %.6f;\n" % (noise.getrandbits(16), noise.random()) for _ in range(400_000))
    else:
        before = noise.randbytes(10_000_000)
    after = before[:3_000] + b"another object" + before[3_000:]
    (tmp_path / f"before{suffix}").write_bytes(before)
    (tmp_path / f"after{suffix}").write_bytes(after)
    known = {chunk.sha256 for chunk in cut(tmp_path / f"before{suffix}").chunks}
    new = [chunk.size for chunk in cut(tmp_path / f"after{suffix}").chunks if chunk.sha256 not in known]
    assert 0 < sum(new) < 0.05 * len(after)


def test_a_large_plain_file_when_cut_then_every_mebibyte(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(5 * CHUNK_BYTES + 7)
    check_cut(tmp_path / "a.exr", data)
    assert [chunk.size for chunk in cut(tmp_path / "a.exr").chunks] == [CHUNK_BYTES] * 5 + [7]


def test_a_blend_when_one_struct_changes_and_addresses_move_then_little_is_new(tmp_path, make_blend) -> None:  # type: ignore[no-untyped-def]
    noise = random.Random(2)
    bodies = [noise.randbytes(size) for size in [100] * 2000 + [400_000, 90_000] * 10 + [60] * 3000]
    before = tmp_path / "before.blend"
    after = tmp_path / "after.blend"
    before.write_bytes(make_blend(*((b"DATA", body, at) for at, body in enumerate(bodies)), modern=True))
    bodies[1000] = noise.randbytes(140)
    moved = ((b"DATA", body, at + (len(body) >= BLOCK_BYTES) * 10**6) for at, body in enumerate(bodies))
    after.write_bytes(make_blend(*moved, modern=True))
    known = {chunk.sha256 for chunk in cut(before).chunks}
    new = [chunk.size for chunk in cut(after).chunks if chunk.sha256 not in known]
    assert sum(new) < 2 * BLOCK_BYTES + 3 * RUN_BYTES / 10
    assert max(new) <= RUN_BYTES


def test_a_file_when_it_shrinks_while_it_is_cut_then_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    path.write_bytes(bytes(9 * CHUNK_BYTES))
    with Cutting(path) as cutting:
        parts = iter(cutting)
        next(parts)
        path.write_bytes(b"short")
        with pytest.raises(InputError, match=r"a\.abc changed"):
            list(parts)
