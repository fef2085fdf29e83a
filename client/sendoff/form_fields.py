"""The fields of a form for a task's parameters: what each is, how it is named, and which values it takes.

A host application makes one native control of each. `form_schema` reads them out of a JSON Schema, `form` turns
what the artist set back into parameters.
"""

from __future__ import annotations

import json
import keyword
import math
import re
import sys
import unicodedata
import zlib
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, Callable

#: What a whole number in a host's control can be: 32 bits with a sign, in Blender and in Maya.
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
#: The largest number that a host's control for fractions holds: it has 32 bits.
FLOAT_MAX = 3.4028234663852886e38
#: Most numbers in a vector, and most choices of which any may be taken: Blender's limits.
MOST_IN_VECTOR = 32
MOST_FLAGS = 32
#: Longest name of a field; with the ending of its check box it stays below Blender's 63.
NAME_LENGTH = 60
#: Units that a number may have in a schema's key "unit".
UNITS = ("", "m", "deg", "rad", "s", "px", "%", "factor")

_COLOUR = re.compile(r"#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_WORDS = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_\- ]+[A-Za-z0-9]+)*_*")
_ACRONYMS = frozenset(
    "abc ao cpu csv exr fbx fps gb glb gltf gpu hdr id jpg json kb lod mb obj pbr ply png rgb rgba stl tga tiff "  # noqa: SIM905
    "udim url usd usda usdc usdz uv xml".split()
)
# What Blender's property groups have already under these names.
_RESERVED = frozenset(
    "as_pointer bl_rna bl_rna_get_subclass bl_rna_get_subclass_py driver_add driver_remove get id_data "  # noqa: SIM905
    "id_properties_clear id_properties_ensure id_properties_ui is_property_hidden is_property_overridable_library "
    "is_property_readonly is_property_set items keyframe_delete keyframe_insert keys path_from_id path_from_module "
    "path_resolve pop property_overridable_library_set property_unset rna_ancestors rna_type type_recast values".split()
)
_SWITCH = "_on"


