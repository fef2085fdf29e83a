from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.tiny_crate import crate, lz4
from tests.mutated import mutated

from sendoff.usd_layers import UsdLayerError, _lz4, asset_paths, looks_like_file

LAYER = b"""#usda 1.0
(
    "A comment with @no.usd@"
    subLayers = [@./sub.usda@, @other.usd@ (offset = 2)]
)
# @nor.usd@
def "A" (
    references = @../geo/chair.usd@</Chair>
    payload = [@pay.usdc@, @@@with@at.usd@@@]
    doc = '''neither @this.usd@ "or" \\''' that'''
    clips = { dictionary default = { string templateAssetPath = "./clips/c.###.usd" } }
)
{
    asset inputs:file = @tex/a.<UDIM>.png@
    asset empty = @@
    string title = "x \\" @nope.usd@"
    asset web = @https://example.org/a.usd@
    asset packed = @pack.usdz[inner/a.usd]@
    asset shift = @late.usd:SDF_FORMAT_ARGS:target=x@
}
"""
NAMED = [
    "./sub.usda", "other.usd", "../geo/chair.usd", "pay.usdc", "with@at.usd", "./clips/c.###.usd", "tex/a.<UDIM>.png",
    "https://example.org/a.usd", "pack.usdz", "late.usd",
]  # fmt: skip


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "scene.usd"
    path.write_bytes(data)
    return path


def test_a_text_layer_when_read_then_its_assets_are_named_and_what_strings_hold_is_not(tmp_path: Path) -> None:
    assert asset_paths(written(tmp_path, LAYER)) == NAMED


@pytest.mark.parametrize("version", [(0, 0, 1), (0, 3, 9), (0, 4, 0), (0, 8, 0), (0, 10, 0)])
@pytest.mark.parametrize("pieces", [0, 3])
def test_a_binary_layer_when_read_then_the_tokens_that_are_files_are_named(tmp_path: Path, version, pieces) -> None:  # type: ignore[no-untyped-def]
    names = [f"prim_{number:05d}_with_a_long_name" for number in range(400)]
    tokens = [*names, "./geo.usda", "tex/wood.png", "UsdUVTexture", "inputs:file", "a.b", b"caf\xe9.png", "cc" * 300]
    found = asset_paths(written(tmp_path, crate(tokens, version=version, pieces=pieces)))
    assert found == ["./geo.usda", "tex/wood.png", "caf\udce9.png"]


def test_a_material_x_document_when_read_then_its_includes_and_textures_are_named(tmp_path: Path) -> None:
    path = tmp_path / "wood.mtlx"
    path.write_text(
        '<materialx fileprefix="tex/"><xi:include href="lib.mtlx"/>'
        '<input name="file" type="filename" value="a&amp;b.png"/><input name="x" type="float" value="0.5"/></materialx>'
    )
    assert asset_paths(path) == ["lib.mtlx", "tex/a&b.png"]


def test_a_package_when_read_then_it_names_nothing(tmp_path: Path) -> None:
    assert asset_paths(written(tmp_path, b"PK\x03\x04rest")) == []


@pytest.mark.parametrize("data", [b"no layer", b"PXR-USDC", crate(["a.usd"])[:-40], b"#usdb"])
def test_a_layer_when_it_is_none_or_damaged_then_a_sentence(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UsdLayerError, match=r"scene\.usd is damaged, .* Save it again\."):
        asset_paths(written(tmp_path, data))


@pytest.mark.parametrize(
    ("data", "what"), [(b"", "empty"), (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS")]
)
def test_a_layer_when_it_is_something_else_then_the_sentence_says_what(tmp_path: Path, data, what) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsdLayerError, match=rf"scene\.usd is {what}, so the files"):
        asset_paths(written(tmp_path, data))


@given(mutated(st.just(LAYER) | st.just(crate(["a.usd"] * 40)) | st.just(crate(["a.usd"] * 40, pieces=3))))
def test_a_layer_when_changed_anywhere_then_only_our_own_error(tmp_path_factory, data: bytes) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "a.usd"
    path.write_bytes(data)
    with suppress(UsdLayerError):
        asset_paths(path)


@given(st.binary(max_size=600) | st.lists(st.sampled_from([b"ab", b"abc", b"x" * 40]), max_size=60).map(b"".join))
def test_lz4_when_packed_and_unpacked_then_the_same_bytes(data: bytes) -> None:
    assert _lz4(lz4(data), len(data)) == data


def test_lz4_when_it_holds_more_than_was_said_then_it_ends() -> None:
    with pytest.raises(ValueError, match="9"):
        _lz4(lz4(b"a" * 1000), 9)


@pytest.mark.parametrize(
    ("text", "is_file"),
    [("a.usd", True), ("../x/a.PNG", True), (".usd", False), ("./.usd", False), ("a.blend", False), ("//a.png", False),
     ("a", False), ("xformOp:translate", False), ("anon:0x1:a.usd", False), ("http://x/a.usd", False)],
)  # fmt: skip
def test_a_token_when_it_may_be_a_file_then_it_is_seen(text: str, is_file: bool) -> None:
    assert looks_like_file(text) == is_file
