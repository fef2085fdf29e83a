"""Tasks: declared by a decorator, found by entry points and in the studio's folders.

The signature is the schema: every parameter after the context needs a type, and `Annotated[int, Field(ge=1)]`
adds limits, a title and a description. A task may instead take one pydantic model.
"""

from __future__ import annotations

import importlib.util
import inspect
import logging
import re
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.errors import PydanticUserError

from sendoff_store.offers import TaskInfo

from .errors import TaskDefinitionError, TaskFailed

if TYPE_CHECKING:
    from .context import Context

log = logging.getLogger("sendoff.worker")

ENTRY_POINTS = "sendoff.tasks"
_KIND = re.compile(r"[a-z0-9]+")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task: what it is called, what it takes, and the function that does it."""

    name: str
    title: str
    description: str
    accepts: tuple[str, ...]
    blender: bool
    scoped: bool
    function: Callable[..., Any]
    model: type[BaseModel]
    #: Whether the function takes the model itself instead of its fields.
    takes_model: bool

    def info(self) -> TaskInfo:
        """As clients learn of it."""
        return TaskInfo(
            name=self.name,
            title=self.title,
            description=self.description,
            accepts=list(self.accepts),
            params=self.model.model_json_schema(),
            blender=self.blender,
            scoped=self.scoped,
        )

    def run(self, ctx: Context, params: Mapping[str, Any]) -> None:
        """Do it; raises TaskFailed where the parameters do not fit, and whatever the function raises."""
        try:
            values = self.model.model_validate(dict(params))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise TaskFailed(f"The parameter {name} of {self.name} is wrong: {first['msg']}.") from error
        if self.takes_model:
            self.function(ctx, values)
        else:
            self.function(ctx, **{name: getattr(values, name) for name in type(values).model_fields})


_tasks: dict[str, Task] = {}


def task(
    name: str, *, title: str = "", accepts: Sequence[str] = (), blender: bool = False, scoped: bool = False
) -> Callable[[Function], Function]:
    """Declare a function `f(ctx, ...)` as a task.

    `name` is two or more words with dots between ("studio.thumbnails"), `accepts` the kinds of scene it takes
    ("blend", "usd"; none for a task without a scene), `blender` whether it runs in Blender, `scoped` whether it
    keeps to the objects that the artist chose (`ctx.scope`). The first paragraph of the docstring is the
    description. Raises TaskDefinitionError.
    """

    def declare(function: Function) -> Function:
        if not _NAME.fullmatch(name):
            raise TaskDefinitionError(
                f"The task name {name!r} is not allowed: use lower-case words with dots between, like 'studio.bake'."
            )
        kinds = [kind.lower().removeprefix(".") for kind in accepts]
        if isinstance(accepts, str) or not all(_KIND.fullmatch(kind) for kind in kinds):
            raise TaskDefinitionError(
                f"The task {name!r} accepts {accepts!r}: name the endings of files in a tuple, like ('blend', 'usd')."
            )
        model, takes_model = _model(name, function)
        text = inspect.getdoc(function) or ""
        _tasks[name] = Task(
            name=name,
            title=title or name.rpartition(".")[2].replace("_", " ").capitalize(),
            description=" ".join(text.split("\n\n")[0].split()),
            accepts=tuple(kinds),
            blender=blender,
            scoped=scoped,
            function=function,
            model=model,
            takes_model=takes_model,
        )
        return function

    return declare


def find(name: str) -> Task | None:
    """A task by its name."""
    return _tasks.get(name)


def all_tasks() -> list[Task]:
    """All tasks, by name."""
    return [_tasks[name] for name in sorted(_tasks)]


def folders() -> list[Path]:
    """Where the tasks' own files lie, with the scripts beside them that they run in Blender."""
    files = {getattr(sys.modules.get(task.function.__module__), "__file__", None) for task in all_tasks()}
    return sorted({Path(file).absolute().parent for file in files if file})


def load(task_path: Sequence[Path]) -> list[str]:
    """Load the tasks of all installed packages and of some folders; returns what could not be loaded, as sentences."""
    problems = []
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            entry.load()
        except Exception as error:
            log.exception("The tasks %s cannot be loaded", entry.value, extra={"action": "tasks.failed"})
            problems.append(f"The tasks {entry.value} cannot be loaded: {error!r}")
    for folder in task_path:
        if not folder.is_dir():
            problems.append(f"SENDOFF_TASK_PATH names {folder}, which is no folder.")
            continue
        for path in sorted(folder.glob("*.py")):
            try:
                _load_file(path)
            except Exception as error:
                log.exception("The tasks in %s cannot be loaded", path, extra={"action": "tasks.failed"})
                problems.append(f"The tasks in {path} cannot be loaded: {error!r}")
    return problems


def _load_file(path: Path) -> None:
    name = f"sendoff_tasks_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TaskDefinitionError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _model(name: str, function: Callable[..., Any]) -> tuple[type[BaseModel], bool]:
    """The parameters as a pydantic model, and whether the function takes that model itself."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise TaskDefinitionError(f"The task {name} takes no context: its first parameter has to be `ctx: Context`.")
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TaskDefinitionError(f"The task {name} has a type that cannot be found: {error}.") from error
    rest = parameters[1:]
    if len(rest) == 1:
        kind = hints.get(rest[0].name)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind, True
    fields: dict[str, Any] = {}
    for parameter in rest:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TaskDefinitionError(f"The task {name} takes *{parameter.name}; name each parameter instead.")
        if parameter.name not in hints:
            raise TaskDefinitionError(f"The parameter {parameter.name} of the task {name} has no type.")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    try:
        model: type[BaseModel] = create_model(
            f"{name} parameters", __config__=ConfigDict(extra="forbid", validate_default=True), **fields
        )
        model.model_json_schema()
    except (PydanticUserError, TypeError) as error:
        raise TaskDefinitionError(f"The parameters of the task {name} cannot be a JSON Schema: {error}") from error
    return model, False
