"""A task's parameters as native properties of the scene, made from its JSON Schema while Blender runs.

Each task has a property group of its own on `bpy.types.Scene`, so that its values are remembered in each scene and
saved with the file; what an artist has not touched is not saved and stays the task's default.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import bpy

from .sendoff.form import INT_MAX, INT_MIN, Field, FieldKind, degrees_of, params_of, start_value
from .sendoff.host.known_tasks import KnownTask

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import (
        PropertySubtypeNumberArrayItems,
        PropertySubtypeNumberItems,
        PropertySubtypeStringItems,
    )

_PREFIX = "sendoff_params_"
_SUBTYPES: dict[str, PropertySubtypeNumberItems] = {
    "m": "DISTANCE", "deg": "ANGLE", "rad": "ANGLE", "s": "TIME_ABSOLUTE", "px": "PIXEL", "%": "PERCENTAGE",
    "factor": "FACTOR",
}  # fmt: skip
_VECTOR_SUBTYPES: dict[str, PropertySubtypeNumberArrayItems] = {"m": "XYZ_LENGTH", "deg": "EULER", "rad": "EULER"}
_INT_SUBTYPES: dict[str, PropertySubtypeNumberItems] = {"px": "PIXEL", "%": "PERCENTAGE", "factor": "FACTOR"}
_STRING_SUBTYPES: dict[FieldKind, PropertySubtypeStringItems] = {
    FieldKind.FILE: "FILE_PATH",
    FieldKind.FOLDER: "DIR_PATH",
}
_FLOAT_DIGITS = 3
_SHOWN_DESCRIPTION = 1000
_IN_A_ROW = 3
#: Of the width, as Blender itself has it beside a property.
_TITLE_PART = 0.4
#: From 4.5 on Blender warns of a path like "//maps" in a property that does not say that it may have one (Any, since
#: the types of 4.2 do not know the word).
_PATH_OPTIONS: set[Any] = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()

# Any, from here on: the classes of parameters are made at run time, and what bpy.props returns is Blender's own affair.
#: Task: what its class was made from, and the class.
_registered: dict[str, tuple[tuple[Field, ...], type[bpy.types.PropertyGroup]]] = {}


def attribute(task: str) -> str:
    """The name on a scene under which the values of a task lie."""
    plain = re.sub(r"\W", "_", task, flags=re.ASCII)
    return f"{_PREFIX}{plain[:32]}_{hashlib.sha256(task.encode('utf-8', 'replace')).hexdigest()[:6]}"


def register_tasks(tasks: Iterable[KnownTask]) -> None:
    """Have properties for these tasks and no others; what scenes hold of a task that is gone is kept for its return."""
    wanted = {task.name: task for task in tasks}
    for name in list(_registered):
        if name not in wanted or _registered[name][0] != wanted[name].fields:
            _unregister(name)
    for name, task in wanted.items():
        if name not in _registered and task.fields:
            _register(task)


def unregister_tasks() -> None:
    """Have no properties any more."""
    for name in list(_registered):
        _unregister(name)


def values_of(scene: bpy.types.Scene, task: KnownTask) -> Any:
    """The property group with a scene's values for a task; None where the task takes no parameters."""
    return getattr(scene, attribute(task.name), None) if task.name in _registered else None


def params(scene: bpy.types.Scene, task: KnownTask) -> dict[str, Any]:
    """A scene's values as the task's parameters; raises InputError naming the one that cannot be sent."""
    group = values_of(scene, task)
    if group is None:
        return params_of(task.fields, {})
    controls = [field for field in task.fields if field.kind is not FieldKind.CONST]
    return params_of(task.fields, {field.name: _value(group, field) for field in controls})


def draw(layout: bpy.types.UILayout, scene: bpy.types.Scene, task: KnownTask) -> None:
    """Draw the parameters, those of nested objects in panels of their own."""
    group = values_of(scene, task)
    if group is None:
        return
    bodies: dict[str, bpy.types.UILayout | None] = {"": layout.column()}
    for field in task.fields:
        if field.kind is FieldKind.CONST:
            continue
        if field.group not in bodies:
            # A task's own group holds what is seldom set.
            header, body = layout.panel(f"{attribute(task.name)}_{field.group}", default_closed=len(field.path) == 1)
            header.label(text=field.group)
            bodies[field.group] = body
        body = bodies[field.group]
        if body is not None:
            _draw_field(body, group, field)


def _draw_field(layout: bpy.types.UILayout, group: Any, field: Field) -> None:
    if field.kind is FieldKind.FLAGS and not field.nullable:
        halves = layout.split(factor=_TITLE_PART)
        halves.use_property_split = False
        title = halves.row()
        title.alignment = "RIGHT"
        title.label(text=field.title)
        rows = halves.column(align=True)
        for start in range(0, len(field.choices), _IN_A_ROW):
            row = rows.row(align=True)
            for choice in field.choices[start : start + _IN_A_ROW]:
                row.prop_enum(group, field.name, choice.key)
        return
    if not field.nullable:
        layout.prop(group, field.name)
        return
    row = layout.row(heading=field.title)
    row.prop(group, field.switch, text="")
    value = row.row()
    value.enabled = getattr(group, field.switch)
    value.prop(group, field.name, text="")


