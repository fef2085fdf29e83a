from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest
from tests.client.tiny_blend import TinyBlend, shot

from sendoff import blend_dna
from sendoff.blend_paths import absolute, rewrite_paths
from sendoff.errors import BlendFileError, Stopped
from sendoff.manifest import check_paths
from sendoff.scene_files import PATHS_NAME, Collected, collect, stored_path


def write(path: Path, blend: TinyBlend | bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(blend if isinstance(blend, bytes) else blend.data_bytes())
    return path


def image(
    path: str | bytes, *, source: int = 1, tiles: tuple[int, ...] = (), blend: TinyBlend | None = None
) -> TinyBlend:
    blend = blend or TinyBlend()
    start = 1000 * (1 + len(blend.blocks))
    first = {"tiles.first": start + 1} if tiles else {}
    blend.id("IM", "Image", "Paint", start, name=path, source=source, **first)
    for number, tile in enumerate(tiles, start + 1):
        blend.data("ImageTile", number, {"next": number + 1, "tile_number": tile})
    return blend


def libraries(*paths: str, blend: TinyBlend | None = None) -> TinyBlend:
    blend = blend or TinyBlend()
    for path in paths:
        blend.id("LI", "Library", Path(path).name, 1000 * (1 + len(blend.blocks)), name=path)
    return blend


def places(found: Collected) -> dict[str, str]:
    """Place -> the name of the folder and of the file here."""
    return {file.path: "/".join(file.source.parts[-2:]) for file in found.files}


def test_a_scene_when_it_names_files_then_they_get_places_and_what_is_not_there_is_named(tmp_path: Path) -> None:
    scene = write(tmp_path / "p/shot.blend", shot())
    write(tmp_path / "p/plates/p_01.png"), write(tmp_path / "p/plates/p_02.png")
    write(tmp_path / "p/lib/asset.blend", image("//wood.png", blend=image("//gone.png")))
    write(tmp_path / "p/lib/wood.png")
    found = collect(scene)
    assert found.place == "shot.blend"
    assert places(found) == {
        "external/00/p_01.png": "plates/p_01.png",
        "external/00/p_02.png": "plates/p_02.png",
        "external/01/asset.blend": "lib/asset.blend",
        "external/02/wood.png": "lib/wood.png",
    }
    assert found.paths["holders"] == {
        "shot.blend": {"//plates/p_01.png": "external/00/p_01.png", "//lib/asset.blend": "external/01/asset.blend"},
        "external/01/asset.blend": {"//wood.png": "external/02/wood.png"},
    }
    assert found.paths["origins"] == {
        "external/00/p_01.png": "//plates/p_01.png",
        "external/01/asset.blend": "//lib/asset.blend",
        "external/02/wood.png": "//lib/wood.png",
    }
    assert found.paths["missing"] == {
        "shot.blend": {"//tex/a.png": "image “Paint”"},
        "external/01/asset.blend": {"//gone.png": "image “Paint”"},
    }
    assert found.missing == (f"{tmp_path}/p/tex/a.png (image “Paint”)", f"{tmp_path}/p/lib/gone.png (image “Paint”)")


def test_a_copy_elsewhere_when_looked_through_then_its_paths_are_those_of_the_artists_file(tmp_path: Path) -> None:
    scene = write(tmp_path / "copy/shot.blend", image("//../tex/a.png"))
    write(tmp_path / "p/tex/a.png")
    found = collect(scene, base=tmp_path / "p/work", folder=tmp_path / "copy")
    assert [file.path for file in found.files] == ["external/00/a.png", PATHS_NAME]
    assert found.files[1].role == "paths"
    text = (tmp_path / "copy" / PATHS_NAME).read_text("ascii")
    assert json.loads(text) == found.paths
    assert found.paths["origins"] == {"external/00/a.png": "//../tex/a.png"}


def test_a_scene_that_was_never_saved_then_its_relative_paths_are_named_as_they_are(tmp_path: Path) -> None:
    scene = write(tmp_path / "copy/shot.blend", image("//rel.png", blend=image("/gone/abs.png")))
    assert collect(scene, is_saved=False).missing == ("/gone/abs.png (image “Paint”)", "//rel.png (image “Paint”)")


def test_equal_names_when_in_two_libraries_then_they_are_two_files(tmp_path: Path) -> None:
    scene = write(tmp_path / "shot.blend", libraries("//a/asset.blend", "//b/asset.blend"))
    for name in "ab":
        write(tmp_path / name / "asset.blend", image("//diffuse.png"))
        write(tmp_path / name / "diffuse.png")
    found = collect(scene)
    assert sorted(places(found).values()) == ["a/asset.blend", "a/diffuse.png", "b/asset.blend", "b/diffuse.png"]
    check_paths(["shot.blend", *(file.path for file in found.files)])
    assert (
        len({found.paths["holders"][holder]["//diffuse.png"] for holder in found.paths["holders"] if "ext" in holder})
        == 2
    )


def test_libraries_when_they_link_each_other_and_the_scene_then_each_is_read_once(tmp_path: Path) -> None:
    scene = write(tmp_path / "shot.blend", libraries("//a.blend"))
    write(tmp_path / "a.blend", libraries("//b.blend", str(tmp_path / "a.blend")))
    write(tmp_path / "b.blend", libraries("//a.blend", "//shot.blend"))
    found = collect(scene)
    assert sorted(places(found).values()) == [f"{tmp_path.name}/a.blend", f"{tmp_path.name}/b.blend"]
    assert found.paths["holders"]["external/01/b.blend"]["//shot.blend"] == "shot.blend"


def test_a_file_when_many_name_it_then_it_goes_once(tmp_path: Path) -> None:
    write(tmp_path / "tex/a.png")
    (tmp_path / "link").symlink_to(tmp_path / "tex")
    blend = image("//tex/../link/a.png", blend=image(str(tmp_path / "tex/a.png"), blend=image("//tex/a.png")))
    found = collect(write(tmp_path / "shot.blend", blend))
    assert [file.path for file in found.files] == ["external/00/a.png"]
    assert set(found.paths["holders"]["shot.blend"].values()) == {"external/00/a.png"}


def test_an_absolute_path_on_the_way_then_the_origin_is_absolute(tmp_path: Path) -> None:
    write(tmp_path / "lib/a.blend", image("//wood.png")), write(tmp_path / "lib/wood.png")
    found = collect(write(tmp_path / "shot.blend", libraries(str(tmp_path / "lib/a.blend"))))
    assert set(found.paths["origins"].values()) == {f"{tmp_path}/lib/a.blend", f"{tmp_path}/lib/wood.png"}


def test_tiles_when_some_are_missing_then_the_others_are_sent(tmp_path: Path) -> None:
    scene = write(tmp_path / "shot.blend", image("//t.<UDIM>.png", source=6, tiles=(1001, 1002, 1011)))
    write(tmp_path / "t.1001.png"), write(tmp_path / "t.1011.png"), write(tmp_path / "t.1003.png")
    found = collect(scene)
    assert sorted(places(found)) == ["external/00/t.1001.png", "external/00/t.1011.png"]
    assert found.paths["holders"] == {"shot.blend": {"//t.<UDIM>.png": "external/00/t.<UDIM>.png"}}
    assert found.paths["missing"] == {}
    assert found.missing == (f"{tmp_path}/t.1002.png (image “Paint”)",)


@pytest.mark.parametrize("name", ["<UDIM>.png", "t.<UVTILE>.png", "t.<UDIM>.png"])
def test_a_file_that_has_the_token_of_tiles_in_its_name_then_it_gets_a_safe_name(tmp_path: Path, name: str) -> None:
    scene = write(tmp_path / "<UDIM>.blend", libraries(f"//{name}.blend", blend=image(f"//{name}")))
    write(tmp_path / name), write(tmp_path / f"{name}.blend", image(f"//{name}")), write(tmp_path / "t.1001.png")
    found = collect(scene)
    check_paths([found.place, *(file.path for file in found.files)])
    assert sorted(file.source.name for file in found.files) == sorted([name, f"{name}.blend"])
    assert found.place == "_UDIM_.blend"


def test_a_pattern_of_tiles_when_the_image_does_not_know_its_tiles_then_all_that_are_there(tmp_path: Path) -> None:
    write(tmp_path / "t.1001.png"), write(tmp_path / "t.1012.png")
    found = collect(write(tmp_path / "shot.blend", image("//t.<UDIM>.png")))
    assert [file.path for file in found.files] == ["external/00/t.1001.png", "external/00/t.1012.png"]
    assert found.paths["holders"] == {"shot.blend": {"//t.<UDIM>.png": "external/00/t.<UDIM>.png"}}


@pytest.mark.parametrize("name", ["plate.{:04d}.jp2", "v2_{:d}.png", "take3.{:03d}", "s{:04d}_left.mp4"])
def test_a_sequence_when_its_suffix_has_digits_too_then_all_its_frames_are_sent(tmp_path: Path, name: str) -> None:
    for frame in range(1, 6):
        write(tmp_path / name.format(frame))
    write(tmp_path / "other.0001.jp2")
    found = collect(write(tmp_path / "shot.blend", image("//" + name.format(3), source=2)))
    assert sorted(file.source.name for file in found.files) == [name.format(frame) for frame in range(1, 6)]
    assert {Path(file.path).parent.as_posix() for file in found.files} == {"external/00"}


def test_a_sequence_when_only_some_frames_are_used_then_only_they_are_sent(tmp_path: Path) -> None:
    for frame in range(1, 60):
        write(tmp_path / f"s.{frame:04d}.png")
    blend = TinyBlend()
    blend.id("IM", "Image", "seq", 20, name="//s.0001.png", source=2)
    blend.id("OB", "Object", "node", 29)
    blend.data("bNode", 30, {"id": 20, "storage": 31})
    blend.data("NodeTexImage", 31, {"iuser.frames": 3, "iuser.offset": 10})
    found = collect(write(tmp_path / "shot.blend", blend))
    assert sorted(int(file.source.suffixes[0][1:]) for file in found.files) == [1, 10, 11, 12, 13]


def clip_and_caches(tmp_path: Path, **scene: int) -> TinyBlend:
    """Numbered files from 100 on of a movie clip, and from 1 on of caches; the scene shows 10 to 12."""
    for number in range(40):
        write(tmp_path / f"plate.{100 + number}.png")
        write(tmp_path / f"a_{number}.abc")
    blend = TinyBlend()
    blend.id("SC", "Scene", "Scene", 10, **{"r.sfra": 10, "r.efra": 12, "r.cfra": 11} | scene)
    blend.id("MC", "MovieClip", "Plate", 20, name="//plate.100.png", source=1, start_frame=5, frame_offset=2)
    blend.id("CF", "CacheFile", "A", 30, filepath="//a_1.abc", is_sequence=1)
    return blend


def names(found: Collected) -> set[str]:
    return {file.source.name for file in found.files}


def test_clips_and_caches_when_numbered_then_only_the_frames_of_the_scenes_are_sent(tmp_path: Path) -> None:
    blend = clip_and_caches(tmp_path)
    plates = {f"plate.{number}.png" for number in (100, *range(106, 111))}
    caches = {f"a_{number}.abc" for number in (1, *range(9, 14))}
    found = collect(write(tmp_path / "shot.blend", blend))
    assert names(found) == plates | caches
    assert found.missing == ()

    blend.id("CF", "CacheFile", "B", 31, filepath="//a_1.abc", is_sequence=1, override_frame=1, frame=33.5)
    assert names(collect(write(tmp_path / "shot.blend", blend))) == plates | caches | {"a_33.abc"}

    blend.id("SC", "Scene", "Other", 11, **{"r.sfra": 20, "r.efra": 20, "r.cfra": 20})
    more = {f"plate.{number}.png" for number in (116, 117, 118)} | {f"a_{number}.abc" for number in (19, 20, 21)}
    assert names(collect(write(tmp_path / "shot.blend", blend))) == plates | caches | {"a_33.abc"} | more


def test_clips_and_caches_when_the_frames_are_not_known_then_all_are_sent(tmp_path: Path) -> None:
    stretched = clip_and_caches(tmp_path, **{"r.framapto": 100, "r.images": 50})
    assert len(names(collect(write(tmp_path / "shot.blend", stretched)))) == 80
    blend = clip_and_caches(tmp_path)
    blend.data("Sequence", 40, {"type": 6, "clip": 20})
    blend.id("CF", "CacheFile", "B", 31, filepath="//a_1.abc", is_sequence=1, override_frame=1, adt=9)
    assert len(names(collect(write(tmp_path / "shot.blend", blend)))) == 80


def test_a_bake_or_a_baked_cache_when_its_files_are_gone_then_it_is_named(tmp_path: Path) -> None:
    blend = TinyBlend()
    blend.id("OB", "Object", "Cube", 20)
    blend.data("PointCache", 21, {"flag": 1 << 6 | 1})
    blend.data("NodesModifierData", 22, {"simulation_bake_directory": 23, "bakes_num": 3, "bakes": 24})
    blend.text(23, b"//bakes")
    blend.data(
        "NodesModifierBake", 24, {"data_blocks": 90}, {"flag": 2, "directory": 25}, {"directory": 26, "packed": 9}
    )
    blend.text(25, b"//deleted")
    blend.text(26, b"//packed")
    found = collect(write(tmp_path / "shot.blend", blend))
    assert found.missing == (f"{tmp_path}/blendcache_shot (cache “Cube”)", f"{tmp_path}/bakes (bake “Cube”)")
    assert found.paths["missing"] == {"shot.blend": {"//bakes": "bake “Cube”"}}
    write(tmp_path / "blendcache_shot/a_1.bphys")
    write(tmp_path / "bakes/1/meta/1.json")
    assert collect(write(tmp_path / "shot.blend", blend)).missing == ()


def test_a_sequence_when_used_frames_are_missing_then_they_are_named(tmp_path: Path) -> None:
    write(tmp_path / "s.0001.png"), write(tmp_path / "s.0002.png")
    blend = TinyBlend()
    blend.id("IM", "Image", "seq", 20, name="//s.0001.png", source=2)
    blend.id("OB", "Object", "node", 29)
    blend.data("bNode", 30, {"id": 20, "storage": 31})
    blend.data("NodeTexImage", 31, {"iuser.frames": 5})
    found = collect(write(tmp_path / "shot.blend", blend))
    assert len(found.files) == 2
    assert found.missing == (f"{tmp_path}/s.0003.png and 2 more (image “seq”)",)
    assert found.paths["missing"] == {}


def test_a_path_of_windows_when_it_is_missing_then_it_is_named_as_it_is(tmp_path: Path) -> None:
    found = collect(write(tmp_path / "shot.blend", image("C:\\tex\\a.png")))
    assert found.missing == ("C:\\tex\\a.png (image “Paint”)",)


def test_a_file_when_its_name_only_reads_alike_then_the_one_that_is_there_is_named(tmp_path: Path) -> None:
    write(tmp_path / "Tex/wood.png"), write(tmp_path / "Tex/Wa\u0308nde.png")
    blend = image("//tex/Wood.PNG", blend=image("//tex/w\u00e4nde.png", blend=image("//tex/gone.png")))
    found = collect(write(tmp_path / "shot.blend", blend))
    if not (tmp_path / "tex").exists():  # the disk tells capitals apart
        assert found.missing == (
            f"{tmp_path}/tex/gone.png (image “Paint”)",
            f"{tmp_path}/tex/w\u00e4nde.png (image “Paint”: there is only {tmp_path}/Tex/Wa\u0308nde.png)",
            f"{tmp_path}/tex/Wood.PNG (image “Paint”: there is only {tmp_path}/Tex/wood.png)",
        )


def test_names_that_other_systems_lack_when_collected_then_they_are_sent_under_others(tmp_path: Path) -> None:
    blend = image("//aux.png", blend=image(b"//caf\xe9.png", blend=image("//a: b.png")))
    for name in ("aux.png", os.fsdecode(b"caf\xe9.png"), "a: b.png"):
        write(tmp_path / name)
    found = collect(write(tmp_path / "shot: 010.blend", image(b"//weg\xe9.png", blend=blend)), folder=tmp_path)
    check_paths([found.place, *(file.path for file in found.files)])
    assert found.place == "shot_ 010.blend"
    assert found.paths["holders"]["shot_ 010.blend"]["//caf\udce9.png"] == "external/01/caf_.png"
    assert found.missing == (f"{tmp_path}/weg\ufffd.png (image “Paint”)",)
    read = json.loads((tmp_path / PATHS_NAME).read_bytes())
    assert read["missing"] == {"shot_ 010.blend": {"//weg\udce9.png": "image “Paint”"}}


def test_a_cache_when_it_is_a_folder_then_its_files_are_sent_and_no_others(tmp_path: Path) -> None:
    blend = TinyBlend()
    blend.id("OB", "Object", "Cloth", 20)
    blend.data("PointCache", 21, {"flag": 1 << 6})
    blend.data("PointCache", 22, {"flag": 1 << 9, "path": "//"})
    blend.data("NodesModifierData", 23, {"simulation_bake_directory": 24})
    blend.text(24, b"//bake")
    for name in (
        "blendcache_shot/a_1.bphys",
        "sim_1.bphys",
        "secret.txt",
        "bake/meta/1.json",
        "bake/blobs/1.blob",
        "bake/x",
    ):
        write(tmp_path / name)
    found = collect(write(tmp_path / "shot.blend", blend), place="sent.blend")
    assert set(places(found)) == {
        "blendcache_sent/a_1.bphys",
        f"external/00/{tmp_path.name}/sim_1.bphys",
        "bake/meta/1.json",
        "bake/blobs/1.blob",
    }
    assert found.paths["holders"]["sent.blend"]["//bake"] == "bake"
    assert found.missing == ()


def test_a_usd_cache_when_it_has_layers_then_they_lie_beside_it_as_here(tmp_path: Path) -> None:
    blend = TinyBlend()
    blend.id("CF", "CacheFile", "crowd", 20, filepath="//usd/crowd.usda")
    write(tmp_path / "usd/crowd.usda", b"#usda 1.0\n(subLayers = [@../geo/man.usda@, @gone.usda@])")
    write(tmp_path / "geo/man.usda", b"#usda 1.0\n")
    found = collect(write(tmp_path / "shot.blend", blend))
    assert set(places(found)) == {"external/00/usd/crowd.usda", "external/00/geo/man.usda"}
    assert found.paths["holders"]["shot.blend"] == {"//usd/crowd.usda": "external/00/usd/crowd.usda"}
    assert found.missing == (f"{tmp_path}/usd/gone.usda (layer “crowd.usda”)",)


def test_a_library_when_only_a_part_is_linked_then_only_its_files_are_sent(tmp_path: Path) -> None:
    shot = libraries("//lib.blend")
    shot.add(b"ID\0\0", "ID", 5000, [{"name": "OBChair"}])
    lib = image("//oak.png")
    lib.id("IM", "Image", "nobody", 8000, name="//nobody.png", source=1)
    lib.id("OB", "Object", "Chair", 9000, mat=9001)
    lib.blocks.append((b"DATA", 9001, 0, 1, struct.pack("<2Q", 0, lib.blocks[0][1])))
    lib.id("LI", "Library", "far", 9100, name="//far.blend")
    write(tmp_path / "lib.blend", lib), write(tmp_path / "oak.png")
    found = collect(write(tmp_path / "shot.blend", shot))
    assert sorted(places(found).values()) == [f"{tmp_path.name}/lib.blend", f"{tmp_path.name}/oak.png"]
    assert found.missing == ()
    assert found.paths["unused"] == {"external/00/lib.blend": ["//far.blend", "//nobody.png"]}


def test_a_short_field_when_its_file_gets_a_place_then_the_new_path_fits(tmp_path: Path) -> None:
    blend = TinyBlend()
    blend.id("OB", "Object", "Cube", 20)
    blend.data("NodesModifierData", 21, {"simulation_bake_directory": 0})
    blend.data("IDProperty", 23, {"type": 0, "data.pointer": 24, "len": 9})
    blend.text(24, b"//in.obj")
    scene = write(tmp_path / "shot.blend", blend)
    write(tmp_path / "in.obj")
    found = collect(scene)
    holder = found.paths["holders"]["shot.blend"]
    rewrite_paths(scene, lambda one: stored_path(holder[one.path], found.place))
    assert places(collect(scene)) == {"in.obj": f"{tmp_path.name}/in.obj"}


@pytest.mark.parametrize("stored", ["//", "//../", "//../../../", "//..\\..\\", "//..", "/"])
def test_an_empty_path_when_stored_as_the_way_to_the_root_then_nothing_is_missing(tmp_path: Path, stored) -> None:  # type: ignore[no-untyped-def]
    blend = image(stored)
    blend.id("CF", "CacheFile", "Empty", 50, filepath=stored)
    found = collect(write(tmp_path / "shot.blend", blend))
    assert (found.files, found.missing, found.paths["missing"]) == ((), (), {})


def test_a_library_when_it_is_damaged_then_it_is_sent_and_noted(tmp_path: Path) -> None:
    write(tmp_path / "a.blend", b"BLENDER-v405 and no more")
    found = collect(write(tmp_path / "shot.blend", libraries("//a.blend")))
    assert places(found) == {"external/00/a.blend": f"{tmp_path.name}/a.blend"}
    assert len(found.notes) == 1
    assert "cannot be looked into" in found.notes[0]


def test_a_scene_when_it_is_damaged_then_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BlendFileError, match=r"not a \.blend"):
        collect(write(tmp_path / "shot.blend", b"nothing"))


