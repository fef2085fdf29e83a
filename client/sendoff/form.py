"""A task's parameters as a form: fields from its JSON Schema, and parameters from what the artist set.

>>> fields = fields_of({"properties": {"ratio": {"type": "number", "default": 0.5}}})
>>> default_values(fields)
{'ratio': 0.5}
>>> params_of(fields, {"ratio": 0.4000000059604645})  # as a control of 32 bits gives it
{'ratio': 0.4}

Values are what native controls hold: a choice is its key, flags are a set of keys, a vector is a sequence, JSON is
text, a nullable field whose check box is off is None. A colour is 3 or 4 numbers from 0 to 1 in sRGB, as displays
show it and as "#rrggbb" says it, not linear light. A number is in the field's unit.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from .errors import InputError
from .form_fields import (
    FLOAT_MAX,
    INT_MAX,
    INT_MIN,
    Choice,
    Field,
    FieldKind,
    choice_key,
    exactly,
    is_number,
    is_scalar,
    nearest,
    rgb,
    title_of,
)
from .form_schema import fields_of

__all__ = [
    "FLOAT_MAX",
    "INT_MAX",
    "INT_MIN",
    "Choice",
    "Field",
    "FieldKind",
    "choice_key",
    "default_values",
    "degrees_of",
    "fields_of",
    "nearest",
    "params_of",
    "shortest_float32",
    "start_value",
    "title_of",
]

_TEXTS = (FieldKind.STRING, FieldKind.FILE, FieldKind.FOLDER)
#: Stands for a parameter that is not sent.
_LEFT_OUT: Any = object()


def default_values(fields: Iterable[Field]) -> dict[str, Any]:
    """What a new form holds, by the fields' names; None for a nullable field whose check box begins off."""
    return {
        field.name: None if field.nullable and field.default is None else start_value(field)
        for field in fields
        if field.kind is not FieldKind.CONST
    }


def start_value(field: Field) -> Any:
    """What a field's control begins with: the default, or where there is none the plainest value it takes."""
    return _STARTS[field.kind](field)