def _value(group: Any, field: Field) -> Any:
    """What the artist set, as `params_of` takes it."""
    if field.nullable and not getattr(group, field.switch):
        return None
    value = getattr(group, field.name)
    if field.kind in (FieldKind.FILE, FieldKind.FOLDER):
        return bpy.path.abspath(value) if value else value
    if field.kind in (FieldKind.VECTOR, FieldKind.COLOUR):
        return [degrees_of(one) for one in value] if field.unit == "deg" else list(value)
    if field.kind is FieldKind.FLOAT and field.unit == "deg":
        return degrees_of(value)
    return value


def _register(task: KnownTask) -> None:
    name = "SENDOFF_PG_" + attribute(task.name).removeprefix(_PREFIX)
    annotations: dict[str, Any] = {}
    for field in task.fields:
        if field.kind is FieldKind.CONST:
            continue
        annotations[field.name] = _property(field)
        if field.nullable:
            text = f"Whether {field.title} is given at all"
            annotations[field.switch] = bpy.props.BoolProperty(
                name=field.title, description=text, default=field.default is not None
            )
    cls = type(name, (bpy.types.PropertyGroup,), {"__annotations__": annotations, "__doc__": task.title})
    bpy.utils.register_class(cls)
    setattr(bpy.types.Scene, attribute(task.name), bpy.props.PointerProperty(type=cls, name=task.title))
    _registered[task.name] = (task.fields, cls)


def _unregister(name: str) -> None:
    _, cls = _registered.pop(name)
    delattr(bpy.types.Scene, attribute(name))
    bpy.utils.unregister_class(cls)


def _property(field: Field) -> Any:
    text = field.description[:_SHOWN_DESCRIPTION]
    return _MAKERS[field.kind](field, {"name": field.title, "description": text, "default": start_value(field)})


def _int(field: Field, options: dict[str, Any]) -> Any:
    step = max(1, int(field.step or 1))
    return bpy.props.IntProperty(**options, **_bounds(field), step=step, subtype=_INT_SUBTYPES.get(field.unit, "NONE"))


def _float(field: Field, options: dict[str, Any]) -> Any:
    bounds = _bounds(field)
    options["default"] = _in_blender(field, options["default"])
    subtype = _SUBTYPES.get(field.unit, "NONE")
    if subtype == "NONE" and (bounds.get("min"), bounds.get("max")) == (0.0, 1.0):
        subtype = "FACTOR"
    return bpy.props.FloatProperty(**options, **bounds, precision=_FLOAT_DIGITS, subtype=subtype)


def _bool(_field: Field, options: dict[str, Any]) -> Any:
    return bpy.props.BoolProperty(**options)


def _string(field: Field, options: dict[str, Any]) -> Any:
    subtype = _STRING_SUBTYPES.get(field.kind, "NONE")
    marks = set() if subtype == "NONE" else _PATH_OPTIONS
    return bpy.props.StringProperty(**options, maxlen=field.max_length or 0, subtype=subtype, options=marks)


def _json(_field: Field, options: dict[str, Any]) -> Any:
    options["description"] = f"{options['description']} (as JSON)".strip()
    return bpy.props.StringProperty(**options)


def _choice(field: Field, options: dict[str, Any]) -> Any:
    return bpy.props.EnumProperty(**options, items=_items(field))


def _flags(field: Field, options: dict[str, Any]) -> Any:
    return bpy.props.EnumProperty(**options, items=_items(field), options={"ENUM_FLAG"})


def _vector(field: Field, options: dict[str, Any]) -> Any:
    if field.whole:
        return bpy.props.IntVectorProperty(**options, **_bounds(field), size=field.length)
    options["default"] = [_in_blender(field, one) for one in options["default"]]
    subtype = _VECTOR_SUBTYPES.get(field.unit, "NONE") if field.length == 3 else "NONE"
    return bpy.props.FloatVectorProperty(
        **options, **_bounds(field), size=field.length, subtype=subtype, precision=_FLOAT_DIGITS
    )


def _colour(field: Field, options: dict[str, Any]) -> Any:
    # Display values, as the task gets them: the subtype COLOR would be linear.
    return bpy.props.FloatVectorProperty(**options, size=field.length, subtype="COLOR_GAMMA", min=0.0, max=1.0)


def _items(field: Field) -> list[tuple[str, str, str]]:
    return [(choice.key, choice.title, choice.description) for choice in field.choices]


def _bounds(field: Field) -> dict[str, Any]:
    """What a control offers."""
    whole = field.whole or field.kind is FieldKind.INT
    found: dict[str, Any] = {}
    for name, bound in (("min", field.lowest), ("max", field.highest)):
        if bound is not None:
            found[name] = int(min(INT_MAX, max(INT_MIN, bound))) if whole else _in_blender(field, bound)
    return found


def _in_blender(field: Field, value: float) -> float:
    """A number in the field's unit as Blender keeps it: angles in radians."""
    return math.radians(value) if field.unit == "deg" else float(value)


_MAKERS: Mapping[FieldKind, Any] = {
    FieldKind.INT: _int,
    FieldKind.FLOAT: _float,
    FieldKind.BOOL: _bool,
    FieldKind.STRING: _string,
    FieldKind.FILE: _string,
    FieldKind.FOLDER: _string,
    FieldKind.CHOICE: _choice,
    FieldKind.FLAGS: _flags,
    FieldKind.VECTOR: _vector,
    FieldKind.COLOUR: _colour,
    FieldKind.JSON: _json,
}
