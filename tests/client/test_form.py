"""A task's JSON Schema as a form, and the form's values as parameters."""

from __future__ import annotations

import doctest
import json
import keyword
import math
import struct
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sendoff import form
from sendoff.errors import InputError
from sendoff.form import (
    FLOAT_MAX,
    INT_MAX,
    INT_MIN,
    Choice,
    Field,
    FieldKind,
    choice_key,
    default_values,
    degrees_of,
    fields_of,
    nearest,
    params_of,
    shortest_float32,
    start_value,
    title_of,
)
from sendoff.form_schema import MOST_FIELDS

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NUMBER, WHOLE = {"type": "number"}, {"type": "integer"}


def field(schema: object, name: str = "value", *, required: bool = False, **root: Any) -> Field:
    """The only field of a form of one parameter."""
    (found,) = fields_of({"properties": {name: schema}, "required": [name] if required else [], **root})
    return found


def float32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]  # type: ignore[no-any-return]


def sent(of: Field, value: Any) -> Any:
    return params_of([of], {of.name: value})[of.path[0]]


def test_the_example_of_the_module_holds() -> None:
    assert doctest.testmod(form).failed == 0
    assert doctest.testmod(form).attempted == 3


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer", "default": 3}, FieldKind.INT),
        ({"type": "number", "default": 3}, FieldKind.FLOAT),
        ({"anyOf": [WHOLE, NUMBER], "default": 3}, FieldKind.FLOAT),
        ({"type": "boolean"}, FieldKind.BOOL),
        ({"type": "string"}, FieldKind.STRING),
        ({"type": "string", "format": "date"}, FieldKind.STRING),
        ({"enum": ["a", "b"]}, FieldKind.CHOICE),
        ({"enum": [1, 2, 4], "type": "integer"}, FieldKind.CHOICE),
        ({"anyOf": [{"const": "a"}, {"const": 2}]}, FieldKind.CHOICE),
        ({"oneOf": [{"enum": ["a", "b"]}, {"const": "c"}]}, FieldKind.CHOICE),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, FieldKind.FLAGS),
        ({"type": "array", "items": {"const": "a"}}, FieldKind.FLAGS),
        ({"type": "array", "prefixItems": [NUMBER, NUMBER], "minItems": 2, "maxItems": 2}, FieldKind.VECTOR),
        ({"type": "array", "items": WHOLE, "minItems": 4, "maxItems": 4}, FieldKind.VECTOR),
        ({"type": "string", "format": "color", "default": "#ff8000"}, FieldKind.COLOUR),
        ({"type": "string", "format": "colour"}, FieldKind.COLOUR),
        ({"type": "array", "items": NUMBER, "minItems": 3, "maxItems": 3, "format": "color"}, FieldKind.COLOUR),
        ({"type": "string", "format": "path"}, FieldKind.FILE),
        ({"type": "string", "format": "file-path"}, FieldKind.FILE),
        ({"type": "string", "format": "directory-path"}, FieldKind.FOLDER),
        ({"type": "array", "items": {"type": "string"}}, FieldKind.JSON),
        ({"type": "object"}, FieldKind.JSON),
        (True, FieldKind.JSON),
        ({}, FieldKind.JSON),
    ],
)
def test_a_schema_when_read_then_it_has_its_kind_of_control(schema: object, kind: FieldKind) -> None:
    assert field(schema).kind is kind


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 5, "maximum": 1},
        {"type": "integer", "minimum": 1, "maximum": 7, "multipleOf": 8},
        {"type": "integer", "minimum": INT_MAX + 1},
        {"type": "integer", "default": INT_MAX + 1},
        {"type": "integer", "default": INT_MIN - 1},
        {"type": "number", "exclusiveMinimum": 1, "maximum": 1},
        {"type": "number", "default": 1e300},
        {"type": "number", "minimum": 10**400, "maximum": -(10**400), "default": 10**400},
        {"type": "array", "items": WHOLE, "minItems": 2, "maxItems": 2, "default": [0, 2**40]},
        {"type": "array", "items": NUMBER, "minItems": 33, "maxItems": 33},
        {"type": "array", "items": NUMBER, "minItems": 3, "maxItems": 3, "uniqueItems": True},
        {"type": "array", "items": NUMBER},
        {"type": "array", "prefixItems": [NUMBER, WHOLE], "minItems": 2, "maxItems": 2},
        {"type": "array", "prefixItems": [NUMBER, NUMBER], "minItems": 3},
        {"type": "array", "items": {"enum": list(range(33))}},
        {"type": "array", "items": {"enum": ["a", None]}},
        {"type": "array", "items": {"enum": ["a"]}, "minItems": 2},
        {"type": "array", "items": {"enum": ["a"]}, "maxItems": 0},
        {"enum": [["a"], {"b": 1}]},
        {"enum": []},
        {"enum": "abc"},
        {"type": "string", "default": "a\0b"},
        {"type": "string", "default": "\ud800"},
        {"type": ["string", "integer"]},
        {"anyOf": [{"type": "string"}, WHOLE]},
        {"anyOf": [{"type": "string"}, WHOLE, {"type": "null"}]},
        {"allOf": [WHOLE, {"minimum": 3}]},
        {"anyOf": [WHOLE, NUMBER], "oneOf": [WHOLE, NUMBER]},
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "#/properties/value"},
    ],
)
def test_a_schema_when_no_control_fits_it_then_it_is_json(schema: object) -> None:
    found = field(schema)
    assert found.kind is FieldKind.JSON
    assert not found.nullable
    assert isinstance(start_value(found), str)


