from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.tiny_crate import crate
from tests.mutated import mutated

from sendoff.errors import InputError
from sendoff.usd_layers import asset_paths, read_crate
from sendoff.usd_rewriting import rewrite

CHANGES = {"/a/x.usd": "./x.usd", "/p/pack.usdz": "../p@1/pack.usdz"}


def test_a_text_layer_when_rewritten_then_only_its_paths_change(tmp_path: Path) -> None:
    layer, copy = tmp_path / "a.usda", tmp_path / "b.usda"
    layer.write_text(
        '#usda 1.0\n(subLayers = [@/a/x.usd@ (offset = 2), @@@/a/x.usd@@@])\n# @/a/x.usd@\nstring s = "/a/x.usd"\n'
        "asset p = @/p/pack.usdz[in.usd]@\nasset q = @/a/x.usd:SDF_FORMAT_ARGS:a=1@\n"
    )
    rewrite(layer, copy, CHANGES)
    assert copy.read_text() == (
        '#usda 1.0\n(subLayers = [@./x.usd@ (offset = 2), @@@./x.usd@@@])\n# @/a/x.usd@\nstring s = "/a/x.usd"\n'
        "asset p = @@@../p@1/pack.usdz[in.usd]@@@\nasset q = @./x.usd:SDF_FORMAT_ARGS:a=1@\n"
    )


@pytest.mark.parametrize("version", [(0, 3, 0), (0, 8, 0)])
@pytest.mark.parametrize("count", [0, 500])
def test_a_binary_layer_when_rewritten_then_only_its_paths_change(tmp_path: Path, version, count: int) -> None:  # type: ignore[no-untyped-def]
    layer, copy = tmp_path / "a.usdc", tmp_path / "b.usdc"
    names = [f"prim{number}" for number in range(count)]
    layer.write_bytes(crate(["a", "/a/x.usd", b"caf\xe9", *names, "/p/pack.usdz[in.usd]"], version=version))
    rewrite(layer, copy, CHANGES)
    with layer.open("rb") as before, copy.open("rb") as after:
        old, new = read_crate(before), read_crate(after)
    assert len(old.tokens) == len(new.tokens)
    assert [pair for pair in zip(old.tokens, new.tokens, strict=True) if pair[0] != pair[1]] == [
        (b"/a/x.usd", b"./x.usd"), (b"/p/pack.usdz[in.usd]", b"../p@1/pack.usdz[in.usd]")
    ]  # fmt: skip
    assert old.sections[0] == new.sections[0]
    assert asset_paths(copy) == ["./x.usd", "../p@1/pack.usdz"]


@given(mutated(st.just(crate(["/a/x.usd"] * 40)) | st.just(b"#usda 1.0\n@/a/x.usd@ @@@/a/x.usd@@@")))
def test_a_layer_when_changed_anywhere_then_only_our_own_error(tmp_path_factory, data: bytes) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("fuzz", numbered=True)
    (folder / "a.usd").write_bytes(data)
    with suppress(InputError):
        rewrite(folder / "a.usd", folder / "b.usd", CHANGES)
