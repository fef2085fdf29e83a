from __future__ import annotations

from pathlib import Path

import pytest
from tests.client.tiny_blend import TinyBlend, shot

from sendoff.blend_paths import PathField, is_blenders_own, looks_like_path, read_paths, rewrite_paths
from sendoff.errors import BlendFileError

FORMS = [{"pointer_bytes": 4, "order": ">"}, {"pointer_bytes": 8, "order": "<"}, {"modern": True}]


def written(tmp_path: Path, blend: TinyBlend) -> Path:
    path = tmp_path / "shot.blend"
    path.write_bytes(blend.data_bytes())
    return path


def by_kind(fields: list[PathField]) -> dict[str, PathField]:
    return {one.kind: one for one in fields}


@pytest.mark.parametrize("form", FORMS)
def test_paths_when_read_then_each_is_named_with_its_owner(tmp_path, form) -> None:  # type: ignore[no-untyped-def]
    found = by_kind(read_paths(written(tmp_path, shot(**form))))
    assert {kind: (one.owner_code, one.owner, one.path) for kind, one in found.items()} == {
        "global": ("", "", "/home/ada/shot.blend"),
        "strip": ("SC", "Scene", "//plates/p_01.png"),
        "image": ("IM", "Paint", "//tex/a.png"),
        "library": ("LI", "asset.blend", "//lib/asset.blend"),
    }
    assert found["strip"].names == ("p_02.png",)


@pytest.mark.parametrize("form", FORMS)
def test_paths_when_rewritten_then_only_they_change(tmp_path, form) -> None:  # type: ignore[no-untyped-def]
    path = written(tmp_path, shot(**form))
    before = path.read_bytes()
    new = {"image": "//external/01/a.png", "strip": "//external/02/q_01.png", "global": ""}
    changed = rewrite_paths(path, lambda one: new.get(one.kind))
    assert {one.kind for one in changed} == {"image", "strip", "global"}
    found = by_kind(read_paths(path))
    assert (found["image"].path, found["strip"].path, found["strip"].names) == (
        "//external/01/a.png", "//external/02/q_01.png", ("p_02.png",)
    )  # fmt: skip
    assert found["library"].path == "//lib/asset.blend"
    assert "global" not in found
    assert len(path.read_bytes()) == len(before)
    assert rewrite_paths(path, lambda _one: None) == []


def test_a_path_when_it_does_not_fit_then_a_sentence_and_nothing_is_changed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = written(tmp_path, shot())
    before = path.read_bytes()
    with pytest.raises(
        BlendFileError, match=r"too long for its place in the .blend \(255 bytes\).*“Paint”.*shorter name"
    ):
        rewrite_paths(path, lambda one: "//" + "x" * 254 if one.kind == "image" else "//y/z")
    assert path.read_bytes() == before


def test_bytes_that_are_not_utf8_when_read_and_written_then_they_stay(tmp_path) -> None:  # type: ignore[no-untyped-def]
    blend = TinyBlend()
    blend.id("IM", "Image", "x", 20, name=b"//caf\xe9.png", source=1)
    path = written(tmp_path, blend)
    (one,) = read_paths(path)
    assert one.path == "//caf\udce9.png"
    rewrite_paths(path, lambda field: field.path.replace("//", "//t/"))
    assert b"//t/caf\xe9.png\0" in path.read_bytes()


def test_what_is_packed_when_read_then_it_is_said(tmp_path) -> None:  # type: ignore[no-untyped-def]
    blend = TinyBlend()
    blend.id("IM", "Image", "in", 20, name="//in.png", source=1, packedfile=21)
    blend.id("IM", "Image", "made", 22, name="//made.png", source=4)
    blend.id("SO", "bSound", "out", 24, name="//out.wav")
    found = {one.owner: one.is_packed for one in read_paths(written(tmp_path, blend))}
    assert found == {"in": True, "made": True, "out": False}


@pytest.mark.parametrize("form", FORMS)
def test_a_tiled_image_when_read_then_its_tiles_are_known_also_of_a_list_in_a_ring(tmp_path, form) -> None:  # type: ignore[no-untyped-def]
    blend = TinyBlend(**form)
    blend.id("IM", "Image", "t", 20, name="//t.<UDIM>.png", source=6, **{"tiles.first": 21})
    blend.data("ImageTile", 21, {"next": 22, "tile_number": 1001})
    blend.data("ImageTile", 22, {"next": 21, "tile_number": 1011})
    (one,) = read_paths(written(tmp_path, blend))
    assert one.tiles == (1001, 1011)