def test_a_number_when_it_has_limits_then_the_field_has_them() -> None:
    found = field({"type": "integer", "minimum": 1, "maximum": 10**12, "default": 5, "title": "Levels", "unit": "px"})
    assert (found.minimum, found.maximum, found.default, found.title, found.unit) == (1, INT_MAX, 5, "Levels", "px")
    found = field({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 5, "minimum": -9.5})
    assert (found.minimum, found.maximum, found.minimum_excluded) == (1, 4, False)
    found = field({"type": "integer", "exclusiveMinimum": 0.5, "exclusiveMaximum": 4.5, "multipleOf": 2.0})
    assert (found.minimum, found.maximum, found.step) == (1, 4, 2)
    found = field({"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.5, "unit": "furlong"})
    assert (found.minimum, found.minimum_excluded, found.maximum, found.maximum_excluded) == (0, True, 1, False)
    assert found.lowest == 1e-6
    assert found.highest == 1
    assert found.unit == ""
    found = field({"type": "number", "minimum": -1e300, "exclusiveMaximum": 1e-9, "exclusiveMinimum": 0})
    assert found.lowest is not None
    assert found.highest is not None
    assert 0 < found.lowest < found.highest < 1e-9


def test_a_vector_when_its_parts_differ_then_the_control_has_the_widest_limits() -> None:
    parts = [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "number", "minimum": -1}]
    found = field({"type": "array", "prefixItems": parts, "minItems": 2, "maxItems": 2, "unit": "m"})
    assert (found.length, found.whole, found.minimum, found.maximum, found.unit) == (2, False, -1, None, "m")
    found = field({"type": "array", "items": WHOLE, "minItems": 2, "maxItems": 2, "default": [4, 5]})
    assert (found.whole, start_value(found)) == (True, (4, 5))


def test_choices_when_they_are_named_alike_then_their_keys_differ() -> None:
    found = field({"enum": [1, "1", True, "true", 1.0, "=1", "", "1", None], "default": "1"})
    keys = [choice.key for choice in found.choices]
    assert keys == ["=1", "1", "=true", "true", "=1.0", '="=1"', '=""']
    assert found.nullable
    assert [sent(found, key) for key in keys] == [choice.value for choice in found.choices]
    assert [type(sent(found, key)) for key in keys] == [int, str, bool, str, float, str, str]
    assert sent(found, 1) == 1
    assert sent(found, True) is True
    assert sent(found, "=1") == 1  # a key goes before a value


@patient
@given(
    st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()), unique_by=repr)
)
def test_keys_when_values_differ_then_they_differ_and_a_host_can_hold_them(values: list[Any]) -> None:
    keys = [choice_key(value) for value in values]
    assert len(set(keys)) == len(keys)
    assert all(key and key.isprintable() and key.encode() for key in keys)