def test_a_compressed_scene_when_it_cannot_be_read_here_then_a_note(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    packed = pytest.importorskip("zstandard").compress(shot().data_bytes())
    monkeypatch.setattr(blend_dna, "_zstandard", None)
    found = collect(write(tmp_path / "shot.blend", packed))
    assert found.files == ()
    assert "could not be looked up" in found.notes[0]


def test_a_collection_when_asked_to_stop_then_stopped(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        collect(write(tmp_path / "shot.blend", shot()), stop=lambda: True)


def test_blenders_own_brushes_when_linked_then_they_are_not_sent_nor_missed(tmp_path: Path) -> None:
    scene = write(tmp_path / "shot.blend", libraries("/opt/4.5/datafiles/assets/brushes/b.blend"))
    assert collect(scene) == Collected(place="shot.blend", paths=collect(scene).paths)


@pytest.mark.parametrize(
    ("stored", "meant"),
    [("//a.png", "/p/w/a.png"), ("//../a.png", "/p/a.png"), ("//t\\a.png", "/p/w/t/a.png"), ("/x/a.png", "/x/a.png"),
     ("a.png", "/p/w/a.png"), ("///a.png", "/p/w/a.png")],
)  # fmt: skip
def test_a_stored_path_when_made_absolute_then_as_blender_means_it(stored: str, meant: str) -> None:
    assert absolute(stored, Path("/p/w")) == Path(meant)


def test_a_place_when_stored_then_relative_to_its_holder() -> None:
    assert stored_path("external/01/a.png", "shot.blend") == "//external/01/a.png"
    assert stored_path("external/01/a.png", "external/00/lib.blend") == "//../01/a.png"
