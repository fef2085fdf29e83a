"""Read the JSON Schema of a task's parameters as the fields of a form.

A schema comes from a studio's own code by way of a server, so nothing about it is trusted: what cannot be read
becomes a field for JSON text, and the server has the last word on every value.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from .form_fields import (
    FLOAT_MAX,
    INT_MAX,
    INT_MIN,
    MOST_FLAGS,
    MOST_IN_VECTOR,
    UNITS,
    Choice,
    Field,
    FieldKind,
    is_number,
    is_scalar,
    name_of,
    nearest,
    rgb,
    title_of,
)

#: Most fields of a form; what a schema has beyond is left out, and the task's defaults hold.
MOST_FIELDS = 500
#: Objects within objects that are taken apart; deeper ones are JSON.
MOST_DEPTH = 4
_MOST_STEPS = 20_000
_MOST_WRAPPINGS = 32
_MOST_CHARACTERS = 2000

_NUMBERS = ("integer", "number")
_COLOURS = ("color", "colour")
_MISSING: Any = object()
_PATHS = {"path": FieldKind.FILE, "file-path": FieldKind.FILE, "directory-path": FieldKind.FOLDER}


@dataclass(frozen=True)
class _Node:
    """A schema with its references followed."""

    schema: dict[str, Any]
    nullable: bool = False
    choices: tuple[Choice, ...] = ()
    #: References that led here, so that a schema which holds itself comes to an end.
    refs: frozenset[str] = frozenset()
    #: False where it says something that no control can.
    readable: bool = True

    @property
    def kind(self) -> object:
        return self.schema.get("type") if self.readable and not self.choices and "const" not in self.schema else None


def fields_of(schema: object) -> tuple[Field, ...]:
    """The fields for a JSON Schema (draft 2020-12) of an object, in its order. Never raises.

    Objects within are taken apart, and their fields have a group. A parameter that has one value only is a field
    of the kind CONST, which gets no control and is sent all the same.
    """
    reader = _Reader(schema)
    reader.read_object(reader.follow(schema, frozenset()), (), "", None)
    return tuple(reader.fields)


class _Reader:
    def __init__(self, root: object) -> None:
        self.root = root
        self.fields: list[Field] = []
        self.taken: set[str] = set()
        #: Schemas looked at, and unions around the one looked at: both end, whatever a schema does.
        self.steps = 0
        self.unions = 0

    def read_object(self, node: _Node, path: tuple[str, ...], group: str, defaults: object) -> None:
        properties = node.schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = _texts(node.schema.get("required"))
        if node.schema.get("additionalProperties") is not False:
            properties = {**properties, **{name: True for name in required if name not in properties}}
        for name, schema in properties.items():
            if len(self.fields) >= MOST_FIELDS:
                return
            if isinstance(name, str) and schema is not False:
                given = defaults.get(name, _MISSING) if isinstance(defaults, dict) else _MISSING
                self.read_property(schema, (*path, name), group, given, node.refs, required=name in required)

    def read_property(
        self, schema: object, path: tuple[str, ...], group: str, given: Any, refs: frozenset[str], *, required: bool
    ) -> None:
        name = path[-1]
        if isinstance(schema, dict) and schema.get("title") == name.replace("_", " ").title().strip():
            schema = {key: value for key, value in schema.items() if key != "title"}  # pydantic made it of the name
        node = self.follow(schema, refs)
        given = node.schema.get("default", _MISSING) if given is _MISSING else given
        default = None if given is _MISSING else given
        field = Field(
            path=path,
            name="",
            title=_clean(node.schema.get("title"))[:100] or _clean(title_of(name[:100])) or "Value",
            description=_clean(node.schema.get("description")),
            kind=FieldKind.JSON,
            required=required,
            group=group or _clean(node.schema.get("group"))[:100],
        )
        if node.readable and "const" in node.schema and not node.choices:
            const = node.schema["const"]
            if required or (given is not _MISSING and _text(const) == _text(given)):
                self.add(replace(field, kind=FieldKind.CONST, default=const))
            return
        if self.is_group(node, default, len(path), required=required):
            before = len(self.fields)
            self.read_object(node, path, f"{group} › {field.title}" if group else field.title, default)
            if required and len(self.fields) == before:
                self.add(replace(field, kind=FieldKind.CONST, default={}))
            return
        control = self.control(field, node, default) or field
        if control.kind is FieldKind.JSON:
            self.add(replace(control, default=default if _text(default) else None))
            return
        default = None if default is None or control.fault(default) else default
        self.add(
            replace(
                control,
                default=default,
                nullable=node.nullable or (default is None and not required),
                sends_null=node.nullable,
            )
        )

    def add(self, field: Field) -> None:
        self.fields.append(replace(field, name=name_of(field.path, self.taken)))

    def is_group(self, node: _Node, default: object, depth: int, *, required: bool) -> bool:
        """Whether a node is an object that is always sent, so that its own properties are fields."""
        if not node.readable or node.nullable or node.choices or depth >= MOST_DEPTH:
            return False
        if node.schema.get("type", "object") != "object" or not isinstance(node.schema.get("properties"), dict):
            return False
        return required or isinstance(default, dict) or not _texts(node.schema.get("required"))

    def follow(self, schema: object, refs: frozenset[str]) -> _Node:
        """Follow references and whatever else only wraps a schema; what is said further out wins."""
        nullable = False
        for _ in range(_MOST_WRAPPINGS):
            self.steps += 1
            if not isinstance(schema, dict) or self.steps > _MOST_STEPS:
                return _Node({}, nullable, readable=False)
            ref, wraps = schema.get("$ref"), [key for key in ("allOf", "anyOf", "oneOf") if key in schema]
            if isinstance(ref, str):
                inner = self.at(ref)
                if ref in refs or not isinstance(inner, dict):
                    return _Node(schema, nullable, refs=refs, readable=False)
                refs |= {ref}
                schema = {**_without_class_name(inner, ref), **_without(schema, "$ref")}
            elif wraps:
                variants = schema[wraps[0]]
                inner = [one for one in variants if not _is_null(one)] if isinstance(variants, list) else []
                nullable = nullable or (bool(inner) and len(inner) < len(variants) and wraps[0] != "allOf")
                outer = _without(schema, wraps[0])
                if len(inner) == 1 and isinstance(inner[0], dict):
                    schema = {**inner[0], **outer}
                    continue
                return self.union(inner if wraps in (["anyOf"], ["oneOf"]) else [], outer, nullable, refs)
            else:
                return _plain_node(schema, nullable, refs)
        return _Node({}, nullable, readable=False)

    def union(self, variants: list[Any], outer: dict[str, Any], nullable: bool, refs: frozenset[str]) -> _Node:
        """One of several: a choice where each is a value, a number where each is one, else unreadable."""
        self.unions += 1
        nodes = [self.follow(one, refs) for one in variants] if self.unions <= MOST_DEPTH else []
        self.unions -= 1
        if not nodes or not all(node.readable for node in nodes):
            return _Node(outer, nullable, refs=refs, readable=False)
        nullable = nullable or any(node.nullable for node in nodes)
        choices = [_variant_choices(node) for node in nodes]
        if all(choices):
            found = {choice.key: choice for some in reversed(choices) for choice in reversed(some)}
            return _Node(outer, nullable, tuple(reversed(found.values())), refs)
        if all(node.kind in _NUMBERS for node in nodes):
            number = next((node for node in nodes if node.kind == "number"), nodes[0])
            return _Node({**number.schema, **outer}, nullable, refs=refs)
        return _Node(outer, nullable, refs=refs, readable=False)

    def at(self, ref: str) -> object:
        """What a reference within the schema leads to (RFC 6901); None for any other."""
        if not ref.startswith("#"):
            return None
        found = self.root
        for part in unquote(ref[1:]).split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict):
                found = found.get(key)
            elif isinstance(found, list) and key.isdecimal() and len(key) < 6:
                found = found[int(key)] if int(key) < len(found) else None
            else:
                return None
        return found

    def control(self, field: Field, node: _Node, default: object) -> Field | None:
        """The field with the kind of control that its schema has; None where only JSON text will do."""
        if node.choices:
            return replace(field, kind=FieldKind.CHOICE, choices=node.choices)
        unit = node.schema.get("unit")
        field = replace(field, unit=unit if isinstance(unit, str) and unit in UNITS else "")
        if node.kind in _NUMBERS:
            whole = node.kind == "integer"
            control = _number(replace(field, kind=FieldKind.INT if whole else FieldKind.FLOAT), node.schema)
            return control if _can_hold(default, whole=whole) else None
        if node.kind == "array":
            return self.array(field, node, default)
        field = replace(field, unit="")
        if node.kind == "boolean":
            return replace(field, kind=FieldKind.BOOL)
        if node.kind == "string":
            return _string(field, node.schema, default)
        return None

    def array(self, field: Field, node: _Node, default: object) -> Field | None:
        schema = node.schema
        prefix, least, most = schema.get("prefixItems"), _count(schema.get("minItems")) or 0, schema.get("maxItems")
        most = _count(most)
        if isinstance(prefix, list) and prefix:
            fits = least <= len(prefix) <= (len(prefix) if most is None else most)
            if not fits or len(prefix) > MOST_IN_VECTOR:
                return None
            return self.vector(field, schema, [self.follow(one, node.refs) for one in prefix], default)
        item = self.follow(schema.get("items"), node.refs)
        if not item.readable or item.nullable:
            return None
        if item.kind in _NUMBERS and least == most and 0 < least <= MOST_IN_VECTOR:
            return self.vector(field, schema, [item] * least, default)
        choices = _variant_choices(item)
        most = len(choices) if most is None else min(most, len(choices))
        if not 0 < len(choices) <= MOST_FLAGS or not least <= most or most == 0:
            return None
        return replace(
            field,
            kind=FieldKind.FLAGS,
            choices=choices,
            min_items=least,
            max_items=most if most < len(choices) else None,
            unit="",
        )

    def vector(self, field: Field, schema: dict[str, Any], parts: list[_Node], default: object) -> Field | None:
        kinds = {part.kind if isinstance(part.kind, str) else "" for part in parts if not part.nullable}
        if len(kinds) != 1 or not kinds <= set(_NUMBERS) or schema.get("uniqueItems") is True:
            return None
        if any(part.nullable for part in parts):
            return None
        whole = kinds == {"integer"}
        single = replace(field, kind=FieldKind.VECTOR, length=len(parts), whole=whole)
        read = [_number(single, part.schema) for part in parts]
        controls = [one for one in read if one is not None]
        values = default if isinstance(default, list) else []
        if len(controls) < len(parts) or not all(_can_hold(one, whole=whole) for one in values):
            return None
        if schema.get("format") in _COLOURS and not whole and len(parts) in (3, 4):
            colour = replace(field, kind=FieldKind.COLOUR, length=len(parts), unit="")
            if default is None or not colour.fault(default):
                return colour
        # Where the numbers have limits of their own, the control has the widest, and the server checks each.
        low = min(controls, key=lambda one: _or(one.minimum, -math.inf))
        high = max(controls, key=lambda one: _or(one.maximum, math.inf))
        return replace(
            single,
            minimum=low.minimum,
            minimum_excluded=low.minimum_excluded and all(one.minimum_excluded for one in controls),
            maximum=high.maximum,
            maximum_excluded=high.maximum_excluded and all(one.maximum_excluded for one in controls),
            step=controls[0].step if len({one.step for one in controls}) == 1 else None,
        )


def _plain_node(schema: dict[str, Any], nullable: bool, refs: frozenset[str]) -> _Node:
    """A schema that wraps no other."""
    kind, values = schema.get("type"), schema.get("enum")
    if isinstance(kind, list):
        kinds = [one for one in kind if one != "null"]
        nullable = nullable or len(kinds) < len(kind)
        if len(kinds) != 1 or not isinstance(kinds[0], str):
            return _Node(_without(schema, "type"), nullable, refs=refs, readable=False)
        schema = {**schema, "type": kinds[0]}
    if "const" in schema and nullable:
        return _Node(schema, nullable, _choices([schema["const"]]), refs, readable=is_scalar(schema["const"]))
    if "const" in schema or "enum" not in schema:
        return _Node(schema, nullable, refs=refs)
    choices = _choices([one for one in values if one is not None]) if isinstance(values, list) else ()
    nullable = nullable or (isinstance(values, list) and None in values)
    return _Node(schema, nullable, choices, refs, readable=bool(choices))


def _choices(values: list[Any]) -> tuple[Choice, ...]:
    """A choice for each value, once; none where one of them is no scalar."""
    if not all(is_scalar(value) and _text(value) for value in values):
        return ()
    found: dict[str, Choice] = {}
    for value in values:
        if isinstance(value, bool):
            title = "Yes" if value else "No"
        else:
            title = title_of(value[:100]) if isinstance(value, str) else str(value)
        choice = Choice(value, _clean(title)[:100] or "(empty)")
        found.setdefault(choice.key, choice)
    return tuple(found.values())


def _variant_choices(node: _Node) -> tuple[Choice, ...]:
    """The choices that one of several schemas adds: its enum, or its const with its own title and description."""
    if node.choices or "const" not in node.schema:
        return node.choices
    title, description = _clean(node.schema.get("title"))[:100], _clean(node.schema.get("description"))
    return tuple(
        replace(choice, title=title or choice.title, description=description)
        for choice in _choices([node.schema["const"]])
    )


def _number(field: Field, schema: dict[str, Any]) -> Field | None:
    """The field with the limits of a number; None where a host's control can hold no number within them."""
    whole = field.whole or field.kind is FieldKind.INT
    low, low_excluded = _limit(schema, "minimum", "exclusiveMinimum", sign=1, whole=whole)
    high, high_excluded = _limit(schema, "maximum", "exclusiveMaximum", sign=-1, whole=whole)
    least, most = (INT_MIN, INT_MAX) if whole else (-FLOAT_MAX, FLOAT_MAX)
    if (low is not None and low > most) or (high is not None and high < least):
        return None
    low, high = None if low is None else max(low, least), None if high is None else min(high, most)
    step: Any = schema.get("multipleOf")
    step = step if is_number(step) and step > 0 else None
    if whole and step is not None:
        step = int(step) if step == int(step) and step <= INT_MAX else None
    field = replace(
        field,
        minimum=low,
        maximum=high,
        minimum_excluded=low_excluded,
        maximum_excluded=high_excluded,
        step=step,
    )
    one = replace(field, kind=FieldKind.INT if whole else FieldKind.FLOAT)
    return None if one.fault(nearest(one, 0)) else field


