from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.client.tiny_crate import crate

from sendoff.errors import Stopped
from sendoff.manifest import check_paths
from sendoff.scene_files import collect
from sendoff.usd_files import UsdFiles
from sendoff.usd_layers import asset_paths


def layer(path: Path, *assets: str, binary: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    named = "".join(f"asset a{number} = @{asset}@\n" for number, asset in enumerate(assets))
    path.write_bytes(crate(assets) if binary else f"#usda 1.0\n{named}".encode("utf-8", "surrogateescape"))
    return path


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@pytest.mark.parametrize("binary", [False, True])
def test_a_scene_when_it_names_files_above_it_then_all_keep_their_places_to_each_other(tmp_path: Path, binary) -> None:  # type: ignore[no-untyped-def]
    scene = layer(tmp_path / "shots/010/scene.usd", "../../assets/chair.usd", "gone.usd", "near/x.usdz", binary=binary)
    layer(tmp_path / "assets/chair.usd", "./tex/wood.png", "tex/t.<UDIM>.exr", "chair.usd", binary=binary)
    touch(tmp_path / "assets/tex/wood.png", tmp_path / "shots/010/near/x.usdz")
    touch(tmp_path / "assets/tex/t.1001.exr", tmp_path / "assets/tex/t.1012.exr", tmp_path / "assets/tex/t.x.exr")
    found = collect(scene)
    assert found.place == "shots/010/scene.usd"
    assert {file.path: file.source for file in found.files} == {
        place: tmp_path / place
        for place in (
            "assets/chair.usd", "assets/tex/t.1001.exr", "assets/tex/t.1012.exr", "assets/tex/wood.png",
            "shots/010/near/x.usdz",
        )
    }  # fmt: skip
    assert found.missing == (f"{tmp_path}/shots/010/gone.usd (layer “scene.usd”)",)
    assert found.paths["missing"] == {"shots/010/scene.usd": {"gone.usd": "layer “scene.usd”"}}


def test_a_scene_when_alone_then_it_lies_at_the_top(tmp_path: Path) -> None:
    found = collect(layer(tmp_path / "a" / "scene: 1.usda"))
    assert (found.place, found.files, found.missing) == ("scene_ 1.usda", (), ())


def test_clips_when_named_by_a_template_then_all_are_sent(tmp_path: Path) -> None:
    scene = tmp_path / "scene.usda"
    scene.write_text('#usda 1.0\nstring templateAssetPath = "./clips/c.###.usd"\n')
    touch(tmp_path / "clips/c.001.usd", tmp_path / "clips/c.002.usd", tmp_path / "clips/d.001.usd")
    found = UsdFiles(scene)
    assert sorted(found.places) == ["clips/c.001.usd", "clips/c.002.usd"]
    assert len(found.notes) == 2  # they are no layers


@pytest.mark.parametrize("binary", [False, True])
def test_an_absolute_path_when_there_is_a_folder_for_copies_then_it_is_made_relative(tmp_path: Path, binary) -> None:  # type: ignore[no-untyped-def]
    root = tmp_path / "p"
    chair, wood = root / "lib/chair.usd", tmp_path / "far/wood.png"
    touch(wood, tmp_path / "far/t.1001.exr", tmp_path / "far/t.1002.exr", root / "shot/near.png")
    layer(chair, str(wood), binary=binary)
    tiles = f"{tmp_path}/far/t.<UDIM>.exr"
    scene = layer(root / "shot/s.usd", str(chair), tiles, "near.png", f"{tmp_path}/gone.png", binary=binary)
    before = scene.read_bytes()
    found = collect(scene, folder=tmp_path / "copies")
    assert found.place == "shot/s.usd"
    assert sorted(file.path for file in found.files) == [
        "external/00/t.1001.exr", "external/00/t.1002.exr", "external/01/wood.png", "lib/chair.usd",
        "sendoff-paths.json", "shot/near.png",
    ]  # fmt: skip
    assert found.scene is not None
    assert asset_paths(found.scene) == [
        "../lib/chair.usd", "../external/00/t.<UDIM>.exr", "near.png", f"{tmp_path}/gone.png",
    ]  # fmt: skip
    (sent,) = (file.source for file in found.files if file.path == "lib/chair.usd")
    assert asset_paths(sent) == ["../external/01/wood.png"]
    assert found.missing == (f"{tmp_path}/gone.png (layer “s.usd”)",)
    assert scene.read_bytes() == before


def test_an_absolute_path_when_there_is_no_folder_for_copies_then_it_is_named(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    found = UsdFiles(layer(tmp_path / "scene.usda", str(tmp_path / "a.png"), "C:/b.png"))
    assert found.places == {}
    assert found.missing == (
        f"{tmp_path}/a.png (layer “scene.usda”: an absolute path, make it relative)",
        "C:/b.png (layer “scene.usda”)",
    )


def test_names_that_other_systems_lack_when_named_then_they_are_missing(tmp_path: Path) -> None:
    bad = os.fsdecode(b"caf\xe9.png")
    touch(tmp_path / bad, tmp_path / "aux.png", tmp_path / "ok.png")
    found = UsdFiles(layer(tmp_path / "scene.usda", bad, "aux.png", "ok.png"))
    check_paths([found.place, *found.places])
    assert set(found.places) == {"ok.png"}
    assert set(found.missing_paths["scene.usda"]) == {bad, "aux.png"}
    assert [text.partition(" (")[0] for text in found.missing] == [f"{tmp_path}/caf\ufffd.png", f"{tmp_path}/aux.png"]


def test_a_layer_when_it_is_damaged_then_it_is_sent_and_noted(tmp_path: Path) -> None:
    scene = layer(tmp_path / "scene.usda", "bad.usd")
    touch(tmp_path / "bad.usd")
    found = UsdFiles(scene)
    assert set(found.places) == {"bad.usd"}
    assert "bad.usd is damaged" in found.notes[0]


def test_a_collection_when_asked_to_stop_then_stopped(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        UsdFiles(layer(tmp_path / "scene.usda"), stop=lambda: True)


@pytest.mark.parametrize("address", ["file:///a/b.usda", "https://a.b/c.usd"])
def test_an_address_when_named_then_it_is_missing(tmp_path: Path, address: str) -> None:
    found = collect(layer(tmp_path / "scene.usda", address))
    assert found.missing == (f"{address} (layer “scene.usda”: an address, not the path of a file)",)
    assert found.paths["missing"] == {"scene.usda": {address: "layer “scene.usda”"}}
