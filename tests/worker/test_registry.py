"""Declaring tasks: the signature is the schema, and mistakes are said when the task is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Len
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, DirectoryPath, Field, FilePath, create_model
from pydantic_core import to_jsonable_python

from sendoff.form import FieldKind, default_values, fields_of, params_of
from sendoff.form_fields import UNITS
from sendoff_worker import Context, registry
from sendoff_worker.errors import TaskDefinitionError, TaskFailed

Declare = Callable[..., Any]


class BakeParams(BaseModel):
    """Parameters as a model of their own."""

    size: int = Field(default=512, ge=16)


def test_the_signature_becomes_the_schema(declare: Declare) -> None:
    @declare("studio.thumbnails", title="Thumbnails", accepts=("blend", ".usd"))
    def thumbnails(
        ctx: Context,
        size: Annotated[int, Field(ge=16, le=4096, title="Size")] = 512,
        kind: Literal["png", "jpg"] = "png",
        names: list[str] | None = None,
    ) -> None:
        """Render a small picture
        of every object.

        More for those who read on.
        """

    task = registry.find("studio.thumbnails")
    assert task is not None
    info = task.info()
    assert info.description == "Render a small picture of every object."
    assert list(info.accepts) == ["blend", "usd"]
    properties = info.params["properties"]
    assert properties["size"] == {"default": 512, "maximum": 4096, "minimum": 16, "title": "Size", "type": "integer"}
    assert properties["kind"]["enum"] == ["png", "jpg"]
    assert info.params["additionalProperties"] is False


def test_a_model_may_be_the_schema_and_is_handed_over(declare: Declare) -> None:
    got: list[BakeParams] = []

    @declare("studio.bake")
    def bake(ctx: Context, params: BakeParams) -> None:
        got.append(params)

    task = registry.find("studio.bake")
    assert task is not None
    context: Any = None
    task.run(context, {"size": 64})
    assert got[0].size == 64
    with pytest.raises(TaskFailed, match="size"):
        task.run(context, {"size": 1})


@pytest.mark.parametrize("name", ["bake", "Studio.Bake", "studio.", "studio.bake!", ""])
def test_a_name_that_is_none_is_refused(declare: Declare, name: str) -> None:
    with pytest.raises(TaskDefinitionError, match="name"):
        declare(name)(lambda ctx: None)


@pytest.mark.parametrize("accepts", ["blend", ("*.blend",), ("blend usd",), ("",)])
def test_kinds_of_scenes_that_no_file_can_have_are_refused(declare: Declare, accepts: object) -> None:
    with pytest.raises(TaskDefinitionError, match=r"in a tuple, like \('blend', 'usd'\)"):
        declare("studio.wrong", accepts=accepts)(lambda ctx: None)


def test_a_function_that_cannot_be_a_task_is_refused(declare: Declare) -> None:
    def no_context() -> None: ...
    def no_type(ctx, size=3) -> None: ...  # type: ignore[no-untyped-def]
    def stars(ctx: Context, *sizes: int) -> None: ...
    def no_schema(ctx: Context, thing: threading_lock) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    for function in (no_context, no_type, stars, no_schema):
        with pytest.raises(TaskDefinitionError):
            declare("studio.wrong")(function)


def test_tasks_in_a_folder_are_found_and_a_broken_file_does_not_hide_the_others(
    declare: Declare, tmp_path: Path
) -> None:
    (tmp_path / "good.py").write_text(
        "from sendoff_worker import Context, task\n"
        "@task('studio.good')\ndef good(ctx: Context, n: int = 1) -> None:\n    'Good.'\n"
    )
    (tmp_path / "broken.py").write_text("import nothing_like_this\n")
    problems = registry.load([tmp_path, tmp_path / "nowhere"])
    assert registry.find("studio.good") is not None
    assert registry.find("mesh.lods") is not None
    assert any("broken.py" in problem for problem in problems)
    assert any("nowhere" in problem for problem in problems)


class Quality(Enum):
    """How fine the result is."""

    LOW = "low"
    HIGH = "high"


class Samples(IntEnum):
    """Samples of each pixel."""

    FEW = 16
    MANY = 256


class Cage(BaseModel):
    """The cage around the mesh."""

    offset: Annotated[float, Field(gt=0, json_schema_extra={"unit": "m"})] = 0.1
    quality: Quality = Quality.LOW


Light = Annotated[float, Field(ge=0, le=1)]


def typical(
    ctx: Context,
    face_budget: Annotated[int, Field(ge=1, le=10**12, description="Most triangles")],
    ratio: Annotated[float, Field(gt=0, lt=1, multiple_of=0.25, json_schema_extra={"unit": "factor"})] = 0.5,
    either: int | float = 1,
    keep: bool = True,
    note: Annotated[str, Field(max_length=80)] = "",
    kind: Literal["png", "jpg"] = "jpg",
    quality: Quality = Quality.HIGH,
    samples: Annotated[Samples, Field(title="Samples per pixel")] = Samples.FEW,
    named: Annotated[Literal["a"], Field(title="First")] | Annotated[Literal[2], Field(title="Second")] = 2,
    maybe: Annotated[int, Field(ge=3)] | None = None,
    perhaps: Quality | None = Quality.LOW,
    formats: Annotated[list[Literal["blend", "glb"]], Field(min_length=1)] = ["glb"],  # noqa: B006
    some: frozenset[Quality] = frozenset(),
    up: tuple[float, float, float] = (0, 0, 1),
    size: Annotated[list[int], Len(2, 2), Field(json_schema_extra={"unit": "px"})] = [512, 256],  # noqa: B006
    tint: Annotated[str, Field(json_schema_extra={"format": "color"})] = "#ff8000",
    light: Annotated[tuple[Light, Light, Light], Field(json_schema_extra={"format": "color"})] = (1, 1, 1),
    image: FilePath | None = None,
    folder: DirectoryPath = Path("/tmp"),
    anywhere: Path = Path("out"),
    names: list[str] | None = None,
    table: dict[str, int] = {},  # noqa: B006
    version: Literal[3] = 3,
    cage: Cage = Cage(offset=0.25),  # noqa: B008
    other_cage: Annotated[Cage | None, Field(title="Second cage")] = None,
) -> None:
    """What tasks usually take."""


def test_a_signature_when_read_as_a_form_then_each_parameter_has_its_control(declare: Declare) -> None:
    declare("studio.typical")(typical)
    task = registry.find("studio.typical")
    assert task is not None
    schema = task.info().params
    fields = {field.name: field for field in fields_of(schema)}
    assert {name: (field.kind.value, field.title) for name, field in fields.items()} == {
        "face_budget": ("int", "Face budget"),
        "ratio": ("float", "Ratio"),
        "either": ("float", "Either"),
        "keep": ("bool", "Keep"),
        "note": ("string", "Note"),
        "kind": ("choice", "Kind"),
        "quality": ("choice", "Quality"),
        "samples": ("choice", "Samples per pixel"),
        "named": ("choice", "Named"),
        "maybe": ("int", "Maybe"),
        "perhaps": ("choice", "Perhaps"),
        "formats": ("flags", "Formats"),
        "some": ("flags", "Some"),
        "up": ("vector", "Up"),
        "size": ("vector", "Size"),
        "tint": ("colour", "Tint"),
        "light": ("colour", "Light"),
        "image": ("file", "Image"),
        "folder": ("folder", "Folder"),
        "anywhere": ("file", "Anywhere"),
        "names": ("json", "Names"),
        "table": ("json", "Table"),
        "version": ("const", "Version"),
        "cage_offset": ("float", "Offset"),
        "cage_quality": ("choice", "Quality"),
        "other_cage": ("json", "Second cage"),
    }
    assert {name for name, field in fields.items() if field.nullable} == {"maybe", "perhaps", "image"}
    assert {name: field.unit for name, field in fields.items() if field.unit} == {
        "ratio": "factor", "size": "px", "cage_offset": "m"
    }  # fmt: skip
    assert {field.group for field in fields.values()} == {"", "Cage"}
    assert (fields["face_budget"].required, fields["face_budget"].description) == (True, "Most triangles")
    assert (fields["ratio"].minimum, fields["ratio"].minimum_excluded, fields["ratio"].step) == (0, True, 0.25)
    assert fields["quality"].description == "How fine the result is."
    assert [choice.title for choice in fields["named"].choices] == ["First", "Second"]
    assert fields["cage_offset"].default == 0.25
    params = params_of(fields.values(), default_values(fields.values()))
    Draft202012Validator(schema).validate(params)
    expected = {**schema_defaults(schema), "face_budget": 1, "cage": {"offset": 0.25, "quality": "low"}}
    del expected["names"], expected["other_cage"]  # empty text: the task's own default holds
    assert params == expected


def schema_defaults(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: one["default"] for name, one in schema["properties"].items() if "default" in one}


def numbers_of(kind: type, draw: st.DrawFn) -> tuple[Any, Any]:
    """A type of number with limits, and a default within them or none."""
    number = st.integers(-1000, 1000) if kind is int else st.integers(-4000, 4000).map(lambda value: value / 4)
    low, high = sorted((draw(number), draw(number)))
    annotations: dict[str, Any] = draw(
        st.fixed_dictionaries({}, optional={"ge": st.just(low), "le": st.just(high), "gt": st.just(low - 1)})
    )
    return Annotated[kind, Field(**annotations)], draw(st.sampled_from([low, high]))  # type: ignore[valid-type]


@st.composite
def parameters(draw: st.DrawFn) -> tuple[Any, Any, bool]:
    """A type as a task's author writes it, a value of it, and whether that is its default or there is none."""
    kind, default = draw(
        st.one_of(
            st.just(int).map(lambda one: numbers_of(one, draw)),
            st.just(float).map(lambda one: numbers_of(one, draw)),
            st.tuples(st.just(bool), st.booleans()),
            st.tuples(st.just(str), st.text(max_size=5)),
            st.tuples(st.just(Quality), st.sampled_from(Quality)),
            st.tuples(st.just(Samples), st.sampled_from(Samples)),
            st.tuples(st.just(Literal["a", 1, "1", True]), st.sampled_from(["a", 1, "1", True])),
            st.tuples(st.just(Literal["only"]), st.just("only")),
            st.tuples(st.just(list[Quality]), st.lists(st.sampled_from(Quality), unique=True)),
            st.tuples(st.just(tuple[float, float]), st.tuples(st.floats(-9, 9), st.floats(-9, 9))),
            st.tuples(st.just(Path), st.just(Path("x"))),
            st.tuples(st.just(list[str]), st.lists(st.text(max_size=3))),
            st.tuples(st.just(dict[str, float]), st.dictionaries(st.text(max_size=3), st.floats(0, 1))),
            st.tuples(st.just(Cage), st.builds(Cage, offset=st.floats(0.001, 9), quality=st.sampled_from(Quality))),
        )
    )
    extra = draw(st.sampled_from([{}, {"unit": "m"}, {"format": "color"}]))
    kind = Annotated[kind, Field(json_schema_extra=extra)]
    if draw(st.booleans()):
        kind, default = kind | None, draw(st.sampled_from([default, None]))
    return kind, default, bool(draw(st.integers(0, 3)))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["size", "ratio", "keys", "class_", "on", "size_on", "x"]), parameters()))
