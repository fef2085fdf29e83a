"""Parameters as native properties, made from real schemas."""

from __future__ import annotations

import bpy
import pytest

SCHEMA = {
    "type": "object",
    "properties": {
        "levels": {
            "type": "integer", "minimum": 1, "maximum": 8, "default": 3, "title": "Levels", "description": "How many",
        },
        "ratio": {"type": "number", "minimum": 0.05, "maximum": 0.95, "default": 0.4},
        "angle": {"type": "number", "default": 45, "minimum": 0, "maximum": 180, "unit": "deg"},
        "width": {"type": "number", "default": 2.5, "unit": "m"},
        "keep_uvs": {"type": "boolean", "default": True},
        "mode": {"enum": ["fast", "good"], "default": "good"},
        "formats": {"type": "array", "items": {"enum": ["blend", "glb"]}, "uniqueItems": True, "default": ["blend"]},
        "label": {"type": "string", "default": "", "maxLength": 20},
        "tint": {"type": "string", "format": "color", "default": "#ff8000"},
        "folder": {"type": "string", "format": "directory-path", "default": ""},
        "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
        "size": {
            "type": "array", "prefixItems": [{"type": "number"}] * 3, "minItems": 3, "maxItems": 3,
            "default": [1, 2, 3],
        },
        "anything": {"default": {"a": 1}},
        "bake": {
            "type": "object", "title": "Bake",
            "properties": {"margin": {"type": "integer", "default": 16, "unit": "px"}},
        },
    },
}  # fmt: skip
DEFAULTS = {
    "levels": 3, "ratio": 0.4, "angle": 45.0, "width": 2.5, "keep_uvs": True, "mode": "good", "formats": ["blend"],
    "label": "", "tint": "#ff8000", "folder": "", "seed": None, "size": [1.0, 2.0, 3.0], "anything": {"a": 1},
    "bake": {"margin": 16},
}  # fmt: skip


def task_of(addon, schema=None, name="studio.form"):
    offer = {"name": name, "title": "Form", "accepts": ["blend"], "params": schema or SCHEMA}
    (task,) = addon.host.known_tasks.of_offers([offer], ("blend",))
    addon.form.register_tasks([task])
    return task


@pytest.fixture
def task(addon):
    yield task_of(addon)
    addon.form.unregister_tasks()


@pytest.fixture
def values(addon, task):
    return addon.form.values_of(bpy.context.scene, task)


def test_untouched_it_is_what_the_task_takes_by_default(addon, task):
    assert addon.form.params(bpy.context.scene, task) == DEFAULTS


def test_what_the_artist_sets_is_what_is_sent(addon, task, values):
    values.levels = 5
    values.ratio = 0.7
    values.angle = 1.5707963267948966
    values.mode = "fast"
    values.formats = {"glb", "blend"}
    values.tint = (0.0, 1.0, 0.0)
    values.seed_on = True
    values.seed = 7
    values.bake_margin = 4
    values.anything = "[1, 2]"
    found = addon.form.params(bpy.context.scene, task)
    assert found == DEFAULTS | {
        "levels": 5, "ratio": 0.7, "angle": 90.0, "mode": "fast", "formats": ["blend", "glb"], "tint": "#00ff00",
        "seed": 7, "bake": {"margin": 4}, "anything": [1, 2],
    }  # fmt: skip


def test_ranges_units_and_tooltips_are_blenders_own(addon, task, values):
    of = values.bl_rna.properties
    assert (of["levels"].hard_min, of["levels"].hard_max) == (1, 8)
    assert (of["levels"].name, of["levels"].description) == ("Levels", "How many")
    assert (of["angle"].subtype, of["angle"].unit) == ("ANGLE", "ROTATION")
    assert (of["width"].subtype, of["width"].unit) == ("DISTANCE", "LENGTH")
    assert of["tint"].subtype == "COLOR_GAMMA"
    assert of["folder"].subtype == "DIR_PATH"
    assert of["bake_margin"].subtype == "PIXEL"
    assert of["formats"].is_enum_flag
    values.levels = 99
    assert values.levels == 8


def test_values_are_remembered_per_scene_and_in_the_file(addon, task, values, tmp_path):
    values.levels = 6
    other = bpy.data.scenes.new("Other")
    assert addon.form.values_of(other, task).levels == 3
    path = tmp_path / "a.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert addon.form.values_of(bpy.context.scene, task).levels == 3
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert addon.form.values_of(bpy.context.scene, task).levels == 6


def test_a_task_that_goes_and_comes_back_finds_its_values(addon, task, values):
    values.levels = 6
    addon.form.register_tasks([])
    assert addon.form.values_of(bpy.context.scene, task) is None
    addon.form.register_tasks([task])
    assert addon.form.values_of(bpy.context.scene, task).levels == 6


def test_a_schema_that_changes_keeps_what_still_fits(addon, task, values):
    values.levels, values.label = 6, "mine"
    changed = {"type": "object", "properties": {**SCHEMA["properties"], "label": {"type": "integer", "default": 1}}}
    task = task_of(addon, changed)
    again = addon.form.values_of(bpy.context.scene, task)
    assert (again.levels, again.label) == (6, 1)


def test_two_tasks_of_the_same_parameter_do_not_share_it(addon):
    offers = [{"name": name, "accepts": ["blend"], "params": SCHEMA} for name in ("a.b", "a_b.c")]
    tasks = addon.host.known_tasks.of_offers(offers, ("blend",))
    addon.form.register_tasks(tasks)
    try:
        first, second = (addon.form.values_of(bpy.context.scene, task) for task in tasks)
        first.levels = 7
        assert second.levels == 3
    finally:
        addon.form.unregister_tasks()


def test_json_that_is_none_is_refused_by_its_name(addon, task, values):
    values.anything = "{"
    with pytest.raises(addon.sendoff.InputError, match="Anything is not JSON"):
        addon.form.params(bpy.context.scene, task)


def test_relative_paths_are_sent_as_the_file_means_them(addon, task, values, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), check_existing=False)
    values = addon.form.values_of(bpy.context.scene, task)
    values.folder = "//maps"
    assert addon.form.params(bpy.context.scene, task)["folder"] == str(tmp_path / "maps")


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"type": "integer", "default": 2**40}}},
        {"properties": {"x": {"enum": [1, "1", None, 1.5, "=1"]}}},
        {"properties": {"x": {"type": "number", "minimum": 5, "maximum": 1, "default": "no"}}},
        {"properties": {"name": {"type": "string"}, "rna_type": {"type": "string"}, "é": {"type": "string"}}},
        {"properties": {"x" * 300: {"type": "string"}, "class": {"type": "boolean"}}},
        {"properties": {"x": {"type": "array", "items": {"enum": list(map(str, range(100)))}}}},
        {"properties": {"x": {"$ref": "#/properties/x"}}},
        {"properties": {str(number): {"type": "integer"} for number in range(500)}},
        {"properties": {"x": {"type": "string", "default": "a\0b" * 1000, "title": "t" * 5000}}},
        {"properties": {"x": {"type": "integer", "minimum": -(2**80), "maximum": 2**80, "default": 3}}},
    ],
)
def test_odd_schemas_make_a_form_that_can_be_sent(addon, schema):
    task = task_of(addon, schema)
    try:
        params = addon.form.params(bpy.context.scene, task)
    finally:
        addon.form.unregister_tasks()
    assert set(params) <= set(schema["properties"])