class FieldKind(str, Enum):
    """What kind of control a field needs."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    STRING = "string"
    #: One of some values.
    CHOICE = "choice"
    #: Any of some values.
    FLAGS = "flags"
    #: A fixed number of numbers.
    VECTOR = "vector"
    #: A colour, with or without alpha.
    COLOUR = "colour"
    FILE = "file"
    FOLDER = "folder"
    #: Anything else, written as JSON text.
    JSON = "json"
    #: One value only: no control; it is sent as it is.
    CONST = "const"


@dataclass(frozen=True)
class Choice:
    """One value that may be chosen, and what the artist reads of it."""

    value: Any
    title: str
    description: str = ""

    @property
    def key(self) -> str:
        """A string for it that no other value has."""
        return choice_key(self.value)


@dataclass(frozen=True)
class Field:
    """One parameter as a control."""

    #: Where it stands in the parameters: the names from the outermost object on.
    path: tuple[str, ...]
    #: A Python identifier in ASCII that no other field of the form has.
    name: str
    title: str
    kind: FieldKind
    description: str = ""
    #: The value in JSON that the task takes where none is given; None where there is none.
    default: Any = None
    #: The task cannot do without it.
    required: bool = False
    #: A check box decides whether a value is sent.
    nullable: bool = False
    #: With the check box off null is sent; where this is False, nothing is.
    sends_null: bool = False
    #: Least and largest number; a float may have to be more or less than that, not just equal.
    minimum: float | None = None
    maximum: float | None = None
    minimum_excluded: bool = False
    maximum_excluded: bool = False
    #: Numbers have to be multiples of this.
    step: float | None = None
    choices: tuple[Choice, ...] = ()
    #: How many numbers a vector has; 3 or 4 for a colour.
    length: int = 0
    #: The numbers of the vector are whole.
    whole: bool = False
    #: The colour is sent as text "#rrggbb" or "#rrggbbaa", and not as numbers.
    hexadecimal: bool = False
    #: One of UNITS; the numbers sent are in it.
    unit: str = ""
    max_length: int | None = None
    #: Least and most flags that have to be set.
    min_items: int = 0
    max_items: int | None = None
    #: Title of the object within the parameters that it belongs to; "" for a parameter of the task itself.
    group: str = ""

    @property
    def label(self) -> str:
        """Title with the group before it, for sentences that name the field."""
        return f"{self.group}: {self.title}" if self.group else self.title

    @property
    def switch(self) -> str:
        """Name of the check box that a nullable field has; no field of the form is called like it."""
        return self.name + _SWITCH if self.nullable else ""

    @property
    def lowest(self) -> float | None:
        """The least number that a control should offer: a little above the minimum where that one is excluded."""
        if self.minimum is None or not self.minimum_excluded:
            return self.minimum
        return self.minimum + self._margin(self.minimum)

    @property
    def highest(self) -> float | None:
        """The largest number that a control should offer."""
        if self.maximum is None or not self.maximum_excluded:
            return self.maximum
        return self.maximum - self._margin(self.maximum)

    def fault(self, value: Any) -> str:
        """What a value in JSON would have to be, as in "it has to be ..."; "" for a value that the field takes."""
        check = _FAULTS.get(self.kind)
        return check(self, value) if check else ""

    def _bool_fault(self, value: Any) -> str:
        return "" if isinstance(value, bool) else "on or off"

    def _choice_fault(self, value: Any) -> str:
        keys = {choice.key for choice in self.choices}
        return "" if is_scalar(value) and choice_key(value) in keys else f"one of {self._titles()}"

    def _number_fault(self, value: Any) -> str:
        whole = self.whole or self.kind is FieldKind.INT
        if not is_number(value) or (whole and value != int(value)):
            return "a whole number" if whole else "a number"
        low, high = self.minimum, self.maximum
        if whole and not INT_MIN <= value <= INT_MAX:
            return f"from {INT_MIN} to {INT_MAX}"
        if low is not None and (value < low or (value == low and self.minimum_excluded)):
            return f"{'more than' if self.minimum_excluded else 'at least'} {plain(low)}"
        if high is not None and (value > high or (value == high and self.maximum_excluded)):
            return f"{'less than' if self.maximum_excluded else 'at most'} {plain(high)}"
        if self.step is not None and (exactly(value) / exactly(self.step)).denominator != 1:
            return f"a multiple of {plain(self.step)}"
        return ""

    def _text_fault(self, value: Any) -> str:
        if not isinstance(value, str):
            return "text"
        if self.max_length is not None and len(value) > self.max_length:
            return f"at most {self.max_length} characters long"
        return ""

    def _flags_fault(self, value: Any) -> str:
        known = {choice.key for choice in self.choices}
        if not isinstance(value, list) or not all(is_scalar(one) for one in value):
            return f"any of {self._titles()}"
        keys = [choice_key(one) for one in value]
        if not known.issuperset(keys) or len(set(keys)) < len(keys):
            return f"any of {self._titles()}"
        if len(keys) < self.min_items:
            return f"at least {self.min_items} of {self._titles()}"
        if self.max_items is not None and len(keys) > self.max_items:
            return f"at most {self.max_items} of {self._titles()}"
        return ""

    def _vector_fault(self, value: Any) -> str:
        if not isinstance(value, list) or len(value) != self.length:
            return f"{self.length} numbers"
        return next(filter(None, (self._number_fault(one) for one in value)), "")

    def _colour_fault(self, value: Any) -> str:
        if self.hexadecimal:
            fits = isinstance(value, str) and len(rgb(value)) == self.length
            return "" if fits else f"a colour like #ff8000{'ff' if self.length == 4 else ''}"
        fits = isinstance(value, list) and len(value) == self.length and all(is_number(one) for one in value)
        return "" if fits and all(0 <= one <= 1 for one in value) else f"{self.length} numbers from 0 to 1"

    def _titles(self) -> str:
        shown = [choice.title for choice in self.choices[:12]]
        return ", ".join(shown) + (", ..." if len(self.choices) > len(shown) else "")

    def _margin(self, bound: float) -> float:
        margin = self.step or 1e-6 * max(1.0, abs(bound))
        if self.minimum is not None and self.maximum is not None:
            margin = min(margin, (self.maximum - self.minimum) / 4)
        return margin


_FAULTS: dict[FieldKind, Callable[[Field, Any], str]] = {
    FieldKind.INT: Field._number_fault,
    FieldKind.FLOAT: Field._number_fault,
    FieldKind.BOOL: Field._bool_fault,
    FieldKind.STRING: Field._text_fault,
    FieldKind.FILE: Field._text_fault,
    FieldKind.FOLDER: Field._text_fault,
    FieldKind.CHOICE: Field._choice_fault,
    FieldKind.FLAGS: Field._flags_fault,
    FieldKind.VECTOR: Field._vector_fault,
    FieldKind.COLOUR: Field._colour_fault,
}


def choice_key(value: Any) -> str:
    """A string for a scalar of JSON that no other scalar has: 1 is "=1", "1" is "1" and True is "=true".

    Text is its own key where a host can hold it as an identifier, so scripts can write it as the task has it.
    """
    if isinstance(value, str) and value and not value.startswith("=") and value.isprintable():
        return value
    return "=" + json.dumps(value)


def title_of(name: str) -> str:
    """What an artist reads for a name in code: "face_budget" is "Face budget", "uv_size" is "UV size"."""
    if not _WORDS.fullmatch(name):
        return name
    words = []
    for word in re.split(r"[_\- ]+", name.rstrip("_")):
        lower = word.lower()
        if lower in _ACRONYMS:
            words.append(lower.upper())
        elif lower[:-1] in _ACRONYMS and lower.endswith("s"):
            words.append(lower[:-1].upper() + "s")
        else:
            words.append(word)
    return words[0][0].upper() + " ".join(words)[1:]


def name_of(path: tuple[str, ...], taken: set[str]) -> str:
    """A name for the field at a path that is an identifier and not among those taken; adds it to them."""
    whole = "_".join(path)
    text = unicodedata.normalize("NFKD", whole).encode("ascii", "ignore").decode()
    text = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    if not text or text[0].isdigit():
        text = f"field_{text}".rstrip("_")
    if keyword.iskeyword(text) or text in _RESERVED:
        text += "_"
    if len(text) > NAME_LENGTH:
        text = f"{text[: NAME_LENGTH - 9]}_{zlib.crc32(whole.encode('utf-8', 'surrogatepass')):08x}"
    name, number = text, 2
    while name in taken or name + _SWITCH in taken:
        name = f"{text[: NAME_LENGTH - 6]}_{number}"
        number += 1
    taken.update((name, name + _SWITCH))
    return name


def nearest(field: Field, number: float) -> float:
    """The number that a field of numbers takes and that is nearest to a finite one; for controls that follow a step."""
    low, high = field.lowest, field.highest
    number = number if low is None else max(number, low)
    number = number if high is None else min(number, high)
    if field.step is not None:
        step = exactly(field.step)
        count = round(exactly(number) / step)
        count = count if low is None else max(count, math.ceil(exactly(low) / step))
        count = count if high is None else min(count, math.floor(exactly(high) / step))
        number = float(count * step)
    return round(number) if field.whole or field.kind is FieldKind.INT else float(number)


def is_scalar(value: Any) -> bool:
    """Whether a value is text, a number, true, false or null."""
    if isinstance(value, (int, float)):
        return abs(value) <= sys.float_info.max  # neither infinite nor NaN, which JSON has not
    return value is None or isinstance(value, str)


def is_number(value: Any) -> bool:
    """Whether a value is a number that a host's control can hold."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -FLOAT_MAX <= value <= FLOAT_MAX


def exactly(number: float) -> Fraction:
    """A number as its digits say: 0.1 is a tenth."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def plain(number: float) -> str:
    """A number as a person writes it: 5, not 5.0."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def rgb(text: str) -> tuple[float, ...]:
    """The 3 or 4 parts, each 0 to 1, of a colour "#rgb", "#rgba", "#rrggbb" or "#rrggbbaa"; () for other text."""
    found = _COLOUR.fullmatch(text)
    if not found:
        return ()
    digits = found[1]
    width = 1 if len(digits) < 6 else 2
    pairs = (digits[at : at + width] * (3 - width) for at in range(0, len(digits), width))
    return tuple(int(pair, 16) / 255 for pair in pairs)