def test_choices_when_they_have_titles_of_their_own_then_the_artist_reads_those() -> None:
    variants = [
        {"const": "fast", "title": "Draft", "description": "In seconds"},
        {"const": "keep_all"},
        {"const": "png"},
    ]
    found = field({"anyOf": variants, "default": "keep_all"})
    assert found.choices == (
        Choice("fast", "Draft", "In seconds"),
        Choice("keep_all", "Keep all"),
        Choice("png", "PNG"),
    )
    assert start_value(found) == "keep_all"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("face_budget", "Face budget"),
        ("size", "Size"),
        ("uv_size", "UV size"),
        ("keep_uvs", "Keep UVs"),
        ("lod_count", "LOD count"),
        ("x-axis", "X axis"),
        ("from_", "From"),
        ("MESH", "MESH"),
        ("-Z", "-Z"),
        ("größe", "größe"),
        ("", ""),
    ],
)
def test_a_name_when_it_has_no_title_then_it_is_written_for_people(name: str, title: str) -> None:
    assert title_of(name) == title


def test_titles_when_a_library_or_a_class_made_them_then_they_are_not_shown() -> None:
    quality = {"enum": ["low", "high"], "title": "BakeQuality", "description": "How fine", "type": "string"}
    defs = {"$defs": {"BakeQuality": quality, "Named": {"title": "A good name", "type": "boolean"}}}
    assert field({"type": "integer", "title": "Face Budget"}, "face_budget").title == "Face budget"
    assert field({"type": "integer", "title": "Faces"}, "face_budget").title == "Faces"
    found = field({"$ref": "#/$defs/BakeQuality", "default": "low"}, "quality", **defs)
    assert (found.title, found.description, found.default) == ("Quality", "How fine", "low")
    assert field({"$ref": "#/$defs/BakeQuality", "title": "Finish"}, "quality", **defs).title == "Finish"
    assert field({"allOf": [{"$ref": "#/$defs/Named"}]}, "x", **defs).title == "A good name"
    found = field({"type": "string", "title": "a\nb\0\ud800c ", "description": 3}, "x")
    assert (found.title, found.description) == ("a b c", "")


def test_names_when_they_are_none_or_alike_then_each_field_has_its_own() -> None:
    names = ["a b", "a_b", "a-b", "2d", "class", "keys", "_private", "größe", "数", "", "x" * 200, "x" * 201, "a_b_on"]
    optional = {"type": "integer"}  # without a default, so with a check box
    found = fields_of({"properties": dict.fromkeys(names, optional)})
    assert [one.path for one in found] == [(name,) for name in names]
    taken = [one.name for one in found] + [one.switch for one in found]
    assert len(set(taken)) == 2 * len(names)
    for name in taken:
        assert name.isascii()
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not name.startswith("_")
        assert len(name) <= 63
    assert [one.name for one in found[:6]] == ["a_b", "a_b_2", "a_b_3", "field_2d", "class_", "keys_"]


NESTED = {
    "$defs": {
        "Cage": {"title": "Cage", "properties": {"offset": {"type": "number", "default": 0.1}}, "type": "object"},
        "Bake": {
            "title": "Bake",
            "type": "object",
            "properties": {
                "kind": {"const": "normal", "type": "string"},
                "size": {"type": "integer", "default": 512},
                "cage": {"$ref": "#/$defs/Cage"},
            },
            "required": ["kind", "cage"],
        },
    },
    "properties": {
        "size": {"type": "integer", "default": 1},
        "bake": {"$ref": "#/$defs/Bake"},
        "again": {"$ref": "#/$defs/Bake", "default": {"kind": "normal", "size": 64, "cage": {}}, "title": "Once more"},
        "maybe": {"anyOf": [{"$ref": "#/$defs/Cage"}, {"type": "null"}], "default": None},
        "nothing": {"type": "object", "properties": {}},
    },
    "required": ["bake", "nothing"],
}