def _limit(schema: dict[str, Any], key: str, excluded_key: str, *, sign: int, whole: bool) -> tuple[float | None, bool]:
    """The tighter of a limit and an excluded one, and whether it is excluded; `sign` is -1 for a maximum."""
    found: list[tuple[float, bool]] = []
    for name, excluded in ((key, False), (excluded_key, True)):
        value = schema.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not is_scalar(value):
            continue
        if whole:
            inside = math.floor(value * sign) + 1 if excluded else math.ceil(value * sign)
            found.append((inside, False))
        else:
            found.append((value * sign, excluded))
    if not found:
        return None, False
    limit, excluded = max(found)
    return limit * sign, excluded


def _string(field: Field, schema: dict[str, Any], default: object) -> Field | None:
    if isinstance(default, str) and ("\0" in default or not _is_unicode(default)):
        return None  # a control's text cannot hold it
    form = schema.get("format")
    if form in _COLOURS:
        parts = rgb(default) if isinstance(default, str) else (1.0, 1.0, 1.0)
        if parts:
            return replace(field, kind=FieldKind.COLOUR, length=len(parts), hexadecimal=True)
    kind = _PATHS.get(form, FieldKind.STRING) if isinstance(form, str) else FieldKind.STRING
    return replace(field, kind=kind, max_length=_count(schema.get("maxLength")))


