"""A task's parameters as native controls, made from its JSON Schema; what is set is kept for each task as an optionVar.

The controls only show and keep: `params` reads what is kept, so that a script or a batch has the artist's values too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from maya import cmds

from . import answers, preferences
from .sendoff.form import Field, FieldKind, params_of, start_value
from .sendoff.host.known_tasks import KnownTask

_LABEL_WIDTH = 120
_MOST_FIELDS = 4
_FOLDER_MODE, _FILE_MODE = 3, 1
_UNITS = {"m": "m", "deg": "°", "rad": "rad", "s": "s", "px": "px", "%": "%"}
_ROW: dict[str, Any] = {"columnWidth": (1, _LABEL_WIDTH), "adjustableColumn": 2}


def params(task: KnownTask) -> dict[str, Any]:
    """What is kept as the task's parameters; raises InputError naming the one that cannot be sent."""
    kept = preferences.params(task.name)
    controls = [field for field in task.fields if field.kind is not FieldKind.CONST]
    return params_of(task.fields, {field.name: _kept(kept, field) for field in controls})


def build(parent: str, task: KnownTask) -> None:
    """Make the controls below a layout, those of nested objects in frames of their own."""
    bodies = {"": parent}
    kept = preferences.params(task.name)
    for field in task.fields:
        if field.kind is FieldKind.CONST:
            continue
        if field.group not in bodies:
            is_closed = len(field.path) == 1  # a task's own group holds what is seldom set
            frame = answers.text(
                cmds.frameLayout(label=field.group, collapsable=True, collapse=is_closed, parent=parent)
            )
            bodies[field.group] = answers.text(cmds.columnLayout(adjustableColumn=True, parent=frame))
        _Control(bodies[field.group], task.name, field, kept).build()


def reset(task: KnownTask) -> None:
    """Forget what was set: each parameter is the task's default again."""
    preferences.set_params(task.name, {})


def control_name(task: str, field: Field) -> str:
    """The name of the control of a parameter."""
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in task)
    return f"sendoffParam_{plain}_{field.name}"


def _kept(kept: Mapping[str, Any], field: Field) -> Any:
    """The value that `params_of` takes."""
    if field.nullable and not kept.get(field.switch, field.default is not None):
        return None
    return kept.get(field.name, start_value(field))