def test_any_signature_when_its_form_is_left_as_it_is_then_the_task_gets_its_defaults(
    given: dict[str, tuple[Any, Any, bool]],
) -> None:
    signature: dict[str, Any] = {name: (kind, value if has else ...) for name, (kind, value, has) in given.items()}
    model = create_model("Given", __config__=ConfigDict(extra="forbid", validate_default=True), **signature)
    schema = model.model_json_schema()
    fields = fields_of(schema)
    values = default_values(fields)
    typed = {field.name: given[field.path[0]][1] for field in fields if field.required and values.get(field.name) == ""}
    for field in fields:
        if field.name in typed and field.kind is FieldKind.JSON:
            values[field.name] = json.dumps(to_jsonable_python(typed[field.name]))
        elif field.name in typed:
            values[field.name] = str(typed[field.name]) or "typed"
    params = params_of(fields, values)
    Draft202012Validator(schema).validate(params)
    got = model.model_validate(params)
    for name, (_, value, has_default) in given.items():
        if has_default and not isinstance(value, list):
            assert getattr(got, name) == value
        elif has_default:  # flags are sent in the task's order
            assert sorted(map(repr, getattr(got, name))) == sorted(map(repr, value))


class BakeSettings(BaseModel):
    """What the docs' table calls it."""

    cage: float = 0.1


