from __future__ import annotations

import json
import os
import pathlib
import shutil
import threading
from types import SimpleNamespace

import bpy
import pytest
from scenes import grid, save_png, textured_material


@pytest.fixture
def car(tmp_path):
    """A saved file with a packed and an unpacked texture, then changed."""
    path = tmp_path / "scene" / "car.blend"
    path.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    paint = textured_material("Paint", str(save_png(tmp_path / "shared" / "paint.png")))
    paint.node_tree.nodes["Image Texture"].image.filepath = "//../shared/paint.png"
    decal = textured_material("Decal", str(save_png(tmp_path / "decal.png")))
    decal.node_tree.nodes["Image Texture"].image.pack()
    grid("Body", material=paint)
    grid("Door", material=decal)
    bpy.ops.wm.save_mainfile()
    bpy.data.objects["Body"].location.x = 1.0
    return path


def order(addon, params=None):
    return addon.host.submitting.Order(task="mesh.lods", params=params or {})


def state():
    """Everything about the open file that an export must leave as it is."""
    return {
        "filepath": bpy.data.filepath,
        "is_dirty": bpy.data.is_dirty,  # always True without a window
        "selected": sorted(thing.name for thing in bpy.context.selected_objects),
        "active": bpy.context.view_layer.objects.active.name,
        "packed": {image.name: image.packed_file is not None for image in bpy.data.images},
        "paths": {image.name: image.filepath for image in bpy.data.images},
        "compress": bpy.context.preferences.filepaths.use_file_compression,
        "mode": bpy.context.mode,
        "names": sorted(thing.name for thing in bpy.data.objects),
    }


@pytest.mark.parametrize("touch", [False, True])
def test_the_open_file_is_left_exactly_as_it_is(addon, car, touch):
    if touch:
        bpy.ops.ed.undo_push(message="a change")
    before = state()
    content = {path: path.read_bytes() for path in car.parent.iterdir()}
    addon.scene_export.export(order(addon))
    assert state() == before
    assert {path: path.read_bytes() for path in car.parent.iterdir()} == content


def test_edit_mode_is_not_left_and_its_changes_are_sent(addon, car):
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    export = addon.scene_export.export(order(addon))
    assert bpy.context.mode == "EDIT_MESH"
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.wm.open_mainfile(filepath=str(export.folder / "car.blend"))
    assert len(bpy.data.objects["Door"].data.polygons) == 4 * 16


def test_the_copy_is_a_plain_blend_with_the_artists_paths(addon, car):
    export = addon.scene_export.export(order(addon, {"levels": 2}))
    files = {file.role: file for file in export.submission.files}
    assert set(files) == {"scene"}, "its own files are found by the thread that sends"
    assert files["scene"].path == "car.blend"
    assert (export.needs_files, export.artist_file) == (True, car)
    assert files["scene"].source.read_bytes().startswith(b"BLENDER")
    export.submission.check()
    assert export.submission.host.version == ".".join(map(str, bpy.app.version))
    assert export.submission.params == {"levels": 2}
    assert set(export.fingerprints) == {"Body", "Door"}
    bpy.ops.wm.open_mainfile(filepath=str(files["scene"].source))
    assert bpy.data.images["Paint"].filepath == "//../shared/paint.png"
    assert bpy.data.objects["Body"].location.x == 1.0


def test_a_scene_that_was_never_saved_can_be_sent(addon):
    grid("Body")
    export = addon.scene_export.export(order(addon))
    assert (export.submission.title, export.artist_file) == ("untitled", None)
    assert bpy.data.filepath == ""


def completed(addon, export):
    """The submission with its files, as the thread that sends makes it."""
    parcel = addon.host.outbox.Parcel(
        export.submission, export.folder, needs_files=export.needs_files, artist_file=export.artist_file
    )
    return addon.host.used_files.complete(parcel, threading.Event())[0]


