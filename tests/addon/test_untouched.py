"""A click changes nothing of the open file: all of its data is compared, datablock by datablock."""

from __future__ import annotations

import os
import stat

import all_data
import bpy
import pytest
from scenes import grid, save_png, textured_material

NEW_PENCIL = bpy.app.version >= (4, 3, 0)
DRAW = "PAINT_GREASE_PENCIL" if NEW_PENCIL else "PAINT_GPENCIL"


@pytest.fixture
def shot(addon, tmp_path):
    """A saved file with a bit of everything that can be in a mode, a library, and an override."""
    library = tmp_path / "lib" / "asset.blend"
    library.parent.mkdir()
    rubber = textured_material("Rubber", str(save_png(library.parent / "rubber.png")))
    asset = bpy.data.collections.new("Asset")
    wheel = grid("Wheel", material=rubber)
    asset.objects.link(wheel)
    bpy.context.scene.collection.objects.unlink(wheel)
    bpy.data.libraries.write(str(library), {asset}, fake_user=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    path = tmp_path / "shot" / "shot.blend"
    path.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, target):
        target.collections = ["Asset"]
    instance = bpy.data.objects.new("Instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", target.collections[0]
    bpy.context.scene.collection.objects.link(instance)
    over = target.collections[0].override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    over.objects[0].location.x = 4.0
    paint = textured_material("Paint", str(save_png(tmp_path / "tex" / "paint.png")))
    body = grid("Body", material=paint)
    body.shape_key_add(name="Basis")
    body.shape_key_add(name="Up").value = 0.5
    body["note"] = {"a": [1, 2], "b": "x"}
    body.modifiers.new("Smooth", "SUBSURF")
    body.modifiers.new("Hair", "PARTICLE_SYSTEM")
    body.particle_systems[0].settings.type = "HAIR"
    bpy.ops.object.armature_add()
    bpy.ops.object.text_add()
    bpy.ops.curve.primitive_bezier_curve_add()
    bpy.context.object.name = "Curve"
    if NEW_PENCIL:
        bpy.ops.object.grease_pencil_add(type="STROKE")
    else:
        bpy.ops.object.gpencil_add(type="STROKE")
    bpy.context.object.name = "Pencil"
    bpy.data.scenes.new("Other").collection.objects.link(body)
    bpy.ops.wm.save_mainfile()
    return path


def enter(name, mode):
    """Go into a mode with an object, or stay in Object Mode."""
    bpy.ops.object.select_all(action="DESELECT")
    thing = bpy.data.objects[name]
    bpy.context.view_layer.objects.active = thing
    thing.select_set(True)
    bpy.ops.object.mode_set(mode=mode)
    assert thing.mode == mode


def click(addon):
    return addon.scene_export.export(addon.host.submitting.Order(task="mesh.lods", params={}))


def flush():
    """Have meshes hold what is edited, as each undo step and each save of Blender's own does."""
    for thing in bpy.context.view_layer.objects:
        if thing.mode == "EDIT":
            thing.update_from_editmode()
    for block in bpy.data.objects:
        if block.override_library is not None:
            block.override_library.operations_update()


MODES = [
    ("Body", "OBJECT"),
    ("Body", "EDIT"),
    ("Body", "SCULPT"),
    ("Body", "VERTEX_PAINT"),
    ("Body", "WEIGHT_PAINT"),
    ("Body", "TEXTURE_PAINT"),
    ("Body", "PARTICLE_EDIT"),
    ("Armature", "POSE"),
    ("Armature", "EDIT"),
    ("Text", "EDIT"),
    ("Curve", "EDIT"),
    ("Pencil", DRAW),
    ("Pencil", "EDIT" if NEW_PENCIL else "EDIT_GPENCIL"),
]


@pytest.mark.parametrize(
    ("name", "mode", "autopack"), [("Body", "OBJECT", False), *((name, mode, True) for name, mode in MODES)]
)
def test_nothing_of_the_open_file_changes_in_any_mode(addon, shot, name, mode, autopack):
    enter(name, mode)
    if mode == "EDIT" and name == "Body":
        bpy.ops.mesh.select_all(action="SELECT")
        bpy.ops.mesh.subdivide()
    bpy.data.use_autopack = autopack
    flush()
    disk = {path: path.read_bytes() for path in shot.parent.parent.rglob("*") if path.is_file()}
    before = all_data.snapshot()
    click(addon)
    assert all_data.differences(before, all_data.snapshot()) == []
    assert bpy.data.objects[name].mode == mode
    assert {path: path.read_bytes() for path in shot.parent.parent.rglob("*") if path.is_file()} == disk
    bpy.data.use_autopack = False


def test_nothing_of_a_file_that_was_never_saved_changes(addon):
    grid("Body")
    before = all_data.snapshot()
    click(addon)
    assert all_data.differences(before, all_data.snapshot()) == []


def test_nothing_of_a_file_in_a_folder_that_cannot_be_written_changes(addon, shot):
    shot.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        before = all_data.snapshot()
        export = click(addon)
        assert all_data.differences(before, all_data.snapshot()) == []
        assert export.submission.files[0].source.is_file()
    finally:
        shot.parent.chmod(stat.S_IRWXU)


def test_handlers_of_other_add_ons_are_not_called_and_stay(addon, shot):
    called = []

    def handler(*_):
        called.append(1)
        bpy.context.scene["counted"] = 1

    lists = [bpy.app.handlers.save_pre, bpy.app.handlers.save_post]
    for handlers in lists:
        handlers.append(handler)
    try:
        click(addon)
        assert called == []
        assert all(handler in handlers for handlers in lists)
        bpy.ops.wm.save_mainfile()
        assert called == [1, 1]
    finally:
        for handlers in lists:
            handlers.remove(handler)


def test_what_was_switched_off_for_the_save_is_on_again_if_the_save_fails(addon, shot, monkeypatch):
    bpy.data.use_autopack = True
    monkeypatch.setattr(addon.scene_export, "safe_name", lambda _name: f"no{os.sep}such{os.sep}folder.blend")
    with pytest.raises(addon.scene_export.ExportFailed, match="No copy of the scene could be saved"):
        click(addon)
    assert bpy.data.use_autopack
    assert bpy.context.preferences.filepaths.file_preview_type != "NONE"
    bpy.data.use_autopack = False


def test_the_walk_sees_a_change_of_any_kind(addon, shot):
    """The comparison itself is worth no more than what it finds."""
    before = all_data.snapshot()
    bpy.data.meshes["Body"].vertices[3].co.z += 0.25
    bpy.data.objects["Body"]["note"]["a"] = [1, 3]
    bpy.data.images["Paint"].pack()
    bpy.data.scenes["Other"].frame_current = 7
    found = "\n".join(all_data.differences(before, all_data.snapshot()))
    for part in ("meshes/Body", "note", "packed_file", "scenes/Other"):
        assert part in found, part