def _can_hold(default: object, *, whole: bool) -> bool:
    """Whether a host's number can be what the default is; a default of another type does not count."""
    if isinstance(default, bool) or not isinstance(default, (int, float)):
        return True
    return is_number(default) and (not whole or INT_MIN <= default <= INT_MAX)


def _without(schema: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def _without_class_name(schema: dict[str, Any], ref: str) -> dict[str, Any]:
    """A definition without the title that pydantic makes of the class's name, which says nothing to an artist."""
    title = schema.get("title")
    if isinstance(title, str) and re.sub(r"[^a-zA-Z0-9.\-_]", "_", title) in ref:
        return _without(schema, "title")
    return schema


def _is_null(schema: object) -> bool:
    if not isinstance(schema, dict):
        return False
    return (
        schema.get("type") == "null" or schema.get("enum") == [None] or ("const" in schema and schema["const"] is None)
    )


def _texts(values: object) -> list[str]:
    return list(dict.fromkeys(one for one in values if isinstance(one, str))) if isinstance(values, list) else []


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INT_MAX else None


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _text(value: object) -> str:
    """A value as JSON; "" for what JSON has not."""
    try:
        return json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return ""


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _clean(text: object) -> str:
    """Text on one line that every host can show; "" for anything else."""
    if not isinstance(text, str):
        return ""
    return " ".join("".join(one if one.isprintable() else " " for one in text[:_MOST_CHARACTERS]).split())