def test_the_table_of_the_docs_when_its_parameters_are_read_then_artists_see_what_it_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text()
    rows = re.findall(r"^\| `(\w+: .*? = .*?)` \| (.*) \|$", page, re.MULTILINE)
    named: dict[str, Any] = {}
    exec("def table(ctx,\n" + ",\n".join(code.replace("\\|", "|") for code, _ in rows) + "): ...", globals(), named)
    named["table"].__annotations__["ctx"] = Context
    model, _ = registry._model("docs.table", named["table"])
    fields = fields_of(model.model_json_schema())
    assert [(field.path[0], field.kind.value) for field in fields] == [
        ("levels", "int"),
        ("size", "int"),
        ("ratio", "float"),
        ("margin", "float"),
        ("keep_uvs", "bool"),
        ("prefix", "string"),
        ("kind", "choice"),
        ("mode", "choice"),
        ("formats", "flags"),
        ("up", "vector"),
        ("tint", "colour"),
        ("light", "colour"),
        ("reference", "file"),
        ("limit", "int"),
        ("bake", "float"),
        ("names", "json"),
        ("version", "const"),
    ]
    by_name = {field.path[0]: field for field in fields}
    assert (by_name["keep_uvs"].title, by_name["bake"].group) == ("Keep UVs", "Bake")
    assert [choice.title for choice in by_name["mode"].choices] == ["Quick", "Thorough"]
    assert (by_name["ratio"].unit, by_name["margin"].unit, by_name["limit"].nullable) == ("factor", "m", True)
    for unit in UNITS:
        assert not unit or f"`{unit}`" in page