def test_the_files_of_the_copy_are_those_of_the_artists_file(addon, car, tmp_path):
    sent = completed(addon, addon.scene_export.export(order(addon)))
    assert [file.source for file in sent.files if file.role == "external"] == [tmp_path / "shared" / "paint.png"]
    (paths,) = [file.source for file in sent.files if file.role == "paths"]
    holders = json.loads(paths.read_bytes())["holders"]
    assert list(holders["car.blend"]) == ["//../shared/paint.png"]
    sent.check()


def test_a_missing_texture_goes_with_the_submission(addon, car, tmp_path):
    (tmp_path / "shared" / "paint.png").unlink()
    sent = completed(addon, addon.scene_export.export(order(addon)))
    assert sent.missing_files == (f"{tmp_path / 'shared' / 'paint.png'} (image “Paint”)",)


def test_a_file_whose_name_is_not_utf_8_is_sent_under_a_name_that_can_be_read(addon, tmp_path):
    grid("Body")
    path = os.fsdecode(os.fsencode(tmp_path) + b"/sc\xe8ne.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, check_existing=False)
    assert pathlib.Path(path).exists()
    export = addon.scene_export.export(order(addon))
    submission = export.submission
    assert submission.title == "sc\ufffdne"
    submission.title.encode()
    submission.files[0].path.encode()
    submission.check()


def test_paint_that_is_in_memory_only_is_told(addon, car):
    bpy.data.images["Paint"].pixels[0] = 0.25
    assert "unsaved changes, which are not sent: Paint." in addon.scene_export.export(order(addon)).notes[0]


@pytest.fixture
def preference():
    filepaths = bpy.context.preferences.filepaths
    before = filepaths.temporary_directory
    yield filepaths
    filepaths.temporary_directory = before


def test_blenders_own_folder_for_temporary_files_is_used(addon, car, tmp_path, preference):
    (tmp_path / "big").mkdir()
    preference.temporary_directory = str(tmp_path / "big")
    export = addon.scene_export.export(order(addon))
    assert export.folder.parent == tmp_path / "big"
    assert (tmp_path / "big") in addon.scene_export.temporary_folders()
    assert pathlib.Path(bpy.app.tempdir) not in export.folder.parents, "that goes when Blender ends"


def test_a_folder_for_temporary_files_that_is_not_there_is_passed_over(addon, car, tmp_path, preference):
    preference.temporary_directory = str(tmp_path / "gone")
    assert addon.scene_export.export(order(addon)).submission.files[0].source.is_file()


def test_the_scene_and_the_view_layer_on_screen_are_those_of_the_copy(addon, car):
    other = bpy.data.scenes.new("Zweite Szene äöü")
    other.view_layers.new("Nur Vögel")
    assert bpy.context.window.scene != other
    chosen = addon.host.submitting.Order(
        task="mesh.lods", params={}, scene_name=other.name, view_layer_name="Nur Vögel"
    )
    export = addon.scene_export.export(chosen)
    assert bpy.context.window.scene != other
    bpy.ops.wm.open_mainfile(filepath=str(export.submission.files[0].source))
    assert (bpy.context.scene.name, bpy.context.view_layer.name) == ("Zweite Szene äöü", "Nur Vögel")
    bpy.ops.wm.open_mainfile(filepath=str(export.submission.files[0].source), load_ui=False)
    assert bpy.context.scene.name == "Zweite Szene äöü"
    copy = export.submission.files[0].source
    assert addon.sendoff.blend_screen.shown_view_layer(copy) == "Nur Vögel", "without its windows too"
    bpy.ops.wm.open_mainfile(filepath=str(car), load_ui=True)  # Blender keeps this choice


def test_a_copy_that_cannot_be_saved_is_a_sentence(addon, car, monkeypatch, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("nothing can be saved inside a file")
    monkeypatch.setattr(addon.scene_export, "_new_folder", lambda: blocked / "folder")
    with pytest.raises(addon.scene_export.ExportFailed, match="No copy of the scene could be saved"):
        addon.scene_export.export(order(addon))
    assert blocked.is_file()
    monkeypatch.setattr(addon.scene_export, "_new_folder", lambda: tmp_path / "gone")
    (tmp_path / "gone").mkdir()
    monkeypatch.setattr(addon.scene_export, "safe_name", lambda _name: "no/such/folder.blend")
    little = shutil.disk_usage(tmp_path)._replace(free=200_000)
    monkeypatch.setattr(addon.scene_export.shutil, "disk_usage", lambda _: little)
    with pytest.raises(addon.scene_export.ExportFailed) as caught:
        addon.scene_export.export(order(addon))
    assert "where 0.2 MB are free: " in str(caught.value)
    assert str(caught.value).endswith("or set another folder in Preferences > File Paths > Temporary Files.")


def test_copies_that_were_left_behind_go_in_each_folder_and_fresh_ones_stay(addon, tmp_path):
    places = [tmp_path / "a", tmp_path / "b"]
    for place in places:
        old, fresh, kept = (place / f"sendoff-scene-{name}" for name in ("old", "fresh", "kept"))
        for folder in (old, fresh, kept):
            folder.mkdir(parents=True)
        os.utime(old, (1, 1))
        os.utime(kept, (1, 1))
    addon.scene_export.clear_away([*places, tmp_path / "no such folder"], kept=[kept])
    left = sorted(path.name for place in places for path in place.iterdir())
    assert left == ["sendoff-scene-fresh", "sendoff-scene-fresh", "sendoff-scene-kept"]


def test_names_that_are_not_utf_8_stop_nothing(addon, tmp_path):
    thing = grid("CafeX")
    grid("Body")
    bpy.context.scene.name = bpy.data.collections.new("CafeX").name = thing.name
    material = textured_material("CafeX", str(save_png(tmp_path / "paint.png")))
    thing.data.materials.append(material)
    hair = bpy.data.objects.new("HairX", bpy.data.hair_curves.new("HairX"))
    bpy.context.scene.collection.objects.link(hair)
    path = tmp_path / "old.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False, check_existing=False)
    path.write_bytes(path.read_bytes().replace(b"CafeX", b"Caf\xe9X").replace(b"HairX", b"Ha\xefrX"))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    job = addon.process.begin(order(addon), addon.name_of.name_of(bpy.context.scene))
    addon.current.submitting.save_and_send(job)
    assert job.problem is None
    assert set(job.fingerprints) == {"Body"}
    assert "1 hair object (“a name that cannot be read”)" in job.notes[0]
    for thing in bpy.context.view_layer.objects:
        thing.select_set(True)
    with pytest.raises(addon.sendoff.InputError, match="a name that cannot be read"):
        addon.scopes.scope_of("SELECTED", None, bpy.context)


def test_in_a_file_that_was_never_saved_a_missing_file_is_named_as_the_artist_wrote_it(addon):
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    image = bpy.data.images.new("Paint", 4, 4)
    image.source, image.filepath, image.use_fake_user = "FILE", "//rel.png", True
    submission = completed(addon, addon.scene_export.export(order(addon)))
    assert submission.missing_files == ("//rel.png (image “Paint”)",)


def test_the_copy_keeps_what_the_session_has_simulated(addon):
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.mesh.primitive_cube_add(location=(0, 0, 20))
    bpy.ops.rigidbody.object_add()
    for frame in range(1, 21):
        bpy.context.scene.frame_set(frame)
    before = bpy.context.object.matrix_world.translation.z
    assert before < 19
    copy = completed(addon, addon.scene_export.export(order(addon))).files[0].source
    bpy.ops.wm.open_mainfile(filepath=str(copy), load_ui=False)
    assert bpy.data.objects["Cube"].matrix_world.translation.z == pytest.approx(before, abs=1e-4)


def test_blenders_own_word_for_an_error_is_left_out_in_any_language(addon, monkeypatch):
    reason = addon.operator_errors.reason
    assert reason(RuntimeError("Error: Disk full\nand more\n")) == "Disk full"
    assert reason(RuntimeError("")) == "RuntimeError"
    words = SimpleNamespace(pgettext_rpt=lambda _: "Fehler", pgettext_tip=lambda _: "Fehler")
    app = SimpleNamespace(app=SimpleNamespace(translations=words))
    monkeypatch.setattr(addon.operator_errors, "bpy", app)
    assert reason(RuntimeError("Fehler: Datei voll\n")) == "Datei voll"