def test_a_sequence_when_read_then_the_frames_of_all_its_users_are_known(tmp_path) -> None:  # type: ignore[no-untyped-def]
    blend = TinyBlend()
    blend.id("IM", "Image", "seq", 20, name="//s.0001.png", source=2)
    blend.id("OB", "Object", "node", 29)
    blend.data("bNode", 30, {"id": 20, "storage": 31})
    blend.data("NodeTexImage", 31, {"iuser.frames": 2, "iuser.offset": 4})
    blend.id("OB", "Object", "empty", 40, data=20, iuser=41)
    blend.data("ImageUser", 41, {"frames": 1, "offset": 8})
    (one,) = read_paths(written(tmp_path, blend))
    assert one.frames == {4, 5, 6, 8, 9}


@pytest.mark.parametrize("reason", ["nobody", "unknown user", "keyed"])
def test_a_sequence_when_the_range_of_a_user_is_not_known_then_all_frames(tmp_path, reason) -> None:  # type: ignore[no-untyped-def]
    blend = TinyBlend()
    blend.id("IM", "Image", "seq", 20, name="//s.0001.png", source=2)
    if reason != "nobody":
        blend.id("OB", "Object", "node", 29)
        blend.data(
            "bNode", 30, {"id": 20, "storage": 31}, {"id": 20, "storage": 99 if reason == "unknown user" else 31}
        )
        blend.data("NodeTexImage", 31, {"iuser.frames": 2})
    if reason == "keyed":
        blend.text(50, b'nodes["Image Texture"].image_user.frame_offset')
    (one,) = read_paths(written(tmp_path, blend))
    assert one.is_sequence
    assert one.frames is None


@pytest.mark.parametrize("form", FORMS)
def test_a_path_in_a_block_of_its_own_when_rewritten_then_its_length_follows(tmp_path, form) -> None:  # type: ignore[no-untyped-def]
    blend = TinyBlend(**form)
    blend.id("OB", "Object", "Cube", 20)
    blend.data("NodesModifierData", 21, {"simulation_bake_directory": 22})
    blend.text(22, b"//bakes/long/name")
    blend.data("IDProperty", 23, {"type": 0, "data.pointer": 24, "len": 12})
    blend.text(24, b"/abs/in.obj")
    blend.data("IDProperty", 25, {"type": 0, "data.pointer": 26, "len": 6})
    blend.text(26, b"plain")
    path = written(tmp_path, blend)
    assert [(one.kind, one.path, one.room) for one in read_paths(path)] == [
        ("gn_bake", "//bakes/long/name", 17), ("socket", "/abs/in.obj", 11)
    ]  # fmt: skip
    rewrite_paths(path, lambda one: "//x" if one.kind == "gn_bake" else "//y.obj")
    assert [one.path for one in read_paths(path)] == ["//x", "//y.obj"]
    assert blend.order == ">" or b"\x08\0\0\0" in path.read_bytes()  # //y.obj and its zero


def test_a_point_cache_when_on_disk_or_external_then_its_folder_is_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    blend = TinyBlend()
    blend.id("OB", "Object", "Cloth", 20)
    blend.data("PointCache", 21, {"flag": 0, "path": "//no"})
    blend.data("PointCache", 22, {"flag": 1 << 6})
    blend.data("PointCache", 23, {"flag": 1 << 9, "path": "//sim"})
    assert [(one.path, one.room) for one in read_paths(written(tmp_path, blend))] == [
        ("//blendcache_", 0),
        ("//sim", 63),
    ]


@pytest.mark.parametrize(
    ("text", "is_path"),
    [("//a.obj", True), ("/a.obj", True), ("C:\\a.obj", True), ("c:/a", True), ("\\\\srv\\a", True), ("a b", False),
     ("", False), ("//", False), ("x:y", False), ("/a\nb", False)],
)  # fmt: skip
def test_a_text_when_it_is_a_path_then_it_is_seen(text: str, is_path: bool) -> None:
    assert looks_like_path(text) == is_path


def test_brushes_when_they_come_with_blender_then_they_are_its_own() -> None:
    assert is_blenders_own("//../../opt/blender/4.5/datafiles/assets/brushes/essentials_brushes-mesh_sculpt.blend")
    assert is_blenders_own("C:\\Blender\\4.3\\datafiles\\assets\\brushes\\a.blend")
    assert not is_blenders_own("//brushes/a.blend")