class _Control:
    """The control of one field."""

    def __init__(self, parent: str, task: str, field: Field, kept: Mapping[str, Any]) -> None:
        self._parent = parent
        self._task = task
        self._field = field
        self._name = control_name(task, field)
        self._value = kept.get(field.name, start_value(field))
        self._is_given = bool(kept.get(field.switch, field.default is not None)) if field.nullable else True

    def build(self) -> None:
        """Make it, with the check box before it that decides whether a value is given."""
        field = self._field
        if field.nullable:
            cmds.checkBox(
                f"{self._name}_given",
                parent=self._parent,
                label=f"Set {field.title}",
                value=self._is_given,
                annotation=f"Whether {field.title} is given at all",
                changeCommand=partial(self._keep_switch),
            )
        _BUILDERS[field.kind](self)
        if field.nullable:
            cmds.control(self._name, edit=True, enable=self._is_given)

    def number(self) -> None:
        """A number: a slider where both its ends are known."""
        field, whole = self._field, self._field.kind is FieldKind.INT
        low, high = field.lowest, field.highest
        as_number: Callable[[float], Any] = int if whole else float
        if low is not None and high is not None:
            make: Any = cmds.intSliderGrp if whole else cmds.floatSliderGrp
            options: dict[str, Any] = {"precision": 3} if not whole else {}
            make(
                self._name,
                parent=self._parent,
                label=self._label,
                annotation=field.description,
                field=True,
                minValue=as_number(low),
                maxValue=as_number(high),
                value=as_number(self._value),
                columnWidth3=(_LABEL_WIDTH, 60, 100),
                adjustableColumn=3,
                changeCommand=self._keep,
                **options,
            )
            return
        make = cmds.intFieldGrp if whole else cmds.floatFieldGrp
        make(
            self._name,
            parent=self._parent,
            label=self._label,
            annotation=field.description,
            numberOfFields=1,
            value1=as_number(self._value),
            changeCommand=self._keep,
            **_ROW,
        )

    def vector(self) -> None:
        """A fixed number of numbers; more than a row has room for are written with commas."""
        field = self._field
        values = list(self._value)
        if not 1 <= len(values) <= _MOST_FIELDS:
            self._text_field(", ".join(str(one) for one in values), self._keep_listed)
            return
        make: Any = cmds.intFieldGrp if field.whole else cmds.floatFieldGrp
        make(
            self._name,
            parent=self._parent,
            label=self._label,
            annotation=field.description,
            numberOfFields=len(values),
            changeCommand=self._keep_numbers,
            columnWidth=(1, _LABEL_WIDTH),
            **{f"value{index + 1}": one for index, one in enumerate(values)},
        )

    def check_box(self) -> None:
        """Yes or no."""
        cmds.checkBox(
            self._name,
            parent=self._parent,
            label=self._field.title,
            annotation=self._field.description,
            value=bool(self._value),
            changeCommand=self._keep,
        )

    def menu(self) -> None:
        """One of some values."""
        field = self._field
        cmds.optionMenuGrp(
            self._name,
            parent=self._parent,
            label=self._label,
            annotation=field.description,
            changeCommand=self._keep_choice,
            **_ROW,
        )
        for choice in field.choices:
            cmds.menuItem(label=choice.title, annotation=choice.description, parent=f"{self._name}|OptionMenu")
        keys = [choice.key for choice in field.choices]
        if self._value in keys:
            cmds.optionMenuGrp(self._name, edit=True, select=keys.index(self._value) + 1)

    def flags(self) -> None:
        """Any of some values, each with its check box."""
        field = self._field
        cmds.columnLayout(self._name, parent=self._parent, adjustableColumn=True)
        cmds.text(label=self._label, align="left", annotation=field.description, parent=self._name)
        for index, choice in enumerate(field.choices):
            cmds.checkBox(
                f"{self._name}_{index}",
                parent=self._name,
                label=choice.title,
                annotation=choice.description,
                value=choice.key in self._value,
                changeCommand=partial(self._keep_flag, choice.key),
            )

    def line(self) -> None:
        """A text."""
        self._text_field(str(self._value), self._keep)

    def path(self) -> None:
        """A file or a folder, with the way to choose it."""
        cmds.textFieldButtonGrp(
            self._name,
            parent=self._parent,
            label=self._label,
            annotation=self._field.description,
            text=str(self._value),
            buttonLabel="...",
            changeCommand=self._keep,
            buttonCommand=self._choose_path,
            **_ROW,
        )

    @property
    def _label(self) -> str:
        unit = _UNITS.get(self._field.unit, "")
        return f"{self._field.title} ({unit})" if unit else self._field.title

    def _text_field(self, text: str, keep: Callable[..., None]) -> None:
        cmds.textFieldGrp(
            self._name,
            parent=self._parent,
            label=self._label,
            annotation=self._field.description,
            text=text,
            changeCommand=keep,
            **_ROW,
        )

    def _keep(self, value: Any, *_: object) -> None:
        preferences.set_params(self._task, {**preferences.params(self._task), self._field.name: value})

    def _keep_switch(self, value: Any, *_: object) -> None:
        preferences.set_params(self._task, {**preferences.params(self._task), self._field.switch: bool(value)})
        cmds.control(self._name, edit=True, enable=bool(value))

    def _keep_numbers(self, *values: float) -> None:
        self._keep(list(values[: self._field.length]))

    def _keep_listed(self, text: str, *_: object) -> None:
        self._keep([part.strip() for part in text.split(",")])

    def _keep_choice(self, title: str, *_: object) -> None:
        self._keep(next(choice.key for choice in self._field.choices if choice.title == title))

    def _keep_flag(self, key: str, is_set: Any, *_: object) -> None:
        kept = preferences.params(self._task).get(self._field.name, start_value(self._field))
        there = {one for one in kept if one != key} | ({key} if is_set else set())
        self._keep([choice.key for choice in self._field.choices if choice.key in there])

    def _choose_path(self, *_: object) -> None:
        mode = _FOLDER_MODE if self._field.kind is FieldKind.FOLDER else _FILE_MODE
        chosen = answers.names(cmds.fileDialog2(fileMode=mode, caption=self._field.title))
        if chosen:
            cmds.textFieldButtonGrp(self._name, edit=True, text=chosen[0])
            self._keep(chosen[0])


_BUILDERS: Mapping[FieldKind, Callable[[_Control], None]] = {
    FieldKind.INT: _Control.number,
    FieldKind.FLOAT: _Control.number,
    FieldKind.BOOL: _Control.check_box,
    FieldKind.STRING: _Control.line,
    FieldKind.FILE: _Control.path,
    FieldKind.FOLDER: _Control.path,
    FieldKind.CHOICE: _Control.menu,
    FieldKind.FLAGS: _Control.flags,
    FieldKind.VECTOR: _Control.vector,
    FieldKind.COLOUR: _Control.vector,
    FieldKind.JSON: _Control.line,
}
