from __future__ import annotations

import bpy
import pytest

FORMATS = [
    ("view.png", "PNG", "image/png"),
    ("view.jpg", "JPEG", "image/jpeg"),
    ("view.exr", "OPEN_EXR", "image/x-exr"),
    ("view.tif", "TIFF", "image/tiff"),
    ("view.webp", "WEBP", "image/webp"),
    ("view.png", "PNG", "application/octet-stream"),
]


def save(path, file_format="PNG", *, size=6):
    image = bpy.data.images.new("made", size, size)
    image.file_format, image.filepath_raw = file_format, str(path)
    image.save()
    bpy.data.images.remove(image)
    return path


@pytest.fixture
def job(addon, tmp_path):
    made = addon.host.jobs.Job(key="k", id="j1", task="render.frames", title="car", server_url="")
    made.state = addon.sendoff.JobState.SUCCEEDED
    made.files = (addon.host.messages.FetchedFile(save(tmp_path / "view.png"), "result", "image/png"),)
    addon.desk.jobs.add(made)
    return made


def files(addon, job, *entries):
    job.files = tuple(addon.host.messages.FetchedFile(path, role, media_type) for path, role, media_type in entries)


def editors(count):
    """That many areas of the window as Image Editors; the spaces of all."""
    areas = list(bpy.context.window.screen.areas)[:count]
    for area in areas:
        area.ui_type = "IMAGE_EDITOR"
        area.spaces.active.image = None
    return [area.spaces.active for area in areas]


@pytest.mark.parametrize(("name", "file_format", "media_type"), FORMATS)
def test_an_image_is_packed_and_named_after_job_and_file(addon, job, tmp_path, name, file_format, media_type):
    path = save(tmp_path / name, file_format)
    files(addon, job, (path, "result", media_type))
    imported = addon.results.import_result(job, bpy.context)
    assert imported.text == "“car view”, packed into this file"
    assert imported.image_names == ("car view",)
    image = bpy.data.images["car view"]
    assert tuple(image.size) == (6, 6)
    assert image.use_fake_user
    assert bytes(image.packed_file.data) == path.read_bytes()


def test_an_exr_of_several_layers_is_brought_too(addon, job, tmp_path):
    scene, path = bpy.context.scene, tmp_path / "layers.exr"
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 8
    bpy.context.view_layer.use_pass_normal = True
    if bpy.app.version >= (5, 0, 0):
        scene.render.image_settings.media_type = "MULTI_LAYER_IMAGE"
    scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    files(addon, job, (path, "result", "image/x-exr"))
    assert addon.results.import_result(job, bpy.context).image_names == ("car layers",)
    assert bytes(bpy.data.images["car layers"].packed_file.data) == path.read_bytes()


def test_it_is_still_there_after_the_download_is_gone_and_the_file_was_opened_again(addon, job, tmp_path):
    addon.results.import_result(job, bpy.context)
    job.files[0].path.unlink()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"), check_existing=False)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert tuple(bpy.data.images["car view"].size) == (6, 6)
    assert addon.images.brought(job) == [bpy.data.images["car view"]]


def test_a_name_that_is_taken_stays_with_the_artists_image(addon, job):
    mine = bpy.data.images.new("car view", 2, 2)
    imported = addon.results.import_result(job, bpy.context)
    assert mine.name == "car view"
    assert imported.image_names == ("car view.001",)


def test_an_open_image_editor_shows_it(addon, job):
    (space,) = editors(1)
    imported = addon.results.import_result(job, bpy.context)
    assert imported.text == "“car view”, packed into this file and shown"
    assert space.image.name == "car view"


def painted(space):
    space.mode = "PAINT"


def pinned(space):
    space.use_image_pin = True


def unsaved(space):
    space.image.pixels[0] = 0.5
    space.image.update()
    assert space.image.is_dirty


def uv_editor(space):
    next(area for area in bpy.context.window.screen.areas if area.spaces.active == space).ui_type = "UV"


@pytest.mark.parametrize("use", [painted, pinned, unsaved, uv_editor])
def test_an_editor_that_the_artist_works_in_keeps_what_it_shows(addon, job, use):
    first, second = editors(2)
    mine = bpy.data.images.new("Mine", 2, 2)
    first.image = mine
    use(first)
    addon.results.import_result(job, bpy.context)
    assert first.image == mine
    assert second.image.name == "car view"
    second.image = mine
    use(second)
    assert not addon.images.show_in_open_editor(bpy.data.images["car view"], bpy.context)
    assert first.image == second.image == mine


def test_show_uses_an_open_editor_and_says_so_where_there_is_none(addon, job):
    assert addon.images.show(job, bpy.context).startswith("The image is not in this file")
    addon.results.import_result(job, bpy.context)
    assert addon.results.show_result(job, bpy.context) == "Open an Image Editor to see “car view”"
    (space,) = editors(1)
    assert addon.results.show_result(job, bpy.context) == ""
    assert space.image.name == "car view"
    assert addon.images.show(job, bpy.context) == ""


def test_several_are_counted_and_of_very_many_the_rest_stay_files(addon, job, tmp_path):
    paths = [save(tmp_path / f"frame {number:03}.png") for number in range(14)]
    files(addon, job, *[(path, "result", "image/png") for path in paths])
    imported = addon.results.import_result(job, bpy.context)
    assert imported.text == "12 images, packed into this file"
    assert imported.notes == (f"frame 012.png, frame 013.png in {tmp_path}",)
    assert len(imported.image_names) == 12


def test_what_is_no_image_fails_with_a_sentence_and_leaves_nothing(addon, job, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    files(addon, job, (bad, "result", "image/png"))
    before = set(bpy.data.images)
    with pytest.raises(addon.results.ImportFailed, match=r"bad\.png is no image that this Blender can read"):
        addon.results.import_result(job, bpy.context)
    assert set(bpy.data.images) == before


def test_beside_a_good_one_it_is_a_note(addon, job, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    files(addon, job, (bad, "result", "image/png"), (save(tmp_path / "good.png"), "result", "image/png"))
    imported = addon.results.import_result(job, bpy.context)
    assert imported.text == "“car good”, packed into this file"
    assert imported.notes == (f"bad.png is no image that this Blender can read, see {tmp_path}.",)


def test_a_log_that_is_called_an_image_is_none(addon, job, tmp_path):
    files(addon, job, (save(tmp_path / "log.png"), "log", "image/png"))
    assert addon.images.image_files(job) == []
