from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.tiny_blend import STRUCTS, shot
from tests.mutated import mutated

from sendoff import blend_dna
from sendoff.blend_dna import BlendFile, CannotDecompress
from sendoff.blend_paths import read_paths, rewrite_paths
from sendoff.errors import BlendFileError, Stopped

FORMS = [
    {"pointer_bytes": 4, "order": "<"}, {"pointer_bytes": 4, "order": ">"}, {"pointer_bytes": 8, "order": "<"},
    {"pointer_bytes": 8, "order": ">"}, {"modern": True},
]  # fmt: skip


def written(tmp_path: Path, data: bytes, name: str = "shot.blend") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_any_form_when_opened_then_its_structs_and_blocks_are_known(tmp_path, form) -> None:  # type: ignore[no-untyped-def]
    with BlendFile(written(tmp_path, shot(**form).data_bytes())) as blend:
        assert set(blend.dna.index) >= set(STRUCTS)
        image = blend.dna.find("Image")
        assert image is not None
        assert image.fields["name"].count == 256
        assert image.fields["packedfile"].pointers == 1
        assert [block.code for block in blend.blocks()][-2:] == [b"LI\0\0", b"DNA1"]
        library = next(block for block in blend.blocks() if block.code == b"LI\0\0")
        assert (library.address, library.items) == (30, 1)
        assert b"//lib/asset.blend" in blend.body(library)
        assert blend.dna.find("Nothing") is None


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: pytest.importorskip("zstandard").compress(data)])
@pytest.mark.parametrize("form", FORMS)
def test_a_compressed_file_when_read_then_it_says_the_same(tmp_path, pack, form) -> None:  # type: ignore[no-untyped-def]
    data = shot(**form).data_bytes()
    assert read_paths(written(tmp_path, pack(data), "packed.blend")) == read_paths(written(tmp_path, data))


def test_a_zstd_file_when_the_module_is_missing_then_it_is_said_what_to_do(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    path = written(tmp_path, pytest.importorskip("zstandard").compress(shot().data_bytes()))
    monkeypatch.setattr(blend_dna, "_zstandard", None)
    with pytest.raises(CannotDecompress, match="Save it without Compress"):
        read_paths(path)


def test_a_file_without_structs_when_read_then_a_sentence(tmp_path, make_blend) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BlendFileError, match="does not describe its structs"):
        read_paths(written(tmp_path, make_blend((b"DATA", b"x" * 40, 1))))


def test_a_bomb_when_read_then_it_ends(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(blend_dna, "_LARGE_BYTES", 1024 * 1024)
    blend = shot()
    blend.text(90, b"\0" * 64 * 1024 * 1024)
    path = written(tmp_path, gzip.compress(blend.data_bytes()))
    for read in (read_paths, lambda file: rewrite_paths(file, lambda _: None)):
        with pytest.raises(BlendFileError, match="far more than any scene"):
            read(path)
    assert [file.name for file in tmp_path.iterdir()] == ["shot.blend"]


def test_a_file_when_asked_to_stop_then_stopped(tmp_path) -> None:  # type: ignore[no-untyped-def]
    blend = shot()
    for number in range(5000):
        blend.id("SC", "Scene", f"s{number}", 1000 + number)
    with pytest.raises(Stopped):
        read_paths(written(tmp_path, blend.data_bytes()), stop=lambda: True)


@pytest.mark.parametrize("packed", ["plain", "gzip", "zstd"])
@settings(max_examples=150)
@given(data=st.data(), form=st.sampled_from(FORMS))
def test_a_file_when_changed_anywhere_then_only_our_own_error(tmp_path_factory, packed, data, form) -> None:  # type: ignore[no-untyped-def]
    pack = {"plain": bytes, "gzip": gzip.compress, "zstd": pytest.importorskip("zstandard").compress}[packed]
    changed = data.draw(mutated(st.just(pack(shot(**form).data_bytes()))))
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "a.blend"
    path.write_bytes(changed)
    with suppress(BlendFileError):
        for one in read_paths(path):
            one.path.encode("utf-8", "surrogateescape")
        rewrite_paths(path, lambda one: "//x" if one.room > 2 else None)


def test_a_large_scene_when_read_then_the_unneeded_blocks_are_skipped(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    blend = shot()
    for number in range(3000):
        blend.id("SC", "Scene", f"s{number}", 10_000 + 10 * number)
        blend.text(10_001 + 10 * number, b"v" * 100)
    path = written(tmp_path, blend.data_bytes())
    read: list[bytes] = []
    body = BlendFile.body
    monkeypatch.setattr(BlendFile, "body", lambda self, block: read.append(block.code) or body(self, block))
    assert len(read_paths(path)) == 4
    assert len(read) < 20