def test_objects_within_when_read_then_their_fields_are_grouped_and_come_back_nested() -> None:
    found = fields_of(NESTED)
    shown = {one.name: (one.group, one.default) for one in found if one.kind is not FieldKind.CONST}
    assert shown == {
        "size": ("", 1),
        "bake_size": ("Bake", 512),
        "bake_cage_offset": ("Bake › Cage", 0.1),
        "again_size": ("Once more", 64),
        "again_cage_offset": ("Once more › Cage", 0.1),
        "maybe": ("", None),
    }
    assert found[1].path == ("bake", "kind")
    assert found[3].label == "Bake › Cage: Offset"
    params = params_of(found, {**default_values(found), "bake_size": 2, "bake_cage_offset": float32(0.3)})
    assert params == {
        "size": 1,
        "bake": {"kind": "normal", "size": 2, "cage": {"offset": 0.3}},
        "again": {"kind": "normal", "size": 64, "cage": {"offset": 0.1}},
        "nothing": {},
    }


def test_a_value_when_its_check_box_is_off_then_null_or_nothing_is_sent() -> None:
    null = field({"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}], "default": None})
    assert (null.nullable, null.sends_null, null.switch, start_value(null)) == (True, True, "value_on", 3)
    assert default_values([null]) == {"value": None}
    assert params_of([null], {"value": None}) == {"value": None}
    assert params_of([null], {"value": 4}) == {"value": 4}
    given = field({"type": ["boolean", "null"], "default": True})
    assert default_values([given]) == {"value": True}
    assert params_of([given], {"value": None}) == {"value": None}
    nothing = field({"type": "string"})
    assert (nothing.nullable, nothing.sends_null) == (True, False)
    assert params_of([nothing], default_values([nothing])) == {}
    assert not field({"type": "string", "default": ""}).nullable
    assert not field({"type": "string"}, required=True).nullable
    one = field({"anyOf": [{"const": "a"}, {"type": "null"}], "default": None})
    assert (one.kind, one.nullable, [choice.value for choice in one.choices]) == (FieldKind.CHOICE, True, ["a"])


def test_a_default_when_the_task_would_not_take_it_then_there_is_none() -> None:
    for schema in (
        {"type": "integer", "default": "3"},
        {"type": "integer", "default": 2.5},
        {"type": "integer", "minimum": 4, "default": 3},
        {"type": "integer", "multipleOf": 4, "default": 3},
        {"type": "number", "default": math.nan},
        {"type": "boolean", "default": 1},
        {"type": "string", "maxLength": 2, "default": "abc"},
        {"enum": ["a"], "default": "b"},
        {"enum": ["a"], "default": 10**5000},
        {"type": "array", "items": {"enum": ["a", "b"]}, "default": ["a", "a"]},
        {"type": "array", "items": NUMBER, "minItems": 3, "maxItems": 3, "default": [1, 2]},
        {"type": "object", "default": math.inf},
    ):
        found = field(schema)
        assert found.default is None, schema
        assert params_of([found], default_values([found])) == {}


@pytest.mark.parametrize("value", [0.4, 0.1, 1e-6, 0.05, 123.456, -2.5, 1e30, 0.0, 3.0, 16777216.0])
def test_a_float_when_the_host_keeps_32_bits_then_what_the_artist_typed_is_sent(value: float) -> None:
    assert shortest_float32(float32(value)) == value
    assert sent(field({"type": "number", "default": 7.5}), float32(value)) == value


@patient
@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_of_32_bits_when_shortened_then_it_is_still_that_one(value: float) -> None:
    assert float32(shortest_float32(value)) == value


@patient
@given(st.floats())
def test_any_float_when_shortened_then_it_is_close_and_nothing_is_raised(value: float) -> None:
    assert math.isnan(value) or shortest_float32(value) == value or math.isclose(
        shortest_float32(value), value, rel_tol=1e-6, abs_tol=1e-44
    )  # fmt: skip
    if math.isfinite(value):
        assert math.isclose(degrees_of(value), math.degrees(value), rel_tol=1e-6, abs_tol=1e-44)


@pytest.mark.parametrize("degrees", [45, 30, 0.5, 89.9, 180, -12.25, 0, 359.99])
def test_an_angle_when_kept_as_radians_then_the_degrees_come_back(degrees: float) -> None:
    assert degrees_of(float32(math.radians(degrees))) == degrees


def test_a_float_when_it_is_a_limit_or_the_default_then_that_is_sent_exactly() -> None:
    digits = field({"type": "number", "minimum": 0.123456789012, "maximum": 0.987654321098, "default": 0.555555555555})
    for exact in (0.123456789012, 0.987654321098, 0.555555555555):
        assert float32(exact) != exact
        assert sent(digits, float32(exact)) == exact
    steps = field({"type": "number", "multipleOf": 0.1, "default": 0.3})
    assert sent(steps, float32(0.7)) == 0.7
    assert sent(field({"type": "number", "multipleOf": 0.001}), float32(12345.678)) == 12345.678
    vector = field({"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2, "default": [0.1, 1 / 3]})
    assert sent(vector, (float32(0.2), float32(1 / 3))) == [0.2, 1 / 3]


def test_a_number_when_a_control_follows_the_steps_then_it_is_within_the_limits() -> None:
    sizes = field({"type": "integer", "minimum": 10, "maximum": 100, "multipleOf": 8})
    assert [nearest(sizes, value) for value in (-5, 10, 50, 99, 1e9)] == [16, 16, 48, 96, 96]
    ratio = field({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.1})
    assert [nearest(ratio, value) for value in (-1, 0, 0.3000001, 5)] == [0.1, 0.1, 0.3, 0.9]
    assert nearest(field({"type": "number", "exclusiveMinimum": 0}), 0) == 1e-6


def test_colours_when_set_in_the_host_then_they_are_sent_as_the_task_takes_them() -> None:
    text = field({"type": "string", "format": "color", "default": "#F80"})
    assert (text.length, start_value(text)) == (3, (1.0, 136 / 255, 0.0))
    assert sent(text, [float32(one) for one in start_value(text)]) == "#F80"
    assert sent(text, (1.0, float32(0.50196), 0.0)) == "#ff8000"
    alpha = field({"type": "string", "format": "colour", "default": "#00000080"})
    assert sent(alpha, (1, 1, 1, 0)) == "#ffffff00"
    numbers = {"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 4, "format": "color"}
    linear = field({**numbers, "default": [0.1, 0.2, 0.3, 1]})
    assert sent(linear, tuple(float32(one) for one in (0.4, 0.2, 0.3, 1))) == [0.4, 0.2, 0.3, 1]
    assert start_value(field(numbers)) == (1, 1, 1, 1)
    assert field({**numbers, "default": [0, 0, 0, 255]}).kind is FieldKind.VECTOR
    assert field({"type": "string", "format": "color", "default": "red"}).kind is FieldKind.STRING


class HostColour:
    """As Blender's `Color`: a sequence by its items alone."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, at: int) -> float:
        if not 0 <= at < 3:
            raise IndexError(at)
        return float32((0.4, 0.2, 1.0)[at])


def test_a_sequence_when_the_hosts_own_type_then_it_is_read() -> None:
    assert sent(field({"type": "string", "format": "color"}), HostColour()) == "#6633ff"
    assert sent(field({"type": "array", "items": NUMBER, "minItems": 3, "maxItems": 3}), HostColour()) == [0.4, 0.2, 1]


def test_flags_when_set_in_the_host_then_they_are_sent_in_the_tasks_order() -> None:
    formats = field({"type": "array", "items": {"enum": ["blend", "glb", 3]}, "minItems": 1, "default": ["glb"]})
    assert default_values([formats]) == {"value": {"glb"}}
    assert sent(formats, {"=3", "glb", "blend"}) == ["blend", "glb", 3]
    assert sent(formats, ["glb", 3]) == ["glb", 3]
    assert start_value(field({"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 2})) == {"=1", "=2"}


def test_json_when_it_is_text_then_what_it_says_is_sent() -> None:
    names = field({"type": "array", "items": {"type": "string"}, "default": ["Größe", "\ud800"]})
    assert sent(names, start_value(names)) == ["Größe", "\ud800"]
    assert start_value(names).encode()
    assert start_value(field({"type": "object", "default": {"ä": 1}})) == '{"ä": 1}'
    assert sent(names, " null ") is None
    assert params_of([names], {"value": "  "}) == {}


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        ({"type": "integer", "minimum": 3, "title": "Levels"}, 2, "Levels is 2; it has to be at least 3."),
        ({"type": "integer", "maximum": 3}, 4, "Value is 4; it has to be at most 3."),
        ({"type": "integer", "multipleOf": 8}, 12, "Value is 12; it has to be a multiple of 8."),
        ({"type": "integer"}, 2.5, "Value is 2.5; it has to be a whole number."),
        ({"type": "integer"}, True, "Value is True; it has to be a whole number."),
        ({"type": "integer"}, 2**31, f"Value is {2**31}; it has to be from {INT_MIN} to {INT_MAX}."),
        ({"type": "number", "exclusiveMinimum": 0}, 0.0, "Value is 0.0; it has to be more than 0."),
        ({"type": "number", "exclusiveMaximum": 0.1}, float32(0.1), "Value is 0.1; it has to be less than 0.1."),
        ({"type": "number"}, math.inf, "Value is inf; it has to be a number."),
        ({"type": "number"}, math.nan, "Value is nan; it has to be a number."),
        ({"type": "number"}, "1", "Value is '1'; it has to be a number."),
        ({"type": "number", "multipleOf": 0.1}, 0.15, "Value is 0.15; it has to be a multiple of 0.1."),
        ({"type": "boolean"}, "yes", "Value is 'yes'; it has to be on or off."),
        ({"type": "string"}, 5, "Value is 5; it has to be text."),
        ({"type": "string", "maxLength": 2}, "abc", "Value is 'abc'; it has to be at most 2 characters long."),
        ({"type": "string"}, "", "Value is needed. Fill it in."),
        ({"type": "string"}, None, "Value is needed. Fill it in."),
        ({"type": "object"}, " ", "Value is needed. Fill it in."),
        ({"enum": ["png", 2]}, "gif", "Value is 'gif'; it has to be one of PNG, 2."),
        ({"enum": ["png", 2]}, ["png"], "Value is ['png']; it has to be one of PNG, 2."),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, {"c"}, "Value is ['c']; it has to be any of A, B."),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "a", "Value is 'a'; it has to be any of A, B."),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, [["a"]], "Value is [['a']]; it has to be any of A, B."),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1}, set(), "at least 1 of A, B."),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 1}, {"a", "b"}, "at most 1 of A, B."),
        ({"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}, (1, 2, 3), "it has to be 2 numbers."),
        ({"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}, (1, "2"), "it has to be a number."),
        ({"type": "array", "items": WHOLE, "minItems": 2, "maxItems": 2}, (1, 0.5), "it has to be a whole number."),
        ({"type": "array", "items": WHOLE, "minItems": 2, "maxItems": 2}, 5, "it has to be 2 numbers."),
        ({"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}, {"a": 1, "b": 2}, "has to be 2 numbers."),
        ({"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}, {1, 2}, "has to be 2 numbers."),
        ({"type": "string", "format": "color"}, (1, 2, 0), "it has to be a colour like #ff8000."),
        ({"type": "string", "format": "color", "default": "#00000000"}, (1, 1, 1), "a colour like #ff8000ff."),
        ({"type": "object"}, "{", "Value is not JSON at character 2. Write"),
        ({"type": "object"}, "[NaN]", "Value is not JSON. Write"),
        ({"type": "object"}, "[" * 100_000, "Value is not JSON. Write"),
        ({"type": "object"}, 3, "Value is not JSON text. Write"),
    ],
)
def test_a_value_when_the_task_does_not_take_it_then_the_sentence_names_the_field(
    schema: object, value: Any, says: str
) -> None:
    found = field(schema, required=True)
    with pytest.raises(InputError) as caught:
        params_of([found], {found.name: value})
    assert says in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_value_when_it_is_not_given_then_only_a_required_one_is_missed() -> None:
    fields = fields_of({"properties": {"a": WHOLE, "b": WHOLE}, "required": ["b", "undeclared"]})
    assert [(one.name, one.kind) for one in fields][2] == ("undeclared", FieldKind.JSON)
    assert params_of(fields, {"b": 1, "undeclared": "2", "unknown": 3}) == {"b": 1, "undeclared": 2}
    with pytest.raises(InputError, match=r"^B is needed"):
        params_of(fields, {"a": 1, "undeclared": "2"})
    with pytest.raises(InputError, match=r"^Undeclared is needed"):
        params_of(fields, {"b": 1})


def test_a_parameter_of_one_value_when_it_is_needed_then_it_is_sent_without_a_control() -> None:
    schema = {
        "properties": {
            "version": {"const": 2},
            "kind": {"const": "a", "default": "a"},
            "odd": {"const": 1},
            "no": False,
        },
        "required": ["version"],
    }
    fields = fields_of(schema)
    assert {one.kind for one in fields} == {FieldKind.CONST}
    assert default_values(fields) == {}
    assert params_of(fields, {}) == {"version": 2, "kind": "a"}


@pytest.mark.parametrize("schema", [None, True, [], "x", 3, {}, {"properties": []}, {"type": "array"}, {"$ref": "#"}])
def test_a_schema_when_it_is_none_then_the_form_is_empty(schema: object) -> None:
    assert fields_of(schema) == ()


def test_a_schema_when_it_is_endless_then_the_form_ends() -> None:
    deep: Any = WHOLE
    for _ in range(900):
        deep = {"anyOf": [deep, {"type": "string"}]}
    nested: Any = WHOLE
    for _ in range(900):
        nested = {"type": "object", "properties": {"in": nested}, "required": ["in"]}
    double = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(60)}
    tree = {"type": "object", "properties": {f"p{n}": {"$ref": "#/$defs/tree"} for n in range(50)}}
    wide = {"type": "object", "properties": {f"w{n}": {"$ref": f"#/$defs/w{n % 60 + 1}"} for n in range(60)}}
    defs = {**double, "tree": tree, **{f"w{n}": wide for n in range(61)}}
    begun = time.monotonic()
    for schema in (deep, nested, {"$ref": "#/$defs/d0"}, {"$ref": "#/$defs/tree"}, {"$ref": "#/$defs/w0"}):
        fields = fields_of({"properties": {"value": schema}, "required": ["value"], "$defs": defs})
        assert 0 < len(fields) <= MOST_FIELDS
        assert all(one.kind is FieldKind.JSON for one in fields)
    assert time.monotonic() - begun < 5
    many = fields_of({"properties": {f"p{n}": WHOLE for n in range(20_000)}})
    assert len(many) == MOST_FIELDS


numbers = st.one_of(
    st.integers(-9, 9), st.sampled_from([0.1, 0.25, 2**31, -(2**40), 10**400, math.inf, math.nan, 1e300]), st.floats()
)  # fmt: skip
texts = st.text(max_size=6) | st.sampled_from(["#ff0000", "#ff000080", "\ud800", "a\0b", "=1", "null"])
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
words = st.sampled_from(["integer", "number", "string", "boolean", "array", "object", "null"])
formats = st.sampled_from(["color", "colour", "path", "file-path", "directory-path", "date"])
references = st.sampled_from(["#", "#/$defs/a", "#/properties/a", "#/%zz", "#/properties/a/anyOf/0", "x", ""])
sizes = st.integers(0, 4)


def limits(*keys: str) -> dict[str, st.SearchStrategy[Any]]:
    return dict.fromkeys(keys, numbers)


BOUNDS = limits("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "default")
controls = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["integer", "number"])}, optional=BOUNDS),
    st.fixed_dictionaries(
        {"type": st.just("string")}, optional={"format": formats, "maxLength": sizes, "default": texts}
    ),
    st.fixed_dictionaries({"type": st.just("boolean")}, optional={"default": scalars}),
    st.fixed_dictionaries({"enum": st.lists(scalars, min_size=1, max_size=4)}, optional={"default": scalars}),
    st.fixed_dictionaries({"const": scalars}, optional={"default": scalars, "title": texts}),
)


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas around others: most of them sound, some with a key that is not."""
    some = st.lists(inner, min_size=1, max_size=3)
    named = st.dictionaries(st.sampled_from(["a", "b", "größe", "a b", "\ud800", ""]), inner, min_size=1, max_size=4)
    required = st.lists(st.sampled_from("abc"), max_size=3)
    length = sizes.flatmap(lambda size: st.fixed_dictionaries({"minItems": st.just(size), "maxItems": st.just(size)}))
    array = st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={"items": inner, "prefixItems": some, "minItems": sizes, "maxItems": sizes, "format": formats,
                  "default": st.lists(scalars, max_size=4)},
    )  # fmt: skip
    unions = [st.fixed_dictionaries({key: some}, optional={"default": scalars}) for key in ("anyOf", "oneOf", "allOf")]
    sound = st.one_of(
        inner,
        array,
        st.builds(lambda one, size: {**one, **size}, array, length),
        st.builds(lambda one, value: {"anyOf": [one, {"type": "null"}], "default": value}, inner, scalars),
        *unions,
        st.fixed_dictionaries({"$ref": references}, optional={"default": values}),
        st.fixed_dictionaries(
            {"properties": named},
            optional={"required": required, "$defs": named, "default": st.dictionaries(st.sampled_from("ab"), scalars),
                      "type": st.just("object")},
        ),
    )  # fmt: skip
    keys = ["type", "enum", "const", "title", "description", "unit", "items", "properties", "required", "$ref", "anyOf"]
    odd = st.dictionaries(st.sampled_from(keys), values | words | st.lists(words), min_size=1, max_size=2)
    mixed = st.builds(lambda one, other: {**one, **other} if isinstance(one, dict) else one, sound, odd)
    return st.integers(0, 4).flatmap(lambda dice: sound if dice else mixed)


anything = st.builds(
    lambda properties, root: {**root, "properties": properties},
    st.dictionaries(
        st.sampled_from(["a", "b", "größe", "a b", "\ud800", ""]),
        st.recursive(controls | st.booleans(), schemas, max_leaves=5), min_size=1, max_size=4,
    ),
    st.fixed_dictionaries({}, optional={"$defs": st.dictionaries(st.just("a"), schemas(controls)),
                                        "required": st.lists(st.sampled_from(["a", "b", "größe", "more"]))}),
)  # fmt: skip


def params_or_sentence(fields: tuple[Field, ...], values: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    try:
        return params_of(fields, values), ""
    except InputError as error:
        return None, str(error)


@patient
@given(anything | values)
def test_any_schema_when_read_then_the_form_holds_what_a_host_can_show(schema: Any) -> None:
    fields = fields_of(schema)
    names = [one.name for one in fields] + [one.switch for one in fields if one.switch]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.isascii() and len(name) <= 63 for name in names)
    for one in fields:
        assert (one.title + one.description + one.group).isprintable()
        assert one.title
        assert len(one.choices) == len({choice.key for choice in one.choices})
        assert all(choice.title.isprintable() and choice.title for choice in one.choices)
        assert one.lowest is None or one.highest is None or one.lowest <= one.highest
        assert one.default is None or not one.fault(one.default)
        start = start_value(one)
        if one.kind is FieldKind.INT:
            assert type(start) is int
            assert INT_MIN <= start <= INT_MAX
        if one.kind is FieldKind.FLOAT:
            assert type(start) is float
            assert abs(start) <= FLOAT_MAX
        if isinstance(start, str) and one.kind is not FieldKind.CONST:
            assert "\0" not in start
            start.encode()
    params, said = params_or_sentence(fields, default_values(fields))
    json.dumps(params)
    assert not said or said.removesuffix(" is needed. Fill it in.") in [one.label for one in fields if one.required]


@patient
@given(schemas(controls), st.dictionaries(st.sampled_from("abc"), values))
def test_any_values_when_made_parameters_then_only_input_error(schema: Any, given_values: dict[str, Any]) -> None:
    fields = fields_of({"properties": {"a": schema, "b": WHOLE, "c": {"enum": [1, "b"]}}})
    params, said = params_or_sentence(fields, given_values)
    assert not said or said.endswith(".")
    if params is not None:
        Draft202012Validator({"properties": {"b": WHOLE, "c": {"enum": [1, "b"]}}}).validate(params)


def test_a_flat_parameter_may_name_the_group_that_it_stands_in() -> None:
    grouped = {"type": "boolean", "group": "What is taken"}
    schema = {"properties": {"a": {"type": "integer", "default": 1}, "b": grouped}}
    assert [(one.name, one.group) for one in form.fields_of(schema)] == [("a", ""), ("b", "What is taken")]
