"""A task's parameters against its JSON Schema, with errors as sentences that name the parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from .problems import Problem, invalid


def _multiple_of(_validator: Any, step: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """As the digits say it: 0.3 is a multiple of 0.1, which binary fractions deny."""
    is_number = isinstance(instance, int | float) and not isinstance(instance, bool)
    if is_number and (Fraction(str(instance)) / Fraction(str(step))).denominator != 1:
        yield ValidationError(f"{instance!r} is not a multiple of {step!r}")


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"multipleOf": _multiple_of}
)


def check_params(task: str, schema: Mapping[str, Any], params: Any) -> None:
    """Refuse parameters that a task does not take; raises Problem 422 naming the first that is wrong."""
    if not isinstance(params, dict):
        raise invalid("The parameters have to be a JSON object.", field="params")
    error = best_match(_Validator(schema).iter_errors(params))
    if error is not None:
        raise _problem(task, schema, error)


def _problem(task: str, schema: Mapping[str, Any], error: ValidationError) -> Problem:
    limit: Any = error.validator_value
    instance: Any = error.instance
    path = [str(part) for part in error.absolute_path]
    name = ".".join(path)
    field = ".".join(["params", *path])
    known = ", ".join(schema.get("properties", {})) or "none"
    match error.validator:
        case "additionalProperties":
            within: Any = error.schema
            extra = next((key for key in instance if key not in within.get("properties", {})), "?")
            return invalid(f"The task {task} has no parameter {extra!r}. It has: {known}.", field=f"{field}.{extra}")
        case "required":
            lacking = next((key for key in limit if key not in instance), "?")
            return invalid(f"The task {task} needs the parameter {lacking!r}.", field=f"{field}.{lacking}")
    wanted = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "exclusiveMinimum": "more than {}",
        "exclusiveMaximum": "less than {}",
        "type": "of the type {}",
        "multipleOf": "a multiple of {}",
        "const": "{}",
        "minLength": "at least {} characters long",
        "maxLength": "at most {} characters long",
        "minItems": "a list of at least {}",
        "maxItems": "a list of at most {}",
    }.get(str(error.validator))
    if error.validator == "enum":
        text = "one of " + ", ".join(map(str, limit))
    elif wanted:
        text = wanted.format(limit)
    else:
        text = f"what the task says ({error.message})"
    return invalid(f"{name or 'The value'} is {_short(instance)}; it has to be {text}.", field=field)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
