from __future__ import annotations

import json
import wave

import bpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import grid, save_png, textured_material


@pytest.fixture
def shot(tmp_path):
    """A saved, empty file at project/scene/car.blend."""
    path = tmp_path / "project" / "scene" / "car.blend"
    path.parent.mkdir(parents=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    return path


def placed(found):
    """{place in the job's folder: source} of all files."""
    return {file.path: file.source for file in found.files}


def entry(found, name):
    return next(item for item in found.paths["files"] if item["name"] == name)


def test_files_inside_and_outside_the_scenes_folder_are_found(addon, shot):
    inside = save_png(shot.parent / "textures" / "paint.png")
    outside = save_png(shot.parent.parent / "shared" / "tire.png")
    textured_material("Paint", "//textures/paint.png")
    textured_material("Tire", "//../shared/tire.png")
    found = addon.external_files.collect()
    assert sorted(placed(found).values()) == sorted([inside, outside])
    for name, source in (("Paint", inside), ("Tire", outside)):
        assert placed(found)[entry(found, name)["path"]] == source
        assert entry(found, name)["collection"] == "images"
    assert found.missing == ()


def test_a_missing_file_is_named_with_who_wants_it_and_stops_nothing(addon, shot):
    material = textured_material("Paint", str(save_png(shot.parent / "paint.png")))
    (shot.parent / "paint.png").unlink()
    found = addon.external_files.collect()
    assert found.files == ()
    assert found.missing == (f"{shot.parent / 'paint.png'} (image “Paint”)",)
    assert material.users


def test_every_tile_of_an_udim_image_is_sent_and_a_missing_one_named(addon, shot):
    for number in (1001, 1002):
        save_png(shot.parent / f"skin.{number}.png")
    material = textured_material("Skin", str(shot.parent / "skin.1001.png"), source="TILED")
    image = material.node_tree.nodes["Image Texture"].image
    image.filepath = "//skin.<UDIM>.png"
    for number in (1002, 1003):
        if image.tiles.get(number) is None:
            image.tiles.new(number)
    found = addon.external_files.collect()
    assert {path.name for path in placed(found).values()} == {"skin.1001.png", "skin.1002.png"}
    assert entry(found, "Skin")["path"].endswith("/skin.<UDIM>.png")
    assert [text.split("/")[-1] for text in found.missing] == ["skin.1003.png (image “Skin”)"]


def test_every_frame_of_a_sequence_is_sent(addon, shot):
    for frame in (1, 2, 10):
        save_png(shot.parent / "smoke" / f"smoke_{frame:04d}.png")
    save_png(shot.parent / "smoke" / "other_0001.png")
    textured_material("Smoke", "//smoke/smoke_0002.png", source="SEQUENCE")
    found = addon.external_files.collect()
    assert sorted(path.name for path in placed(found).values()) == [f"smoke_{n:04d}.png" for n in (1, 2, 10)]
    assert entry(found, "Smoke")["path"].endswith("/smoke_0002.png")


def test_a_library_is_sent_and_its_own_textures_with_it(addon, shot, tmp_path):
    library = tmp_path / "library" / "wheel.blend"
    save_png(library.parent / "rubber.png")
    bpy.ops.wm.save_as_mainfile(filepath=str(library), check_existing=False)
    grid("Wheel", material=textured_material("Rubber", "//rubber.png"))
    bpy.ops.wm.save_as_mainfile(filepath=str(library), check_existing=False)
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, target):
        target.objects = ["Wheel"]
    bpy.context.scene.collection.objects.link(target.objects[0])
    found = addon.external_files.collect()
    assert sorted(path.name for path in placed(found).values()) == ["rubber.png", "wheel.blend"]
    assert entry(found, "wheel.blend")["collection"] == "libraries"


def test_what_is_packed_or_comes_with_blender_is_left_out(addon, shot):
    material = textured_material("Paint", str(save_png(shot.parent / "paint.png")))
    material.node_tree.nodes["Image Texture"].image.pack()
    bpy.data.fonts.load("<builtin>").use_fake_user = True
    assert addon.external_files.collect().files == ()


def test_blenders_own_brushes_are_left_out_and_its_other_assets_are_not(addon):
    from pathlib import Path

    root = Path(bpy.utils.resource_path("LOCAL") or bpy.utils.resource_path("SYSTEM"))
    is_own = addon.external_files._is_blenders_own
    assert is_own(root / "datafiles/assets/brushes/essentials_brushes-mesh_sculpt.blend")
    assert not is_own(root / "datafiles/assets/geometry_nodes/smooth_by_angle.blend")
    assert not is_own(Path("/projects/brushes/mine.blend"))


def test_sounds_are_found(addon, shot):
    with wave.open(str(shot.parent / "horn.wav"), "wb") as horn:
        horn.setparams((1, 2, 8000, 0, "NONE", ""))
        horn.writeframes(bytes(1600))
    bpy.data.sounds.load(str(shot.parent / "horn.wav")).use_fake_user = True
    found = addon.external_files.collect()
    assert entry(found, "horn.wav")["collection"] == "sounds"


def test_one_file_that_two_datablocks_read_is_sent_once(addon, shot):
    path = save_png(shot.parent / "paint.png")
    textured_material("A", str(path))
    textured_material("B", "//paint.png")
    found = addon.external_files.collect()
    assert len(found.files) == 1
    assert entry(found, "A")["path"] == entry(found, "B")["path"]


def test_two_files_of_one_name_do_not_clash(addon, shot):
    textured_material("A", str(save_png(shot.parent / "a" / "paint.png")))
    textured_material("B", str(save_png(shot.parent / "b" / "paint.png")))
    found = addon.external_files.collect()
    assert len(placed(found)) == 2
    addon.sendoff.Submission(task="t", files=found.files).check()


def test_unsaved_paint_is_told(addon, shot):
    material = textured_material("Paint", str(save_png(shot.parent / "paint.png")))
    image = material.node_tree.nodes["Image Texture"].image
    image.pixels[0] = 0.25
    assert image.is_dirty
    assert addon.external_files.collect().unsaved == ("Paint",)


def test_the_list_of_paths_has_the_same_bytes_each_time(addon, shot, tmp_path):
    textured_material("Paint", str(save_png(shot.parent / "paint.png")))
    written = [addon.external_files.collect().write_paths(tmp_path).source.read_bytes() for _ in range(2)]
    assert written[0] == written[1]
    assert json.loads(written[0])["version"] == 1


@given(name=st.text(min_size=1))
def test_any_name_becomes_one_that_the_manifest_takes(installed, name):
    safe = installed.host.file_patterns.safe_name(name)
    installed.sendoff.manifest.check_path(f"external/00/{safe.replace('<UDIM>', '1001').replace('<UVTILE>', 'u1_v1')}")


def test_tiles_are_named_as_blender_names_them(installed):
    assert installed.host.file_patterns.tile_name("a.<UDIM>.exr", 1012) == "a.1012.exr"
    assert installed.host.file_patterns.tile_name("a_<UVTILE>.exr", 1012) == "a_u2_v2.exr"