def params_of(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters to submit, from values by the fields' names.

    A field that is not among the values is left out, and so is one that is empty JSON text. Raises InputError with a
    sentence that names the field where it is required and missing, or where the task does not take its value.
    """
    params: dict[str, Any] = {}
    for field in fields:
        value = _sent(field, values)
        inside = params
        for name in field.path[:-1]:
            inside = inside.setdefault(name, {})
        if value is not _LEFT_OUT:
            inside[field.path[-1]] = value
    return params


def shortest_float32(value: float) -> float:
    """The number with the fewest digits that a control of 32 bits shows as this one: 0.4 for 0.4000000059604645.

    A number that does not come from 32 bits stays as it is.
    """
    if _float32(value) != value:
        return value
    return next(short for short in _shortened(value) if _float32(short) == value)


def degrees_of(radians: float) -> float:
    """Degrees of an angle that a control keeps as radians in 32 bits: 45 for 0.7853981852531433, not 45.0000013."""
    exact = math.degrees(radians)
    if _float32(radians) != radians:
        return exact
    return next((short for short in _shortened(exact) if _float32(math.radians(short)) == radians), exact)


def _shortened(value: float) -> Iterable[float]:
    return (float(f"{value:.{digits}g}") for digits in range(1, 10))  # 9 digits tell all of 32 bits


def _float32(value: float) -> float:
    try:
        single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return single


def _sent(field: Field, values: Mapping[str, Any]) -> Any:
    if field.kind is FieldKind.CONST:
        return field.default
    given = values.get(field.name, _LEFT_OUT)
    if given is None and field.nullable:
        return None if field.sends_null else _LEFT_OUT
    if given is None or (field.kind is FieldKind.JSON and isinstance(given, str) and not given.strip()):
        given = _LEFT_OUT
    if field.required and (given is _LEFT_OUT or (given == "" and field.kind in _TEXTS and field.default is None)):
        raise InputError(f"{field.label} is needed. Fill it in.")
    if given is _LEFT_OUT:
        return _LEFT_OUT
    value = _from_host(field, given)
    fault = field.fault(value)
    if fault:
        raise InputError(f"{field.label} is {_shown(value)}; it has to be {fault}.")
    return value


def _from_host(field: Field, given: Any) -> Any:
    """A control's value as JSON has it; what is none of this field's stays as it is, for `Field.fault` to refuse."""
    convert = _FROM_HOST.get(field.kind)
    return convert(field, given) if convert else given


def _whole(_: Field, given: Any) -> Any:
    return int(given) if is_number(given) and given == int(given) else given


def _float(field: Field, given: Any) -> Any:
    return _settled(field, given, field.default)


def _settled(field: Field, given: Any, default: Any) -> Any:
    """A float as the person or the task wrote it: a limit, the default, a step or the shortest number."""
    if not is_number(given):
        return given
    value = float(given)
    for known in (default, field.minimum, field.maximum):
        if known is not None and _float32(float(known)) == value:
            return float(known)
    value = shortest_float32(value)
    if field.step is not None:
        stepped = float(round(exactly(value) / exactly(field.step)) * exactly(field.step))
        if _float32(stepped) == _float32(value):
            return stepped
    return value


def _bool(_: Field, given: Any) -> Any:
    return bool(given) if isinstance(given, int) and given in (0, 1) else given


def _vector(field: Field, given: Any) -> Any:
    numbers = _listed(given)
    if numbers is None:
        return given
    if field.whole:
        return [_whole(field, one) for one in numbers]
    defaults = field.default or [None] * len(numbers)
    return [_settled(field, one, default) for one, default in zip(numbers, defaults)] + numbers[len(defaults) :]


def _listed(given: Any) -> list[Any] | None:
    """The parts of a sequence; None for anything else. Blender's colours and vectors have no `__iter__`."""
    if isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__len__"):
        return None
    return [given[at] for at in range(len(given))] if hasattr(given, "__getitem__") else None


def _flags(field: Field, given: Any) -> Any:
    if not isinstance(given, (set, frozenset, list, tuple)):
        return given
    values = [_chosen(field, one) for one in given]
    order = {choice.key: at for at, choice in enumerate(field.choices)}
    return sorted(values, key=lambda one: order.get(choice_key(one), 0) if is_scalar(one) else 0)


def _chosen(field: Field, given: Any) -> Any:
    """The value that a key, or the value itself, stands for."""
    if not is_scalar(given):
        return given
    keys = {choice.key: choice.value for choice in field.choices}
    if isinstance(given, str) and given in keys:
        return keys[given]
    return keys.get(choice_key(given), given)


def _colour(field: Field, given: Any) -> Any:
    parts = _listed(given)
    if parts is None or len(parts) != field.length or not all(is_number(one) and 0 <= one <= 1 for one in parts):
        return given if parts is None else parts
    default = field.default or ()
    known = rgb(default) if isinstance(default, str) else tuple(default)
    if known and all(_float32(one) == _float32(other) for one, other in zip(known, parts)):
        return field.default
    if field.hexadecimal:
        return "#" + "".join(f"{round(one * 255):02x}" for one in parts)
    return [shortest_float32(float(one)) for one in parts]


def _parsed(field: Field, given: Any) -> Any:
    if not isinstance(given, str):
        raise InputError(f'{field.label} is not JSON text. Write for example [1, 2] or {{"name": "value"}}.')
    try:
        return json.loads(given, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(
            f'{field.label} is not JSON{where}. Write for example "text", 12, true, [1, 2] or {{"name": "value"}}.'
        ) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _json_text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if not any("\ud800" <= one <= "\udfff" for one in text) else json.dumps(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _start_number(field: Field) -> Any:
    number = nearest(field, 0) if field.default is None else field.default
    return int(number) if field.kind is FieldKind.INT else float(number)


def _start_choice(field: Field) -> Any:
    return field.choices[0].key if field.default is None else choice_key(field.default)


def _start_flags(field: Field) -> Any:
    least = [choice.value for choice in field.choices[: field.min_items]]
    return {choice_key(value) for value in (least if field.default is None else field.default)}


def _start_vector(field: Field) -> Any:
    numbers = [nearest(field, 0)] * field.length if field.default is None else field.default
    return tuple(int(one) if field.whole else float(one) for one in numbers)


def _start_colour(field: Field) -> Any:
    parts = [1.0] * field.length if field.default is None else field.default
    return rgb(parts) if isinstance(parts, str) else tuple(map(float, parts))


def _start_text(field: Field) -> Any:
    return field.default or ""


def _start_json(field: Field) -> Any:
    return "" if field.default is None else _json_text(field.default)


_STARTS: dict[FieldKind, Callable[[Field], Any]] = {
    FieldKind.INT: _start_number,
    FieldKind.FLOAT: _start_number,
    FieldKind.BOOL: lambda field: bool(field.default),
    FieldKind.STRING: _start_text,
    FieldKind.FILE: _start_text,
    FieldKind.FOLDER: _start_text,
    FieldKind.CHOICE: _start_choice,
    FieldKind.FLAGS: _start_flags,
    FieldKind.VECTOR: _start_vector,
    FieldKind.COLOUR: _start_colour,
    FieldKind.JSON: _start_json,
    FieldKind.CONST: lambda field: field.default,
}

_FROM_HOST: dict[FieldKind, Callable[[Field, Any], Any]] = {
    FieldKind.INT: _whole,
    FieldKind.FLOAT: _float,
    FieldKind.BOOL: _bool,
    FieldKind.CHOICE: _chosen,
    FieldKind.FLAGS: _flags,
    FieldKind.VECTOR: _vector,
    FieldKind.COLOUR: _colour,
    FieldKind.JSON: _parsed,
}
